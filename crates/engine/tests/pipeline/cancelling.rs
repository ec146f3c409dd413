//! A cancelled batch does nothing more, except that what it has begun to store is completed.

use std::sync::Arc;

use vb_engine::batch::{BatchResult, FailureClass};
use vb_engine::provider::contract::ProviderError;

use crate::batches::{done, texts};
use crate::doubles::gate::Gate;
use crate::doubles::owner::{Owner, batch};
use crate::doubles::provider::ScriptedProvider;

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
