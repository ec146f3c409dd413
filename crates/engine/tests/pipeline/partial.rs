//! What a batch got is kept when a part of it fails; nobody is blamed for what is the provider's fault.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use vb_engine::batch::{Batch, FailureClass};
use vb_engine::provider::contract::{PLAIN_TEXT, ProviderError};

use crate::batches::{done, partly, texts};
use crate::doubles::owner::{COLLECTION, Owner, batch};
use crate::doubles::provider::{ScriptedProvider, embeddings};

/// Fails as told for requests with a text that contains the word.
fn failing(word: &'static str, error: fn() -> ProviderError) -> ScriptedProvider {
    ScriptedProvider::new(
        move |request| match request.texts.iter().any(|text| text.contains(word)) {
            true => Err(error()),
            false => Ok(embeddings(&request.texts)),
        },
    )
}

fn broken() -> ProviderError {
    ProviderError::Transient("oops".into())
}

fn last(texts: Vec<String>) -> Batch {
    Batch {
        last_attempt: true,
        ..batch(texts)
    }
}

#[test]
fn requests_that_were_answered_are_kept_and_the_others_left_with_the_reason() {
    for parallel in [1, 8] {
        let mut owner = Owner::start(failing("number 20", broken).in_parallel(parallel));
        let (embedded, failed, left) = partly(owner.run(batch(texts(40))));
        assert_eq!((embedded.len(), failed.len()), (24, 0));
        let expected: Vec<String> = (16..32).map(|number| format!("r{number}")).collect();
        assert_eq!(left.record_ids, expected, "those of the request that failed");
        assert_eq!(
            (left.failure.class, left.failure.message.as_str()),
            (FailureClass::Transient, "oops")
        );
        assert_eq!(owner.store.points(COLLECTION).len(), 24);
        assert_eq!(owner.provider.requests().len(), 3, "nothing is repeated in here");
    }
}

#[test]
fn a_provider_that_wants_to_be_left_alone_is_not_asked_again_by_the_same_batch() {
    let mut owner = Owner::start(failing("number 20", || ProviderError::Throttled {
        message: "later".into(),
        retry_after: Some(Duration::from_secs(9)),
    }));
    let (embedded, _, left) = partly(owner.run(batch(texts(64))));
    assert_eq!((embedded.len(), left.record_ids.len()), (16, 48));
    assert_eq!(left.failure.retry_after, Some(Duration::from_secs(9)));
    assert_eq!(owner.provider.requests().len(), 2);
}

#[test]
fn tokens_of_answers_that_were_no_good_are_counted() {
    let mut owner = Owner::start(failing("number 20", || ProviderError::Unusable {
        class: FailureClass::Transient,
        message: "nonsense".into(),
        tokens: 1_000,
    }));
    owner.engine.submit(batch(texts(40)));
    let outcome = owner.outcome();
    assert_eq!(outcome.spent.tokens, 1_000 + 24 * 3);
}

#[test]
fn on_the_last_attempt_what_keeps_failing_is_found_and_costs_only_itself() {
    let mut owner = Owner::start(failing("number 20", broken));
    let (embedded, failed, _) = done(owner.run(last(texts(40))));
    assert_eq!(embedded.len(), 39);
    assert_eq!(
        (failed[0].record_id.as_str(), failed[0].class),
        ("r20", FailureClass::Transient)
    );
    // Three requests, one of 16 halved four times, and one plain text at most.
    assert!(owner.provider.requests().len() <= 3 + 2 * 4 + 1);
}

#[test]
fn on_the_last_attempt_an_outage_is_no_records_fault() {
    let mut owner = Owner::start(failing("", broken));
    let failure = owner.failure(last(texts(40)));
    assert_eq!(
        failure.class,
        FailureClass::Throttled,
        "it costs no attempt: {}",
        failure.message
    );
}

#[test]
fn a_provider_that_begins_to_refuse_everything_blames_no_record() {
    let asked = AtomicUsize::new(0);
    let mut owner = Owner::start(ScriptedProvider::new(move |request| {
        match asked.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(embeddings(&request.texts)),
            _ => Err(ProviderError::Record("no".into())),
        }
    }));
    let (embedded, failed, left) = partly(owner.run(batch(texts(40))));
    assert_eq!((embedded.len(), failed.len(), left.record_ids.len()), (16, 0, 24));
    assert_eq!(left.failure.class, FailureClass::Configuration);
}

#[test]
fn each_poison_record_costs_a_logarithm_of_requests_and_at_most_one_plain_text() {
    let mut many = texts(16);
    for position in [0, 7, 15] {
        many[position] = format!("poison {position}");
    }
    let mut owner = Owner::start(ScriptedProvider::refusing("poison"));
    let (embedded, failed, _) = done(owner.run(batch(many)));
    assert_eq!((embedded.len(), failed.len()), (13, 3));
    let requests = owner.provider.requests();
    let plain = requests.iter().filter(|texts| texts == &&[PLAIN_TEXT]).count();
    assert!(plain <= 3 && requests.len() - plain <= 1 + 3 * 2 * 4, "{requests:?}");
    let ids: BTreeSet<&str> = failed.iter().map(|record| record.record_id.as_str()).collect();
    assert_eq!(ids, BTreeSet::from(["r0", "r7", "r15"]));
}
