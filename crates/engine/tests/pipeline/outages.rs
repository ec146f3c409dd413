//! A store that does not answer: what was embedded and paid for waits for it, and everybody can see why.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use vb_engine::batch::BatchResult;
use vb_engine::store::error::StoreError;
use vb_engine::store::place::StoreKind;

use crate::batches::done;
use crate::doubles::gate::PATIENCE;
use crate::doubles::owner::{COLLECTION, Owner, batch};
use crate::doubles::provider::ScriptedProvider;

fn away() -> StoreError {
    StoreError::Unavailable("nobody is there".into())
}

fn until_out(owner: &Owner) {
    let deadline = Instant::now() + PATIENCE;
    while owner.engine.outage(StoreKind::Embedded).is_none() {
        assert!(Instant::now() < deadline, "no outage was noticed");
        std::thread::yield_now();
    }
}

#[test]
fn a_batch_waits_for_its_store_and_is_embedded_once() {
    for call_that_fails in ["ensure", "upsert", "flush"] {
        let mut owner = Owner::start(ScriptedProvider::sound());
        let failures = AtomicUsize::new(0);
        owner.store.fail(move |call| {
            if call == call_that_fails && failures.fetch_add(1, Ordering::Relaxed) < 3 {
                return Err(away());
            }
            Ok(())
        });
        assert!(owner.engine.outage(StoreKind::Embedded).is_none());
        done(owner.run(batch(["one", "two"])));
        assert_eq!(owner.store.points(COLLECTION).len(), 2);
        assert_eq!(owner.provider.requests().len(), 1, "{call_that_fails}");
        assert!(owner.engine.outage(StoreKind::Embedded).is_none());
    }
}

#[test]
fn an_outage_can_be_seen_while_it_lasts() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    let is_away = Arc::new(AtomicUsize::new(1));
    let switch = is_away.clone();
    owner.store.fail(move |_| {
        if switch.load(Ordering::Relaxed) == 1 {
            Err(away())
        } else {
            Ok(())
        }
    });
    owner.engine.submit(batch(["one"]));
    until_out(&owner);
    let outage = owner.engine.outage(StoreKind::Embedded).unwrap();
    assert_eq!(outage.message, "nobody is there");
    assert!(owner.engine.outage(StoreKind::Qdrant).is_none());
    is_away.store(0, Ordering::Relaxed);
    done(owner.outcome().result);
    assert!(owner.engine.outage(StoreKind::Embedded).is_none());
}

#[test]
fn a_batch_that_waits_can_be_cancelled() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    owner.store.fail(|_| Err(away()));
    let waiting = batch(["one"]);
    let cancel = waiting.cancel.clone();
    owner.engine.submit(waiting);
    until_out(&owner);
    cancel.raise();
    assert!(matches!(owner.outcome().result, BatchResult::Cancelled));
}

#[test]
fn a_store_that_sends_us_away_is_asked_again_when_it_wants() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    let calls = AtomicUsize::new(0);
    owner.store.fail(move |call| {
        if call == "upsert" && calls.fetch_add(1, Ordering::Relaxed) == 0 {
            return Err(StoreError::Throttled {
                message: "too fast".into(),
                retry_after: Duration::from_millis(300),
            });
        }
        Ok(())
    });
    let start = Instant::now();
    done(owner.run(batch(["one"])));
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[test]
fn other_errors_do_not_wait() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    owner.store.fail(|call| match call {
        "upsert" => Err(StoreError::Full("no room".into())),
        _ => Ok(()),
    });
    assert_eq!(owner.failure(batch(["one"])).message, "no room");
    assert!(owner.engine.outage(StoreKind::Embedded).is_none());
}
