//! Batches run beside each other, at a lower priority than the process, and end when the engine does.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use vb_engine::batch::Batch;
use vb_engine::provider::contract::ProviderError;

use crate::batches::done;
use crate::doubles::gate::Gate;
use crate::doubles::owner::{Owner, batch};
use crate::doubles::provider::{ScriptedProvider, embeddings};

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
