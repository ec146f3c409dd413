//! Collections are made when the first batch needs them, indexed beside everything else, and dropped when told.

use std::time::Instant;

use vb_engine::batch::FailureClass;
use vb_engine::store::contract::StoreError;

use crate::batches::done;
use crate::doubles::gate::PATIENCE;
use crate::doubles::owner::{COLLECTION, Owner, batch};
use crate::doubles::provider::ScriptedProvider;

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
