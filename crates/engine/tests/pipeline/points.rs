//! Points are stored with all that they stand for, deleted when nothing stands for them any more, and durable before the
//! outcome says so.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Map;
use uuid::Uuid;
use vb_engine::batch::Batch;
use vb_engine::fields::{Fields, FieldsChange};
use vb_engine::point::point_id;
use vb_engine::policy::chunking::Chunking;

use crate::batches::done;
use crate::doubles::owner::{COLLECTION, Owner, batch, record, target};
use crate::doubles::provider::{ScriptedProvider, embedding};

#[test]
fn points_are_flushed_before_the_outcome_is_sent() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    let flush = owner.store.hold("flush");
    owner.engine.submit(batch(["one", "two"]));
    flush.wait_for_arrival();
    assert_eq!(owner.store.points(COLLECTION).len(), 2, "written already");
    assert!(owner.engine.try_outcome().is_none(), "not durable yet");
    assert_eq!(owner.engine.batches_in_flight(), 1);
    // Six letters, and two vectors of four numbers, three times each.
    assert_eq!(owner.engine.bytes_in_flight(), 6 + 2 * 3 * 16);
    flush.open();
    let outcome = owner.outcome();
    assert_eq!((outcome.batch_id, outcome.job_id), (11, 5));
    assert_eq!(owner.store.calls(), ["ensure", "upsert", "flush"]);
    assert_eq!(
        (owner.engine.batches_in_flight(), owner.engine.bytes_in_flight()),
        (0, 0)
    );
    assert!(outcome.spent.tokens == 2 && outcome.spent.storing > Duration::ZERO);
}

#[test]
fn a_point_says_what_it_stands_for() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    let text = "ü".repeat(600);
    let (embedded, ..) = done(owner.run(batch([&text])));
    assert_eq!(embedded[0].record_id, "r0");
    assert_eq!(embedded[0].chunks[0].tokens, 1);
    let points = owner.store.points(COLLECTION);
    let point = &points[&point_id(&target(None), "r0", 0)];
    assert_eq!(point.vector, embedding(&text).vector);
    let payload = &point.payload;
    assert_eq!((payload.client_id, payload.chunk_no), (7, 0));
    assert_eq!(
        (payload.source.as_str(), payload.vector_type.as_str()),
        ("issues", "content")
    );
    assert_eq!(
        (payload.provider.as_str(), payload.model.as_str()),
        ("test-provider", "test-model")
    );
    assert_eq!(payload.text_content, "ü".repeat(500));
    assert_eq!(payload.content_hash, "ab".repeat(32));
    assert!(payload.generated_at > 1.7e9);
}

#[test]
fn a_record_is_told_apart_from_others_by_its_key_alone() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    let mut two = batch::<&str>([]);
    two.records = vec![record("[\"a\",\"b\"]", "same"), record("[\"a\",\"c\"]", "same")];
    let (embedded, ..) = done(owner.run(two));
    assert_ne!(embedded[0].chunks[0].point_id, embedded[1].chunks[0].point_id);
    assert_eq!(owner.store.points(COLLECTION).len(), 2);
}

#[test]
fn surplus_chunks_of_a_shorter_text_are_deleted() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    let target = target(Some(Chunking { tokens: 2, overlap: 0 }));
    let long = Batch {
        target: target.clone(),
        ..batch(["a b c d e"])
    };
    let (embedded, ..) = done(owner.run(long));
    let present: Vec<Uuid> = embedded[0].chunks.iter().map(|chunk| chunk.point_id).collect();
    assert_eq!(
        present,
        (0..3)
            .map(|chunk_no| point_id(&target, "r0", chunk_no))
            .collect::<Vec<_>>()
    );
    assert_eq!(owner.provider.requests(), [["a b", "c d", "e"]]);

    let mut short = Batch {
        target,
        ..batch(["a b c"])
    };
    short.records[0].present_points = present.clone();
    let (embedded, _, deleted) = done(owner.run(short));
    assert_eq!(embedded[0].chunks.len(), 2);
    assert!(deleted.is_empty(), "no row is gone");
    let kept: BTreeSet<Uuid> = owner.store.points(COLLECTION).into_keys().collect();
    assert_eq!(kept, present[..2].iter().copied().collect());
    assert_eq!(
        owner.store.calls()[3..],
        ["upsert", "delete", "flush"],
        "new chunks first: never less than before"
    );
}

#[test]
fn deletes_need_neither_provider_nor_collection() {
    let mut owner = Owner::start(ScriptedProvider::new(|_| panic!("not asked")));
    let gone = Uuid::from_u128(9);
    let (.., deleted) = done(owner.run(Batch {
        deletes: vec![gone],
        ..batch::<&str>([])
    }));
    assert_eq!(deleted, [gone]);
    assert_eq!(owner.store.calls(), ["delete"]);
}

#[test]
fn deletes_are_durable_before_the_outcome_is_sent() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    done(owner.run(batch(["one", "two"])));
    let gone = point_id(&target(None), "r1", 0);
    done(owner.run(Batch {
        deletes: vec![gone],
        ..batch::<&str>([])
    }));
    assert_eq!(owner.store.points(COLLECTION).len(), 1);
    assert_eq!(owner.store.calls()[3..], ["delete", "flush"]);
}

#[test]
fn a_row_deleted_and_inserted_again_keeps_its_point() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    let id = point_id(&target(None), "r0", 0);
    let (embedded, _, deleted) = done(owner.run(Batch {
        deletes: vec![id],
        ..batch(["back again"])
    }));
    assert_eq!(embedded[0].chunks[0].point_id, id);
    assert!(deleted.is_empty());
    assert!(owner.store.points(COLLECTION).contains_key(&id));
}

#[test]
fn columns_are_stored_with_the_points_and_change_without_the_provider() {
    let fields = |status: &str, hash: &str| Fields {
        values: Map::from_iter([("status".to_owned(), status.into())]),
        hash: hash.to_owned(),
    };
    let mut owner = Owner::start(ScriptedProvider::sound());
    let mut first = batch(["one", "two"]);
    first.records[0].fields = fields("open", "aa");
    let (embedded, ..) = done(owner.run(first));
    let hashes: Vec<&str> = embedded.iter().map(|record| record.fields_hash.as_str()).collect();
    assert_eq!(hashes, ["aa", ""]);
    let id = point_id(&target(None), "r0", 0);
    let kept = |owner: &Owner| owner.store.points(COLLECTION).remove(&id).unwrap();
    assert_eq!(kept(&owner).payload.fields, fields("open", "aa").values);
    let before = kept(&owner);
    done(owner.run(Batch {
        changes: vec![FieldsChange {
            points: vec![id],
            fields: fields("closed", "bb"),
        }],
        ..batch::<&str>([])
    }));
    assert_eq!(owner.provider.requests().len(), 1);
    assert_eq!(owner.store.calls()[3..], ["set_fields", "flush"]);
    assert_eq!(kept(&owner).payload.fields, fields("closed", "bb").values);
    assert_eq!(kept(&owner).vector, before.vector);
}

#[test]
fn a_collection_that_is_gone_when_columns_change_is_noticed() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    done(owner.run(batch(["one"])));
    owner.engine.take_made();
    owner.store.remove(COLLECTION);
    done(owner.run(Batch {
        changes: vec![FieldsChange {
            points: vec![point_id(&target(None), "r0", 0)],
            fields: Fields::default(),
        }],
        ..batch::<&str>([])
    }));
    let made = owner.engine.take_made();
    assert!(
        matches!(&made[..], [made] if made.again && made.name == COLLECTION),
        "{made:?}"
    );
}
