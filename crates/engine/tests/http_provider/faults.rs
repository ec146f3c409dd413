//! Every refusal has its class, its words and nothing that could be a key.

use std::time::Duration;

use vb_engine::batch::FailureClass;
use vb_engine::provider::contract::ProviderError;
use vb_provider_double::behaviour::Behaviour;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;

use crate::support::{Owner, config};

#[test]
fn each_refusal_has_its_class_and_the_words_of_the_service() {
    use FailureClass::{Configuration, Record, Throttled, Transient};
    let table = [
        (
            Behaviour::error(400, "invalid_request_error", "bad text"),
            Record,
            "bad text",
        ),
        (Behaviour::error(413, "too_large", "too large"), Record, "too large"),
        (Behaviour::error(422, "validation", "not valid"), Record, "not valid"),
        (
            Behaviour::error(400, "context_length_exceeded", "maximum context length"),
            Record,
            "maximum context length",
        ),
        (
            Behaviour::error(402, "payment", "pay first"),
            Configuration,
            "pay first",
        ),
        (
            Behaviour::error(404, "model_not_found", "no such model"),
            Configuration,
            "no such model",
        ),
        (
            Behaviour::error(401, "invalid_api_key", "sk-abc***"),
            Configuration,
            "api_key_ref",
        ),
        (
            Behaviour::error(403, "forbidden", "not you"),
            Configuration,
            "api_key_ref",
        ),
        (
            Behaviour::error(429, "insufficient_quota", "no money"),
            Configuration,
            "no quota left",
        ),
        (
            Behaviour::error(429, "rate_limit_exceeded", "slower"),
            Throttled,
            "slower",
        ),
        (Behaviour::error(529, "overloaded", "later"), Throttled, "later"),
        (
            Behaviour::error(503, "unavailable", "later").with("retry-after", "7"),
            Throttled,
            "later",
        ),
        (Behaviour::error(503, "unavailable", "later"), Transient, "later"),
        (Behaviour::error(500, "server_error", "oops"), Transient, "oops"),
        (Behaviour::error(502, "bad_gateway", "oops"), Transient, "oops"),
        (Behaviour::error(408, "timeout", "too slow"), Transient, "too slow"),
        (
            Behaviour::Redirect("http://127.0.0.1:1/".into()),
            Configuration,
            "redirect",
        ),
    ];
    for (behaviour, class, words) in table {
        let answers = behaviour.clone();
        let server = ProviderDouble::start_with(Settings::default(), Box::new(move |_| answers.clone()));
        let error = Owner::new().failure(&config(&server), &["a"]);
        assert_eq!(error.class(), Some(class), "{behaviour:?}: {error}");
        let message = error.to_string();
        assert!(
            message.contains(words) && !message.contains("sk-abc"),
            "{behaviour:?}: {message}"
        );
        assert_eq!(server.count(), 1, "nothing is repeated or followed in here");
    }
}

#[test]
fn each_form_of_retry_after_is_passed_on_and_obeyed_by_all_calls() {
    let date = || {
        let moment = std::time::SystemTime::now() + Duration::from_secs(60);
        httpdate::fmt_http_date(moment)
    };
    let table = [
        ("retry-after-ms", "60000".to_owned()),
        ("retry-after", "60".to_owned()),
        ("retry-after", date()),
    ];
    for (name, value) in table {
        let refusal = Behaviour::error(429, "rate_limit_exceeded", "slower").with(name, value);
        let server = ProviderDouble::start_with(Settings::default(), Box::new(move |_| refusal.clone()));
        let owner = Owner::new();
        for _ in 0..3 {
            let error = owner.failure(&config(&server), &["a"]);
            let ProviderError::Throttled { retry_after, .. } = &error else {
                panic!("{error:?}")
            };
            let seconds = retry_after.expect("it was said").as_secs_f64();
            assert!((55.0..=60.0).contains(&seconds), "{name}: {seconds}");
        }
        assert_eq!(server.count(), 1, "who is told to wait is not called before that");
    }
}
