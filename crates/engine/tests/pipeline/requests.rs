//! The provider is asked for each text once, in requests of its size; a text that it refuses costs only its own record.

use uuid::Uuid;
use vb_engine::batch::{Batch, FailureClass};
use vb_engine::policy::chunking::Chunking;

use crate::batches::{done, texts};
use crate::doubles::owner::{COLLECTION, Owner, batch, target};
use crate::doubles::provider::ScriptedProvider;

#[test]
fn equal_texts_are_embedded_once() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    let (embedded, ..) = done(owner.run(batch(["same", "other", "same", "same"])));
    assert_eq!(embedded.len(), 4);
    assert_eq!(owner.provider.requests(), [["same", "other"]]);
    assert_eq!(owner.store.points(COLLECTION).len(), 4);
}

#[test]
fn requests_hold_no_more_texts_than_the_provider_takes() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    done(owner.run(batch(texts(40))));
    let sizes: Vec<usize> = owner.provider.requests().iter().map(Vec::len).collect();
    assert_eq!(sizes, [16, 16, 8]);
}

#[test]
fn a_poison_record_costs_only_itself() {
    let mut owner = Owner::start(ScriptedProvider::refusing("poison"));
    let mut many = texts(64);
    many[5] = "poison in the middle".into();
    many[63] = "more poison".into();
    let mut batch = batch(many);
    let former = Uuid::from_u128(1);
    batch.records[5].present_points = vec![former];
    let (embedded, failed, _) = done(owner.run(batch));
    let failed_ids: Vec<&str> = failed.iter().map(|record| record.record_id.as_str()).collect();
    assert_eq!(failed_ids, ["r5", "r63"]);
    assert_eq!(failed[0].message, "cannot stand \"poison\"");
    assert_eq!(failed[0].content_hash, [0xab; 32]);
    assert_eq!(embedded.len(), 62);
    assert_eq!(owner.store.points(COLLECTION).len(), 62);
    // Requests of 16: two of four are halved four times, and one plain text is tried before the first record is blamed.
    assert!(owner.provider.requests().len() <= 4 + 2 * 2 * 4 + 1);
    assert!(
        !owner.store.calls().contains(&"delete"),
        "the former points of a failed record stay"
    );
}

#[test]
fn a_batch_of_one_poison_record_is_done() {
    let mut owner = Owner::start(ScriptedProvider::refusing("poison"));
    let (embedded, failed, _) = done(owner.run(batch(["poison"])));
    assert_eq!((embedded.len(), failed.len()), (0, 1));
}

#[test]
fn a_record_with_one_bad_chunk_fails_as_a_whole() {
    let mut owner = Owner::start(ScriptedProvider::refusing("poison"));
    let target = target(Some(Chunking { tokens: 2, overlap: 0 }));
    let (embedded, failed, _) = done(owner.run(Batch {
        target,
        ..batch(["a b c poison e", "a b"])
    }));
    assert_eq!(
        (failed[0].record_id.as_str(), embedded[0].record_id.as_str()),
        ("r0", "r1")
    );
    assert_eq!(owner.store.points(COLLECTION).len(), 1);
}

#[test]
fn a_provider_that_refuses_everything_blames_no_record() {
    let mut owner = Owner::start(ScriptedProvider::refusing(""));
    let failure = owner.failure(batch(texts(20)));
    assert_eq!(failure.class, FailureClass::Configuration);
    assert!(failure.message.contains("refuses every text"), "{}", failure.message);
}
