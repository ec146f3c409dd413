//! Making, refusing, listing, dropping.

use futures::future::join_all;
use uuid::Uuid;
use vb_engine::store::contract::{CollectionSpec, VectorStore};
use vb_engine::store::error::StoreError;

use super::data::{id, point, points};
use super::whole::Whole;
use super::{all_ids, collection};

fn spec(name: &str, dimensions: usize) -> CollectionSpec {
    CollectionSpec {
        name: name.to_owned(),
        dimensions,
        is_shared: false,
        fields: Vec::new(),
    }
}

pub(crate) async fn ensuring_twice_keeps_the_points(store: &dyn VectorStore) {
    let name = collection(store, 8).await;
    store.put(&name, points(0..10, 8)).await.unwrap();
    assert!(!store.ensure_collection(&spec(&name, 8)).await.unwrap());
    assert_eq!(store.size(&name).await.unwrap(), 10);
}

pub(crate) async fn ensuring_at_the_same_time_makes_one_collection(store: &dyn VectorStore) {
    let spec = spec(&format!("test_{}", Uuid::new_v4().simple()), 8);
    let tasks = (0..20_u64).map(|number| {
        let spec = &spec;
        async move {
            store.ensure_collection(spec).await.unwrap();
            store.put(&spec.name, vec![point(number, 0, 8)]).await.unwrap();
        }
    });
    join_all(tasks).await;
    assert_eq!(store.size(&spec.name).await.unwrap(), 20);
}

pub(crate) async fn a_missing_collection_is_reported_as_missing(store: &dyn VectorStore) {
    let name = "not_there";
    fn missing<T: std::fmt::Debug>(result: Result<T, StoreError>) {
        assert!(
            matches!(&result, Err(StoreError::NoCollection(name)) if name == "not_there"),
            "{result:?}"
        );
    }
    missing(store.put(name, points(0..1, 8)).await);
    missing(store.erase(name, vec![id(0)]).await);
    missing(store.flush(name).await);
    missing(store.find(name, point(0, 0, 8).vector, 1).await);
    missing(store.page(name, None, 1).await);
    missing(store.size(name).await);
    missing(store.optimize(name).await);
    assert!(!store.collections().await.unwrap().contains(&name.to_owned()));
}

pub(crate) async fn other_dimensions_are_a_configuration_error_that_names_both(store: &dyn VectorStore) {
    let name = collection(store, 24).await;
    let refused = store.ensure_collection(&spec(&name, 48)).await.unwrap_err();
    let StoreError::Configuration(message) = refused else {
        panic!("{refused:?}")
    };
    assert!(
        message.contains("24") && message.contains("48") && message.contains(&name),
        "{message}"
    );
}

pub(crate) async fn vectors_of_other_dimensions_are_refused_whole(store: &dyn VectorStore) {
    let name = collection(store, 8).await;
    let mut batch = points(0..10, 8);
    batch[9].vector.push(0.0);
    assert!(matches!(
        store.put(&name, batch).await,
        Err(StoreError::Configuration(_))
    ));
    assert_eq!(store.size(&name).await.unwrap(), 0);
    let question = vec![1.0; 9];
    assert!(matches!(
        store.find(&name, question, 1).await,
        Err(StoreError::Configuration(_))
    ));
    // And the collection takes what fits.
    store.put(&name, points(0..10, 8)).await.unwrap();
    store.flush(&name).await.unwrap();
    assert_eq!(store.size(&name).await.unwrap(), 10);
}

pub(crate) async fn odd_names_are_refused(store: &dyn VectorStore) {
    let long = "x".repeat(201);
    for name in [
        "",
        ".",
        "..",
        "../escape",
        "a/b",
        "a b",
        "a.b",
        "\u{e4}",
        "a\0b",
        "a\n",
        &long,
    ] {
        fn refused<T: std::fmt::Debug>(name: &str, result: Result<T, StoreError>) {
            assert!(
                matches!(result, Err(StoreError::Configuration(_))),
                "{name:?}: {result:?}"
            );
        }
        refused(name, store.ensure_collection(&spec(name, 8)).await);
        refused(name, store.put(name, points(0..1, 8)).await);
        refused(name, store.size(name).await);
        refused(name, store.drop_collection(name).await);
    }
}

pub(crate) async fn long_names_and_all_allowed_letters_are_accepted(store: &dyn VectorStore) {
    for name in ["x".repeat(200), format!("-_aZ09{}", Uuid::new_v4())] {
        store.ensure_collection(&spec(&name, 8)).await.unwrap();
        store.put(&name, points(0..1, 8)).await.unwrap();
        store.drop_collection(&name).await.unwrap();
    }
}

pub(crate) async fn collections_are_listed_in_order(store: &dyn VectorStore) {
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(collection(store, 8).await);
    }
    made.sort();
    let listed = store.collections().await.unwrap();
    assert!(listed.is_sorted());
    assert_eq!(
        listed
            .into_iter()
            .filter(|name| made.contains(name))
            .collect::<Vec<_>>(),
        made
    );
}

pub(crate) async fn dropping_removes_the_points_for_good(store: &dyn VectorStore) {
    let name = collection(store, 8).await;
    store.put(&name, points(0..10, 8)).await.unwrap();
    store.flush(&name).await.unwrap();
    store.drop_collection(&name).await.unwrap();
    assert!(!store.collections().await.unwrap().contains(&name));
    assert!(matches!(store.size(&name).await, Err(StoreError::NoCollection(_))));
    // Even with other dimensions: it is another collection.
    assert!(store.ensure_collection(&spec(&name, 16)).await.unwrap());
    assert!(all_ids(store, &name, 10).await.is_empty());
    store.put(&name, points(0..3, 16)).await.unwrap();
    assert_eq!(store.size(&name).await.unwrap(), 3);
}

pub(crate) async fn dropping_a_missing_collection_is_no_error(store: &dyn VectorStore) {
    store.drop_collection("never_was").await.unwrap();
}

pub(crate) async fn collections_do_not_see_each_other(store: &dyn VectorStore) {
    let (one, other) = (collection(store, 8).await, collection(store, 8).await);
    store.put(&one, points(0..10, 8)).await.unwrap();
    store.put(&other, points(5..20, 8)).await.unwrap();
    store.erase(&one, vec![id(6)]).await.unwrap();
    store.drop_collection(&one).await.unwrap();
    assert_eq!(store.size(&other).await.unwrap(), 15);
}

pub(crate) async fn an_alias_can_be_set_again_and_again(store: &dyn VectorStore) {
    let (one, other) = (collection(store, 8).await, collection(store, 8).await);
    let alias = format!("alias_{}", Uuid::new_v4().simple());
    for name in [&one, &one, &other, &one] {
        store.set_alias(&alias, name).await.unwrap();
    }
    // A name for something is nothing by itself.
    assert!(!store.collections().await.unwrap().contains(&alias));
    store.drop_collection(&one).await.unwrap();
    store.set_alias(&alias, &other).await.unwrap();
}
