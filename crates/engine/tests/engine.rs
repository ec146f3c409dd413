//! The engine with its real store and its real registry of providers.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets something unexpected fails"
)]

mod doubles;

use std::convert::Infallible;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use doubles::gate::PATIENCE;
use doubles::owner::{COLLECTION, batch, engine_config, place, target};
use doubles::provider::{DIMENSIONS, Only, ScriptedProvider, config};
use uuid::Uuid;
use vb_engine::batch::{Batch, BatchResult, FailureClass, Target};
use vb_engine::fields::{Fields, FieldsChange};
use vb_engine::pipeline::config::{EngineConfig, StartError};
use vb_engine::pipeline::engine::Engine;
use vb_engine::service::client::Client;
use vb_engine::service::protocol::{Answer, Request, SearchMode};
use vb_engine::store::embedded::{EmbeddedOptions, EmbeddedStore};
use vb_engine::store::place::StoreKind;
use vb_engine::store::qdrant::{CollectionOptions, QdrantOptions};
use vb_qdrant_double::server::QdrantDouble;
use vb_qdrant_double::settings::Settings;

fn embedded(folder: &Path) -> (UnixStream, EngineConfig) {
    engine_config(folder.join("socket"), |config| {
        config.stores.directory = folder.join("collections");
    })
}

fn run(engine: &mut Engine, wake: &mut UnixStream, batch: Batch) -> BatchResult {
    engine.submit(batch);
    assert!(wake.read(&mut [0; 1]).expect("no outcome came") > 0);
    engine
        .try_outcome()
        .expect("the wake byte comes after the outcome")
        .result
}

#[test]
fn an_engine_that_was_shut_down_starts_again_on_the_same_directory() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let (mut wake, config) = embedded(folder.path());
        let mut engine = Engine::start(config).unwrap();
        let gone = Uuid::from_u128(1);
        let result = run(
            &mut engine,
            &mut wake,
            Batch {
                deletes: vec![gone],
                ..batch::<&str>([])
            },
        );
        assert!(matches!(result, BatchResult::Done { deleted, .. } if deleted == [gone]));
        let start = Instant::now();
        engine.shutdown(PATIENCE);
        assert!(start.elapsed() < PATIENCE / 4, "nothing was to be waited for");
    }
}

#[test]
fn one_directory_belongs_to_one_engine() {
    let folder = tempfile::tempdir().unwrap();
    let (_wake, config) = embedded(folder.path());
    let engine = Engine::start(config).unwrap();
    let (_wake, mut config) = embedded(folder.path());
    config.socket = folder.path().join("another-socket");
    assert!(matches!(Engine::start(config), Err(StartError::Store(_))));
    engine.shutdown(PATIENCE);
}

#[test]
fn a_model_that_is_not_there_is_a_configuration_failure() {
    let folder = tempfile::tempdir().unwrap();
    let (mut wake, config) = embedded(folder.path());
    let mut engine = Engine::start(config).unwrap();
    match run(&mut engine, &mut wake, batch(["one"])) {
        BatchResult::Failed(failure) => assert_eq!(failure.class, FailureClass::Configuration, "{}", failure.message),
        other => panic!("should have failed: {other:?}"),
    }
    engine.shutdown(PATIENCE);
}

#[test]
fn what_a_batch_stored_is_found_by_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let (mut wake, config_) = embedded(folder.path());
    let store = EmbeddedStore::open(folder.path().join("collections"), EmbeddedOptions::default()).unwrap();
    let provider = Arc::new(ScriptedProvider::sound());
    let mut engine = Engine::start_with(config_, Arc::new(store), Arc::new(Only(provider))).unwrap();
    let texts: Vec<String> = (0..100).map(|number| format!("record number {number}")).collect();
    assert!(matches!(
        run(&mut engine, &mut wake, batch(&texts)),
        BatchResult::Done { .. }
    ));
    let half: Vec<Uuid> = match run(&mut engine, &mut wake, batch(&texts[..50])) {
        BatchResult::Done { embedded, .. } => embedded.iter().map(|record| record.chunks[0].point_id).collect(),
        other => panic!("should be done: {other:?}"),
    };

    let mut client = Client::connect(&folder.path().join("socket")).unwrap();
    let mut ask = |request: Request| client.call::<Infallible>(&request, &mut || Ok(())).unwrap();
    let collection = || COLLECTION.to_owned();
    assert_eq!(
        ask(Request::Count {
            place: place(&collection())
        }),
        Answer::Count(100),
        "a repetition doubles nothing"
    );
    let found = ask(Request::Search {
        payer: None,
        question: Uuid::new_v4(),
        provider: Some(config()),
        place: place(&collection()),
        dimensions: Some(DIMENSIONS),
        query: texts[7].clone(),
        limit: 3,
        mode: SearchMode::Dense,
        conditions: Vec::new(),
    });
    let Answer::Hits(hits) = found else {
        panic!("no hits: {found:?}")
    };
    assert_eq!((hits.len(), hits[0].record_id.as_str()), (3, "r7"));

    let deletes = Batch {
        deletes: half,
        ..batch::<&str>([])
    };
    assert!(matches!(run(&mut engine, &mut wake, deletes), BatchResult::Done { .. }));
    assert_eq!(
        ask(Request::Count {
            place: place(&collection())
        }),
        Answer::Count(50)
    );
    engine.shutdown(Duration::from_secs(5));
}

#[test]
fn a_file_of_certificates_that_was_put_right_counts_with_the_next_batch() {
    let server = QdrantDouble::start(Settings {
        tls: true,
        ..Settings::default()
    })
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    let (mut wake, mut config) = embedded(folder.path());
    config.stores.qdrant = Ok(QdrantOptions {
        url: server.url(),
        api_key: None,
        secret_directory: None,
        ca_file: Some(ca_file.clone()),
        request_timeout: PATIENCE,
        collections: CollectionOptions::default(),
    });
    let mut engine = Engine::start(config).unwrap();
    let to_server = || Batch {
        target: Arc::new(Target {
            store: StoreKind::Qdrant,
            ..(*target(None)).clone()
        }),
        // Needs no provider.
        changes: vec![FieldsChange {
            points: vec![Uuid::nil()],
            fields: Fields::default(),
        }],
        ..batch::<&str>([])
    };
    let BatchResult::Failed(failure) = run(&mut engine, &mut wake, to_server()) else {
        panic!("there are no certificates yet")
    };
    assert_eq!(failure.class, FailureClass::Configuration);
    assert!(failure.message.contains("ca.pem"), "{}", failure.message);
    // The store is asked for first: nothing is embedded that nobody would keep.
    let with_text = Batch {
        records: batch(["one"]).records,
        ..to_server()
    };
    let BatchResult::Failed(failure) = run(&mut engine, &mut wake, with_text) else {
        panic!("there are no certificates yet")
    };
    assert!(failure.message.contains("ca.pem"), "{}", failure.message);
    std::fs::write(&ca_file, server.ca_pem().unwrap()).unwrap();
    assert!(matches!(
        run(&mut engine, &mut wake, to_server()),
        BatchResult::Done { .. }
    ));
    assert!(server.collection(COLLECTION).is_some());
    engine.shutdown(Duration::from_secs(5));
}
