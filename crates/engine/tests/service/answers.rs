//! Every question is answered or refused, with the reason and its class; neither costs anybody else anything.

use vb_engine::batch::{BatchResult, FailureClass};
use vb_engine::point::PointKey;
use vb_engine::provider::contract::{ProviderError, Purpose};
use vb_engine::service::protocol::{Answer, MAX_FRAME, Request};
use vb_engine::store::error::StoreError;

use crate::doubles::owner::{COLLECTION, Owner, batch, place};
use crate::doubles::provider::{DIMENSIONS, ScriptedProvider, config, embedding, embeddings};
use crate::questions::{ask, call, embed, fault, search};

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
        place: place(COLLECTION),
    };
    assert_eq!(call(&mut client, &count), Ok(Answer::Count(3)));

    let page = |after| Request::Points {
        place: place(COLLECTION),
        after,
        limit: 2,
    };
    let Ok(Answer::Points(first)) = call(&mut client, &page(None)) else {
        panic!()
    };
    let Ok(Answer::Points(second)) = call(&mut client, &page(first.last().map(|point| point.key))) else {
        panic!()
    };
    let all: Vec<_> = first.into_iter().chain(second).map(|point| point.key).collect();
    assert_eq!(
        all,
        owner
            .store
            .points(COLLECTION)
            .into_keys()
            .map(PointKey::Id)
            .collect::<Vec<_>>()
    );

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
        ask(&owner, &Request::Count { place: place("none") }),
        Ok(Answer::Count(0))
    );
    let page = Request::Points {
        place: place("none"),
        after: None,
        limit: 10,
    };
    assert_eq!(ask(&owner, &page), Ok(Answer::Points(vec![])));
}

#[test]
fn a_search_with_another_model_than_the_collections_is_refused() {
    let owner = Owner::start(ScriptedProvider::sound());
    let mut wide = search("anything");
    if let Request::Search { dimensions, .. } = &mut wide {
        *dimensions = Some(768);
    }
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
    let page = Request::Points {
        place: place(COLLECTION),
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
