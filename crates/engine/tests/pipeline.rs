//! What the pipeline promises to whoever submits batches.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets something unexpected fails"
)]

mod doubles;

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doubles::gate::{Gate, PATIENCE};
use doubles::owner::{COLLECTION, Owner, batch, changed, record, target};
use doubles::provider::{DIMENSIONS, ScriptedProvider, embeddings};
use uuid::Uuid;
use vb_engine::batch::{Batch, BatchResult, EmbeddedRecord, FailedRecord, FailureClass};
use vb_engine::point::point_id;
use vb_engine::policy::chunking::Chunking;
use vb_engine::provider::contract::ProviderError;
use vb_engine::store::contract::StoreError;

fn done(result: BatchResult) -> (Vec<EmbeddedRecord>, Vec<FailedRecord>, Vec<Uuid>) {
    match result {
        BatchResult::Done {
            embedded,
            failed,
            deleted,
        } => (embedded, failed, deleted),
        other => panic!("should be done: {other:?}"),
    }
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("text number {number}")).collect()
}

#[test]
fn points_are_flushed_before_the_outcome_is_sent() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    let flush = owner.store.hold("flush");
    owner.engine.submit(batch(["one", "two"]));
    flush.wait_for_arrival();
    assert_eq!(owner.store.points(COLLECTION).len(), 2, "written already");
    assert!(owner.engine.try_outcome().is_none(), "not durable yet");
    assert_eq!(owner.engine.batches_in_flight(), 1);
    assert_eq!(owner.engine.bytes_in_flight(), 6);
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
    assert_eq!(point.vector, doubles::provider::embedding(&text).vector);
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
fn a_collection_is_made_once_and_again_when_somebody_removed_it() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    done(owner.run(batch(["one"])));
    done(owner.run(batch(["two"])));
    assert_eq!(owner.store.calls(), ["ensure", "upsert", "flush", "upsert", "flush"]);
    owner.store.remove(COLLECTION);
    done(owner.run(batch(["three"])));
    assert_eq!(owner.store.points(COLLECTION).len(), 1);
    assert_eq!(owner.store.calls()[5..], ["upsert", "ensure", "upsert", "flush"]);
}

#[test]
fn a_collection_that_will_not_stay_fails_the_batch_after_one_repetition() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    owner.store.fail(|call| match call {
        "upsert" => Err(StoreError::NoCollection(COLLECTION.into())),
        _ => Ok(()),
    });
    assert_eq!(owner.failure(batch(["one"])).class, FailureClass::Transient);
    assert_eq!(owner.store.calls(), ["ensure", "upsert", "ensure", "upsert"]);
}

#[test]
fn a_flush_that_fails_fails_the_batch() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    owner.store.fail(|call| match call {
        "flush" => Err(StoreError::Configuration("disk full".into())),
        _ => Ok(()),
    });
    let failure = owner.failure(batch(["one"]));
    assert_eq!(
        (failure.class, failure.message.as_str()),
        (FailureClass::Configuration, "disk full")
    );
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
fn a_provider_that_refuses_everything_blames_no_record() {
    let mut owner = Owner::start(ScriptedProvider::refusing(""));
    let failure = owner.failure(batch(texts(20)));
    assert_eq!(failure.class, FailureClass::Configuration);
    assert!(failure.message.contains("refuses every text"), "{}", failure.message);
}

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
fn other_dimensions_are_a_configuration_failure_that_names_both() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    let mut wide = batch(["one"]);
    Arc::get_mut(&mut wide.target).unwrap().collection.dimensions = 768;
    let failure = owner.failure(wide);
    assert_eq!(failure.class, FailureClass::Configuration);
    assert!(failure.message.contains("768") && failure.message.contains(&format!("makes {DIMENSIONS}")));
    assert!(failure.message.contains(COLLECTION) && failure.message.contains("test-model"));
    assert!(owner.store.calls().is_empty() && owner.provider.requests().is_empty());
}

#[test]
fn another_model_is_a_configuration_failure_that_names_both() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    let mut other = batch(["one"]);
    changed(&mut other, |provider| provider.model = "another-model".into());
    let failure = owner.failure(other);
    assert_eq!(failure.class, FailureClass::Configuration);
    assert!(failure.message.contains("another-model") && failure.message.contains("test-model"));
}

#[test]
fn an_answer_that_breaks_the_contract_never_reaches_the_store() {
    type Break = fn(&mut Vec<vb_engine::provider::contract::Embedding>);
    let faults: [(Break, &str); 4] = [
        (|answer| drop(answer.pop()), "1 embeddings for 2 texts"),
        (
            |answer| answer[1].vector.push(0.0),
            "5 numbers in an embedding instead of 4",
        ),
        (|answer| answer[1].vector[2] = f32::NAN, "not finite"),
        (|answer| answer[0].vector[0] = f32::INFINITY, "not finite"),
    ];
    for (fault, message) in faults {
        let mut owner = Owner::start(ScriptedProvider::new(move |request| {
            let mut answer = embeddings(&request.texts);
            fault(&mut answer);
            Ok(answer)
        }));
        let failure = owner.failure(batch(["one", "two"]));
        assert_eq!(failure.class, FailureClass::Transient);
        assert!(
            failure.message.contains(message) && failure.message.contains("test-model"),
            "{}",
            failure.message
        );
        assert!(owner.store.calls().is_empty());
    }
}

#[test]
fn a_panic_of_the_provider_is_an_outcome_and_harms_no_later_batch() {
    let mut owner = Owner::start(ScriptedProvider::new(|request| {
        assert!(&*request.texts[0] != "trap", "stepped into the {}", request.texts[0]);
        Ok(embeddings(&request.texts))
    }));
    let failure = owner.failure(batch(["trap"]));
    assert_eq!(failure.class, FailureClass::Transient);
    assert!(failure.message.contains("stepped into the trap"), "{}", failure.message);
    done(owner.run(batch(["good"])));
    let mut logged = std::iter::from_fn(|| owner.engine.try_log());
    assert!(logged.any(|record| record.level == log::Level::Error && record.message.contains("stepped into the trap")));
}

#[test]
fn a_panic_of_the_store_is_an_outcome() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    owner
        .store
        .fail(|call| if call == "flush" { panic!("bad sector") } else { Ok(()) });
    let failure = owner.failure(batch(["one"]));
    assert_eq!(failure.class, FailureClass::Transient);
    assert!(failure.message.contains("bad sector"));
}

#[test]
fn every_batch_gives_exactly_one_outcome() {
    let turn = AtomicUsize::new(0);
    let mut owner = Owner::start(ScriptedProvider::new(move |request| {
        match turn.fetch_add(1, Ordering::Relaxed) % 5 {
            0 => panic!("now and then"),
            1 => Err(ProviderError::Transient("try again".into())),
            2 => Err(ProviderError::Cancelled),
            _ => Ok(embeddings(&request.texts)),
        }
    }));
    for id in 0..200 {
        let batch = Batch { id, ..batch(["one"]) };
        if id % 7 == 0 {
            batch.cancel.raise();
        }
        owner.engine.submit(batch);
    }
    let ids: HashSet<i64> = (0..200).map(|_| owner.outcome().batch_id).collect();
    assert_eq!(ids.len(), 200);
    assert!(owner.engine.try_outcome().is_none());
    assert_eq!(owner.engine.batches_in_flight(), 0);
}

#[test]
fn a_batch_that_is_cancelled_already_costs_nothing() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    let cancelled = batch(["one"]);
    cancelled.cancel.raise();
    assert!(matches!(owner.run(cancelled), BatchResult::Cancelled));
    assert!(owner.provider.requests().is_empty() && owner.store.calls().is_empty());
}

#[test]
fn a_provider_that_gives_up_unasked_has_not_cancelled_the_batch() {
    let mut owner = Owner::start(ScriptedProvider::new(|_| Err(ProviderError::Cancelled)));
    assert_eq!(owner.failure(batch(["one"])).class, FailureClass::Transient);
}

#[test]
fn a_batch_cancelled_while_it_is_embedded_stores_nothing_and_asks_no_more() {
    let gate = Arc::new(Gate::default());
    let provider = ScriptedProvider::sound().held_at(&gate);
    let mut owner = Owner::start(provider);
    let many = batch(texts(40));
    let cancel = many.cancel.clone();
    owner.engine.submit(many);
    gate.wait_for_arrival();
    cancel.raise();
    gate.open();
    assert!(matches!(owner.outcome().result, BatchResult::Cancelled));
    assert_eq!(owner.provider.requests().len(), 1);
    assert!(owner.store.calls().is_empty());
}

#[test]
fn a_batch_cancelled_during_its_last_request_stores_nothing() {
    let gate = Arc::new(Gate::default());
    let mut owner = Owner::start(ScriptedProvider::sound().held_at(&gate));
    let one = batch(["one"]);
    let cancel = one.cancel.clone();
    owner.engine.submit(one);
    gate.wait_for_arrival();
    cancel.raise();
    gate.open();
    assert!(matches!(owner.outcome().result, BatchResult::Cancelled));
    assert!(owner.store.calls().is_empty());
}

#[test]
fn a_batch_cancelled_after_its_upsert_began_is_completed() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    let upsert = owner.store.hold("upsert");
    let one = batch(["one"]);
    let cancel = one.cancel.clone();
    owner.engine.submit(one);
    upsert.wait_for_arrival();
    cancel.raise();
    upsert.open();
    let (embedded, ..) = done(owner.outcome().result);
    assert_eq!(embedded.len(), 1);
    assert_eq!(owner.store.calls(), ["ensure", "upsert", "flush"]);
}

#[test]
fn batches_are_worked_on_at_the_same_time() {
    let gate = Arc::new(Gate::default());
    let mut owner = Owner::start(ScriptedProvider::sound().held_at(&gate));
    (0..8).for_each(|id| {
        owner.engine.submit(Batch {
            id,
            ..batch([format!("text {id}")])
        })
    });
    (0..8).for_each(|_| gate.wait_for_arrival());
    gate.open();
    (0..8).for_each(|_| drop(done(owner.outcome().result)));
    let made = owner.store.calls().iter().filter(|call| **call == "ensure").count();
    assert_eq!(made, 1, "the others waited for the one that made the collection");
}

#[test]
#[cfg(target_os = "linux")]
fn batches_run_at_a_lower_priority_than_the_process() {
    let seen = Arc::new(AtomicI32::new(-99));
    let report = seen.clone();
    let mut owner = Owner::start(ScriptedProvider::new(move |request| {
        report.store(rustix::process::getpriority_process(None).unwrap(), Ordering::SeqCst);
        Ok(embeddings(&request.texts))
    }));
    done(owner.run(batch(["one"])));
    let own = rustix::process::getpriority_process(None).unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), (own + 3).min(19));
}

#[test]
fn an_index_is_built_once_at_a_time() {
    let owner = Owner::start(ScriptedProvider::sound());
    let gate = owner.store.hold("optimize");
    owner.engine.optimize("a");
    gate.wait_for_arrival();
    owner.engine.optimize("a");
    owner.engine.optimize("b");
    gate.wait_for_arrival();
    assert_eq!(owner.store.calls(), ["optimize", "optimize"], "a once, b once");
}

#[test]
fn a_dropped_collection_is_gone_and_can_be_made_again() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    done(owner.run(batch(["one"])));
    let dropping = owner.store.hold("drop");
    owner.engine.drop_collection(COLLECTION);
    dropping.wait_for_arrival();
    dropping.open();
    let deadline = Instant::now() + PATIENCE;
    while !owner.store.points(COLLECTION).is_empty() {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    done(owner.run(batch(["two"])));
    assert_eq!(owner.store.points(COLLECTION).len(), 1);
}

#[test]
fn a_shutdown_keeps_its_deadline_whatever_is_stuck() {
    let stuck = Arc::new(Gate::default());
    let release = Arc::new(Mutex::new(()));
    let (blocked, hold) = (release.clone(), release.lock().unwrap());
    let provider = ScriptedProvider::new(move |_| {
        // Blocks its thread, as a faulty native library would.
        drop(blocked.lock());
        Err(ProviderError::Cancelled)
    });
    let mut owner = Owner::start(provider.held_at(&stuck));
    let waiting = batch(["waits at the gate"]);
    let cancel = waiting.cancel.clone();
    owner.engine.submit(waiting);
    stuck.wait_for_arrival();
    stuck.open();
    let Owner { engine, socket, .. } = owner;
    let start = Instant::now();
    engine.shutdown(Duration::from_millis(500));
    assert!(start.elapsed() < Duration::from_millis(1_500), "{:?}", start.elapsed());
    assert!(cancel.is_raised());
    assert!(!socket.exists(), "nobody comes to a service that is not there");
    drop(hold);
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
