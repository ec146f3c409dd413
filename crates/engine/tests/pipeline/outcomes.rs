//! Every batch has exactly one outcome, whatever fails, and harms no other.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use vb_engine::batch::{Batch, FailureClass};
use vb_engine::provider::contract::ProviderError;
use vb_engine::store::error::StoreError;

use crate::batches::done;
use crate::doubles::owner::{Owner, batch};
use crate::doubles::provider::{ScriptedProvider, embeddings};

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
