//! What the search service promises to those who ask it.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets something unexpected fails"
)]

mod doubles;

use std::convert::Infallible;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use doubles::gate::{Gate, PATIENCE};
use doubles::owner::{COLLECTION, Owner, batch, start_on};
use doubles::provider::{DIMENSIONS, ScriptedProvider, config, embedding, embeddings};
use vb_engine::batch::{BatchResult, FailureClass};
use vb_engine::pipeline::config::StartError;
use vb_engine::provider::contract::{ProviderError, Purpose};
use vb_engine::service::client::{CallError, Client};
use vb_engine::service::protocol::{Answer, MAX_FRAME, Request, SearchMode, ServiceError};
use vb_engine::store::contract::StoreError;

fn search(query: &str) -> Request {
    Request::Search {
        provider: config(),
        collection: COLLECTION.into(),
        dimensions: Some(DIMENSIONS),
        query: query.into(),
        limit: 2,
        mode: SearchMode::Dense,
    }
}

fn embed(text: &str, purpose: Purpose) -> Request {
    Request::Embed {
        provider: config(),
        texts: vec![text.into()],
        purpose,
    }
}

/// Waits however long it takes.
fn call(client: &mut Client, request: &Request) -> Result<Answer, ServiceError> {
    match client.call::<Infallible>(request, &mut || Ok(())) {
        Ok(answer) => Ok(answer),
        Err(CallError::Service(error)) => Err(error),
        Err(other) => panic!("no answer: {other:?}"),
    }
}

fn ask(owner: &Owner, request: &Request) -> Result<Answer, ServiceError> {
    call(&mut owner.client(), request)
}

fn fault(owner: &Owner, request: &Request) -> ServiceError {
    ask(owner, request).expect_err("should have been refused")
}

#[test]
fn every_question_is_answered_on_one_connection() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    let texts = ["fix the login page", "brew more coffee", "login fails"];
    assert!(matches!(owner.run(batch(texts)), BatchResult::Done { .. }));
    let mut client = owner.client();

    assert_eq!(call(&mut client, &Request::Ping), Ok(Answer::Pong));

    let Ok(Answer::Hits(hits)) = call(&mut client, &search("brew more coffee")) else {
        panic!()
    };
    assert_eq!(hits.len(), 2);
    assert_eq!((hits[0].record_id.as_str(), hits[0].chunk_no), ("r1", 0));
    assert_eq!(hits[0].text_content, "brew more coffee");
    assert!((hits[0].score - 1.0).abs() < 1e-6 && hits[0].score >= hits[1].score);

    let vectors = call(&mut client, &embed("anything", Purpose::Query));
    assert_eq!(vectors, Ok(Answer::Embeddings(vec![embedding("anything").vector])));

    let count = Request::Count {
        collection: COLLECTION.into(),
    };
    assert_eq!(call(&mut client, &count), Ok(Answer::Count(3)));

    let page = |after| Request::Scroll {
        collection: COLLECTION.into(),
        after,
        limit: 2,
    };
    let Ok(Answer::Ids(first)) = call(&mut client, &page(None)) else {
        panic!()
    };
    let Ok(Answer::Ids(second)) = call(&mut client, &page(first.last().copied())) else {
        panic!()
    };
    let all: Vec<_> = first.into_iter().chain(second).collect();
    assert_eq!(all, owner.store.points(COLLECTION).into_keys().collect::<Vec<_>>());

    let Ok(Answer::Check(report)) = call(&mut client, &Request::Check { provider: config() }) else {
        panic!()
    };
    assert!(report.ok && report.latency_ms >= 0.0);
    assert_eq!(report.dimensions, Some(DIMENSIONS));
    assert!(report.detail.contains("test-model"));
}

#[test]
fn a_collection_that_does_not_exist_is_empty() {
    let owner = Owner::start(ScriptedProvider::sound());
    assert_eq!(ask(&owner, &search("anything")), Ok(Answer::Hits(vec![])));
    assert_eq!(
        ask(
            &owner,
            &Request::Count {
                collection: "none".into()
            }
        ),
        Ok(Answer::Count(0))
    );
    let page = Request::Scroll {
        collection: "none".into(),
        after: None,
        limit: 10,
    };
    assert_eq!(ask(&owner, &page), Ok(Answer::Ids(vec![])));
}

#[test]
fn a_search_with_another_model_than_the_collections_is_refused() {
    let owner = Owner::start(ScriptedProvider::sound());
    let Request::Search {
        provider,
        collection,
        query,
        limit,
        mode,
        ..
    } = search("anything")
    else {
        panic!()
    };
    let wide = Request::Search {
        provider,
        collection,
        dimensions: Some(768),
        query,
        limit,
        mode,
    };
    let error = fault(&owner, &wide);
    assert_eq!(error.class, FailureClass::Configuration);
    assert!(
        error.message.contains("768") && error.message.contains(COLLECTION),
        "{error}"
    );
    assert!(owner.provider.requests().is_empty());
}

#[test]
fn a_check_says_what_is_wrong() {
    let owner = Owner::start(ScriptedProvider::new(|_| {
        Err(ProviderError::Configuration("the key is rejected".into()))
    }));
    let Ok(Answer::Check(report)) = ask(&owner, &Request::Check { provider: config() }) else {
        panic!()
    };
    assert!(!report.ok);
    assert_eq!(report.detail, "the key is rejected");

    let owner = Owner::start(ScriptedProvider::sound());
    let mut expecting = config();
    expecting.dimensions = Some(768);
    let Ok(Answer::Check(report)) = ask(&owner, &Request::Check { provider: expecting }) else {
        panic!()
    };
    assert!(!report.ok && report.detail.contains("768"), "{}", report.detail);
}

#[test]
fn errors_keep_their_class() {
    let owner = Owner::start(ScriptedProvider::refusing("poison"));
    owner.store.fail(|_| Err(StoreError::Transient("store is busy".into())));
    let error = fault(&owner, &embed("poison", Purpose::Query));
    assert_eq!(
        (error.class, error.message.as_str()),
        (FailureClass::Record, "cannot stand \"poison\"")
    );
    let error = fault(&owner, &search("anything"));
    assert_eq!(
        (error.class, error.message.as_str()),
        (FailureClass::Transient, "store is busy")
    );
}

#[test]
fn requests_beyond_reason_are_refused_with_the_limit() {
    let owner = Owner::start(ScriptedProvider::sound());
    let page = Request::Scroll {
        collection: COLLECTION.into(),
        after: None,
        limit: usize::MAX,
    };
    assert_eq!(fault(&owner, &page).class, FailureClass::Record);
    assert_eq!(fault(&owner, &embed("", Purpose::Query)).class, FailureClass::Record);
    // Refused before it is sent: the connection stays in use.
    let mut client = owner.client();
    let error = call(&mut client, &embed(&"x".repeat(MAX_FRAME), Purpose::Query)).expect_err("too long");
    assert_eq!(error.class, FailureClass::Record);
    assert_eq!(call(&mut client, &Request::Ping), Ok(Answer::Pong));
}

#[test]
fn a_panic_costs_one_request() {
    let owner = Owner::start(ScriptedProvider::new(|request| {
        assert!(&*request.texts[0] != "trap", "stepped into it");
        Ok(embeddings(&request.texts))
    }));
    let mut client = owner.client();
    let error = call(&mut client, &embed("trap", Purpose::Query)).expect_err("panicked");
    assert_eq!(error.class, FailureClass::Transient);
    assert!(error.message.contains("stepped into it"), "{error}");
    assert!(call(&mut client, &embed("fine", Purpose::Query)).is_ok());
}

/// Sends raw bytes and gives what comes back until the service closes the connection.
fn send_raw(owner: &Owner, bytes: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(&owner.socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

fn framed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_be_bytes(), body].concat()
}

#[test]
fn garbage_and_overlong_frames_disturb_no_other_connection() {
    let owner = Owner::start(ScriptedProvider::sound());
    let mut steady = owner.client();
    let overlong = send_raw(&owner, &((MAX_FRAME + 1) as u32).to_be_bytes());
    assert!(String::from_utf8_lossy(&overlong).contains("longer than"));
    // "GET " as a length is more than a frame holds, too.
    assert!(!send_raw(&owner, b"GET / HTTP/1.1\r\n\r\n").is_empty());
    assert!(send_raw(&owner, &[0, 0]).is_empty(), "a header cut off");
    assert!(
        send_raw(&owner, &framed(b"{\"request\":\"ping\"}")[..10]).is_empty(),
        "a body cut off"
    );
    assert!(send_raw(&owner, &[0xff; 5_000]).len() > 4);
    assert_eq!(call(&mut steady, &Request::Ping), Ok(Answer::Pong));
}

#[test]
fn a_frame_that_is_no_request_is_answered_and_the_connection_goes_on() {
    let owner = Owner::start(ScriptedProvider::sound());
    let mut stream = UnixStream::connect(&owner.socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    for body in [
        &b"not json"[..],
        b"{}",
        b"{\"request\":\"unknown\"}",
        b"\xff\xfe",
        b"",
        b"{\"request\":\"ping\"}",
    ] {
        stream.write_all(&framed(body)).unwrap();
        let mut header = [0; 4];
        stream.read_exact(&mut header).unwrap();
        let mut answer = vec![0; u32::from_be_bytes(header) as usize];
        stream.read_exact(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert_eq!(
            answer.contains("not a request"),
            !body.ends_with(b"\"ping\"}"),
            "{answer}"
        );
    }
}

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
fn only_the_user_of_the_process_can_reach_the_socket() {
    let owner = Owner::start(ScriptedProvider::sound());
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&owner.socket), 0o600);
    assert_eq!(mode(owner.socket.parent().unwrap()), 0o700);
}

#[test]
fn the_socket_that_a_crash_left_behind_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists(), "a listener leaves its file");
    let _engine = start_on(socket.clone()).unwrap();
    let answer = call(&mut Client::connect(&socket).unwrap(), &Request::Ping);
    assert_eq!(answer, Ok(Answer::Pong));
}

#[test]
fn a_socket_in_use_and_a_file_that_is_no_socket_are_left_alone() {
    let owner = Owner::start(ScriptedProvider::sound());
    assert!(matches!(
        start_on(owner.socket.clone()),
        Err(StartError::SocketInUse { .. })
    ));
    assert_eq!(ask(&owner, &Request::Ping), Ok(Answer::Pong));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("precious");
    fs::write(&file, "data").unwrap();
    let error = start_on(file.clone()).unwrap_err();
    assert!(matches!(error, StartError::SocketInUse { .. }) && error.hint().is_some());
    assert_eq!(fs::read_to_string(file).unwrap(), "data");
}

#[test]
fn a_path_that_does_not_fit_is_refused_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let error = start_on(folder.path().join("x".repeat(100))).unwrap_err();
    assert!(
        matches!(error, StartError::SocketPathTooLong { limit: 100, .. }),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("relative"));
}

#[test]
fn a_relative_path_is_taken_from_the_working_directory() {
    let folder = tempfile::tempdir_in(".").unwrap();
    let relative = PathBuf::from(folder.path().file_name().unwrap()).join("socket");
    let engine = start_on(relative.clone()).unwrap();
    assert_eq!(
        call(&mut Client::connect(&relative).unwrap(), &Request::Ping),
        Ok(Answer::Pong)
    );
    engine.shutdown(PATIENCE);
    assert!(!relative.exists());
}

#[test]
fn a_service_that_went_away_is_an_error_and_not_an_endless_wait() {
    let owner = Owner::start(ScriptedProvider::sound());
    let mut client = owner.client();
    assert_eq!(call(&mut client, &Request::Ping), Ok(Answer::Pong));
    let Owner { engine, socket, .. } = owner;
    engine.shutdown(PATIENCE);
    assert!(matches!(
        client.call::<Infallible>(&Request::Ping, &mut || Ok(())),
        Err(CallError::Io(_))
    ));
    assert!(Client::connect(&socket).is_err());
}
