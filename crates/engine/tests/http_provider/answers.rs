//! No wrong answer is believed, and every right one is, however it is written.

use vb_engine::batch::FailureClass;
use vb_provider_double::behaviour::Behaviour;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;

use crate::support::{Owner, assert_right, config};

const TEXTS: [&str; 3] = ["one", "two", "three"];

#[test]
fn embeddings_belong_to_their_texts_in_whatever_order_and_form_they_come() {
    for behaviour in [Behaviour::Well, Behaviour::Shuffled, Behaviour::Decimals] {
        let answers = behaviour.clone();
        let server = ProviderDouble::start_with(Settings::default(), Box::new(move |_| answers.clone()));
        let found = Owner::new().embed(&config(&server), &TEXTS);
        assert_right(&found.unwrap_or_else(|error| panic!("{behaviour:?}: {error}")), &TEXTS);
    }
}

#[test]
fn each_sort_of_wrong_answer_has_its_class_and_says_what_is_wrong() {
    let table = [
        (Behaviour::Html, FailureClass::Transient, "no list of embeddings"),
        (
            Behaviour::TooFew,
            FailureClass::Transient,
            "one embedding for each of 3 texts",
        ),
        (
            Behaviour::TooMany,
            FailureClass::Transient,
            "one embedding for each of 3 texts",
        ),
        (
            Behaviour::DoubleIndex,
            FailureClass::Transient,
            "one embedding for each of 3 texts",
        ),
        (Behaviour::WrongDimensions, FailureClass::Configuration, "32 dimensions"),
        (Behaviour::NotFinite, FailureClass::Record, "finite numbers"),
        (Behaviour::Truncated, FailureClass::Transient, "broke the connection"),
        (
            Behaviour::Gigabyte { announced: true },
            FailureClass::Transient,
            "more bytes",
        ),
        (
            Behaviour::Gigabyte { announced: false },
            FailureClass::Transient,
            "more bytes",
        ),
        (
            Behaviour::Status(200, Vec::new(), r#"{"data": [], "object"#.into()),
            FailureClass::Transient,
            "no list of embeddings",
        ),
        (
            Behaviour::Status(204, Vec::new(), String::new()),
            FailureClass::Transient,
            "204",
        ),
    ];
    for (behaviour, class, words) in table {
        let answers = behaviour.clone();
        let server = ProviderDouble::start_with(Settings::default(), Box::new(move |_| answers.clone()));
        let owner = Owner::new();
        let error = owner.failure(&config(&server), &TEXTS);
        assert_eq!(error.class(), Some(class), "{behaviour:?}: {error}");
        assert!(
            error.to_string().contains(words) && error.to_string().contains("\"double\""),
            "{behaviour:?}: {error}"
        );
        let is_paid = !matches!(behaviour, Behaviour::Status(204, ..));
        assert_eq!(error.tokens() > 0, is_paid, "an answer is paid for: {behaviour:?}");
    }
}

#[test]
fn an_answer_in_two_halves_is_waited_for() {
    let pause = std::time::Duration::from_millis(300);
    let server = ProviderDouble::start_with(Settings::default(), Box::new(move |_| Behaviour::Stalled(pause)));
    assert_right(&Owner::new().embed(&config(&server), &TEXTS).unwrap(), &TEXTS);
}
