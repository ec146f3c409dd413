//! Nobody waits for other callers or for batches, nor longer than he wants to.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use vb_engine::batch::FailureClass;
use vb_engine::provider::contract::{ProviderError, Purpose};
use vb_engine::service::client::CallError;
use vb_engine::service::protocol::{Answer, Request};

use crate::doubles::gate::{Gate, PATIENCE};
use crate::doubles::owner::{Owner, batch};
use crate::doubles::provider::{ScriptedProvider, embedding, embeddings};
use crate::questions::{ask, embed, fault, search};

#[test]
fn more_clients_than_connections_are_all_answered() {
    let owner = Owner::start(ScriptedProvider::sound());
    std::thread::scope(|scope| {
        for number in 0..200 {
            let owner = &owner;
            scope.spawn(move || {
                let text = format!("client {number}");
                let vectors = ask(owner, &embed(&text, Purpose::Query));
                assert_eq!(
                    vectors,
                    Ok(Answer::Embeddings(vec![embedding(&text).vector])),
                    "his own, not another's"
                );
            });
        }
    });
}

#[test]
fn queries_are_answered_while_batches_are_stuck() {
    let gate = Arc::new(Gate::default());
    let mut owner = Owner::start(ScriptedProvider::sound().held_at(&gate));
    (0..50).for_each(|_| owner.engine.submit(batch(["stuck"])));
    (0..50).for_each(|_| gate.wait_for_arrival());
    assert!(ask(&owner, &embed("a query", Purpose::Query)).is_ok());
    assert_eq!(ask(&owner, &search("a query")), Ok(Answer::Hits(vec![])));
    gate.open();
    (0..50).for_each(|_| drop(owner.outcome()));
}

#[test]
#[cfg(target_os = "linux")]
fn queries_run_at_the_priority_of_the_process() {
    let seen = Arc::new(AtomicI32::new(-99));
    let report = seen.clone();
    let owner = Owner::start(ScriptedProvider::new(move |request| {
        report.store(rustix::process::getpriority_process(None).unwrap(), Ordering::SeqCst);
        Ok(embeddings(&request.texts))
    }));
    ask(&owner, &embed("a query", Purpose::Query)).unwrap();
    assert_eq!(
        seen.load(Ordering::SeqCst),
        rustix::process::getpriority_process(None).unwrap()
    );
}

#[test]
fn an_interrupted_call_ends_at_once_and_nobody_computes_for_it() {
    let gate = Arc::new(Gate::default());
    let owner = Owner::start(ScriptedProvider::sound().held_at(&gate));
    let mut client = owner.client();
    let interrupted = client.call(&embed("slow", Purpose::Passage), &mut || {
        gate.wait_for_arrival();
        Err("statement timeout")
    });
    assert!(matches!(interrupted, Err(CallError::Interrupted("statement timeout"))));
    let again = client.call::<Infallible>(&Request::Ping, &mut || Ok(()));
    assert!(
        matches!(again, Err(CallError::Io(_))),
        "the next answer would belong to the call before"
    );
    drop(client);
    let deadline = Instant::now() + PATIENCE;
    while !owner.provider.latest_is_cancelled() {
        assert!(Instant::now() < deadline, "the provider was never told");
        std::thread::yield_now();
    }
}

#[test]
fn a_request_that_takes_too_long_is_answered_and_cancelled() {
    let gate = Arc::new(Gate::default());
    let owner = Owner::start_with(ScriptedProvider::sound().held_at(&gate), |config| {
        config.request_timeout = Duration::from_millis(50);
    });
    let error = fault(&owner, &embed("slow", Purpose::Passage));
    assert_eq!(error.class, FailureClass::Transient);
    assert!(error.message.contains("no answer within 0.05 s"), "{error}");
    assert!(owner.provider.latest_is_cancelled());
}

#[test]
fn an_engine_that_ends_leaves_its_callers_without_an_answer() {
    let gate = Arc::new(Gate::default());
    let provider = ScriptedProvider::new(|_| Err(ProviderError::Cancelled)).held_at(&gate);
    let owner = Owner::start(provider);
    let mut client = owner.client();
    let caller =
        std::thread::spawn(move || client.call::<Infallible>(&embed("slow", Purpose::Passage), &mut || Ok(())));
    gate.wait_for_arrival();
    owner.engine.shutdown(PATIENCE);
    let outcome = caller.join().unwrap();
    assert!(
        matches!(outcome, Err(CallError::Io(_))),
        "the caller has to see that its question was not refused, and may be asked again: {outcome:?}"
    );
}
