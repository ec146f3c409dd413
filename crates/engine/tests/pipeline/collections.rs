//! Collections are made when the first batch needs them, indexed beside everything else, and dropped when told.

use std::time::Instant;

use vb_engine::batch::FailureClass;
use vb_engine::pipeline::collections::MadeCollection;
use vb_engine::store::error::StoreError;
use vb_engine::store::place::{Place, StoreKind};
use vb_engine::store::share::Share;

use crate::batches::done;
use crate::doubles::gate::PATIENCE;
use crate::doubles::owner::{COLLECTION, Owner, batch, place};
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
    let made = |again| MadeCollection {
        store: StoreKind::Embedded,
        name: COLLECTION.to_owned(),
        again,
    };
    assert_eq!(owner.engine.take_made(), [made(false), made(true)]);
    assert!(owner.engine.take_made().is_empty());
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
    owner.engine.optimize(StoreKind::Embedded, "a");
    gate.wait_for_arrival();
    owner.engine.optimize(StoreKind::Embedded, "a");
    owner.engine.optimize(StoreKind::Embedded, "b");
    gate.wait_for_arrival();
    assert_eq!(owner.store.calls(), ["optimize", "optimize"], "a once, b once");
}

#[test]
fn a_dropped_collection_is_gone_and_can_be_made_again() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    done(owner.run(batch(["one"])));
    let dropping = owner.store.hold("drop");
    owner.engine.remove(1, place(COLLECTION));
    dropping.wait_for_arrival();
    assert!(owner.engine.take_removed().is_empty());
    dropping.open();
    let removed = removed(&owner);
    assert!(matches!(removed[..], [(1, Ok(()))]), "{removed:?}");
    assert!(owner.store.points(COLLECTION).is_empty());
    done(owner.run(batch(["two"])));
    assert_eq!(owner.store.points(COLLECTION).len(), 1);
}

#[test]
fn a_removal_that_fails_is_reported_and_one_of_a_share_leaves_the_rest() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    done(owner.run(batch(["one"])));
    owner.store.fail(|call| match call {
        "drop" => Err(StoreError::Unavailable("away".into())),
        _ => Ok(()),
    });
    owner.engine.remove(7, place(COLLECTION));
    let failed = removed(&owner);
    assert!(
        matches!(&failed[..], [(7, Err(StoreError::Unavailable(_)))]),
        "{failed:?}"
    );

    let share_of = |client| Place {
        store: StoreKind::Embedded,
        share: Share {
            collection: COLLECTION.to_owned(),
            client_id: Some(client),
        },
    };
    owner.engine.remove(8, share_of(8));
    assert!(matches!(removed(&owner)[..], [(8, Ok(()))]));
    assert_eq!(owner.store.points(COLLECTION).len(), 1);
    owner.engine.remove(9, share_of(7));
    assert!(matches!(removed(&owner)[..], [(9, Ok(()))]));
    assert!(owner.store.points(COLLECTION).is_empty());
}

fn removed(owner: &Owner) -> Vec<(i64, Result<(), StoreError>)> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let removed = owner.engine.take_removed();
        if !removed.is_empty() {
            return removed;
        }
        assert!(Instant::now() < deadline, "nothing was removed");
        std::thread::yield_now();
    }
}

#[test]
fn a_name_is_given_again_when_the_store_answers_again_and_only_to_the_latest() {
    let owner = Owner::start(ScriptedProvider::sound());
    let gate = owner.store.hold("alias");
    let mut refusals = 2;
    owner.store.fail(move |call| match call {
        "alias" if refusals > 0 => {
            refusals -= 1;
            Err(StoreError::Unavailable("away".into()))
        }
        _ => Ok(()),
    });
    owner.engine.set_alias(StoreKind::Embedded, "current", "former");
    gate.wait_for_arrival();
    owner.engine.set_alias(StoreKind::Embedded, "current", "latest");
    gate.open();
    // Sent away twice, and let in.
    gate.wait_for_arrival();
    gate.wait_for_arrival();
    let start = Instant::now();
    while owner.store.alias("current").as_deref() != Some("latest") {
        assert!(start.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    assert_eq!(owner.store.calls(), ["alias", "alias", "alias"]);
}
