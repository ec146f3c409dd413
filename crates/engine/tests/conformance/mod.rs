//! What every vector store must keep, whatever it is made of: functions that take a store and fail when it breaks the
//! contract. Each works on collections of its own, so all of them may run on one store, at the same time.
//!
//! - `points.rs`: writing, replacing, deleting, counting, scrolling;
//! - `searching.rs`: searches against plain arithmetic;
//! - `collections.rs`: making, refusing, listing, dropping;
//! - `keeping.rs`: what is there after the store was closed and opened again;
//! - `sharing.rs`: clients that have shares of one collection;
//! - `by_words.rs`: keywords;
//! - `columns.rs`: columns to filter by;
//! - `whole.rs`: calls about whole collections, by name;
//! - `data.rs`: vectors and points to test with.

#![allow(dead_code, reason = "a store's tests need not use all of it")]

pub(crate) mod by_words;
pub(crate) mod collections;
pub(crate) mod columns;
pub(crate) mod data;
pub(crate) mod keeping;
pub(crate) mod points;
pub(crate) mod searching;
pub(crate) mod sharing;
pub(crate) mod whole;

use uuid::Uuid;
use vb_engine::store::contract::{CollectionSpec, VectorStore};

use self::whole::Whole;

/// Calls the test macro for each function of the suite that needs nothing but a store.
#[macro_export]
macro_rules! for_each_promise {
    ($test:ident) => {
        $test! {
            points: a_repeated_upsert_changes_nothing,
            points: an_upsert_replaces_the_whole_point,
            points: one_upsert_may_hold_many_points,
            points: an_empty_upsert_or_delete_is_no_error,
            points: deleting_removes_what_is_there_and_forgives_what_is_not,
            points: a_deleted_point_can_be_written_again,
            points: counts_are_exact,
            points: scrolling_sees_every_point_once_and_in_order,
            points: concurrent_upserts_lose_nothing,
            points: concurrent_flushes_all_succeed,
            points: a_hundred_thousand_points_are_kept_and_found,
            searching: a_search_equals_an_exact_scan,
            searching: a_search_returns_the_payload_as_it_was_written,
            searching: a_search_finds_no_more_than_there_is,
            searching: a_search_of_an_empty_collection_finds_nothing,
            collections: ensuring_twice_keeps_the_points,
            collections: ensuring_at_the_same_time_makes_one_collection,
            collections: a_missing_collection_is_reported_as_missing,
            collections: other_dimensions_are_a_configuration_error_that_names_both,
            collections: vectors_of_other_dimensions_are_refused_whole,
            collections: odd_names_are_refused,
            collections: long_names_and_all_allowed_letters_are_accepted,
            collections: collections_are_listed_in_order,
            collections: dropping_removes_the_points_for_good,
            collections: dropping_a_missing_collection_is_no_error,
            collections: collections_do_not_see_each_other,
            collections: an_alias_can_be_set_again_and_again,
            sharing: a_client_sees_only_its_share,
            sharing: a_client_writes_only_to_its_share,
            sharing: clearing_a_share_leaves_the_others,
            sharing: clearing_a_collection_leaves_it_empty,
            sharing: scrolling_a_share_sees_each_of_its_points_once,
            by_words: points_are_found_by_their_words,
            by_words: rare_words_count_more_than_frequent_ones,
            by_words: how_rare_a_word_is_does_not_depend_on_other_clients,
            by_words: a_question_without_words_finds_nothing,
            by_words: points_without_words_are_kept,
            columns: conditions_choose_points_by_their_columns,
            columns: columns_of_odd_names_can_be_filtered_by,
            columns: fields_change_without_their_vectors,
            columns: fields_change_only_within_their_share,
            columns: indexed_columns_are_filtered_by_as_others_are,
            by_words: whole_points_come_back_as_they_were_written,
            by_words: points_say_what_they_are_made_from,
        }
    };
}

/// A new collection of these dimensions.
pub(crate) async fn collection(store: &dyn VectorStore, dimensions: usize) -> String {
    let name = format!("test_{}", Uuid::new_v4().simple());
    store
        .ensure_collection(&CollectionSpec {
            name: name.clone(),
            dimensions,
            is_shared: false,
            fields: Vec::new(),
        })
        .await
        .unwrap();
    name
}

/// All ids of a collection, by scrolling in pages of this size; checks that pages are full except the last.
pub(crate) async fn all_ids(store: &dyn VectorStore, collection: &str, page: usize) -> Vec<Uuid> {
    let mut ids = Vec::new();
    loop {
        let next = store.page(collection, ids.last().copied(), page).await.unwrap();
        assert!(next.len() <= page);
        let end = next.len() < page;
        ids.extend(next);
        if end {
            return ids;
        }
    }
}
