//! Vectors of another model, of other dimensions or of no sense never reach the store.

use std::sync::Arc;

use vb_engine::batch::FailureClass;

use crate::doubles::owner::{COLLECTION, Owner, batch, changed};
use crate::doubles::provider::{DIMENSIONS, ScriptedProvider, embeddings};

#[test]
fn other_dimensions_are_a_configuration_failure_that_names_both() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    let mut wide = batch(["one"]);
    Arc::get_mut(&mut wide.target).unwrap().collection.dimensions = 768;
    let failure = owner.failure(wide);
    assert_eq!(failure.class, FailureClass::Configuration);
    assert!(failure.message.contains("768") && failure.message.contains(&format!("makes {DIMENSIONS}")));
    assert!(failure.message.contains(COLLECTION) && failure.message.contains("test-model"));
    assert!(owner.store.calls().is_empty() && owner.provider.requests().is_empty());
}

#[test]
fn another_model_is_a_configuration_failure_that_names_both() {
    let mut owner = Owner::start(ScriptedProvider::sound());
    let mut other = batch(["one"]);
    changed(&mut other, |provider| provider.model = "another-model".into());
    let failure = owner.failure(other);
    assert_eq!(failure.class, FailureClass::Configuration);
    assert!(failure.message.contains("another-model") && failure.message.contains("test-model"));
}

#[test]
fn an_answer_that_breaks_the_contract_never_reaches_the_store() {
    type Break = fn(&mut Vec<vb_engine::provider::contract::Embedding>);
    let faults: [(Break, &str); 4] = [
        (|answer| drop(answer.pop()), "1 embeddings for 2 texts"),
        (
            |answer| answer[1].vector.push(0.0),
            "5 numbers in an embedding instead of 4",
        ),
        (|answer| answer[1].vector[2] = f32::NAN, "not finite"),
        (|answer| answer[0].vector[0] = f32::INFINITY, "not finite"),
    ];
    for (fault, message) in faults {
        let mut owner = Owner::start(ScriptedProvider::new(move |request| {
            let mut answer = embeddings(&request.texts);
            fault(&mut answer);
            Ok(answer)
        }));
        let failure = owner.failure(batch(["one", "two"]));
        assert_eq!(failure.class, FailureClass::Transient);
        assert!(
            failure.message.contains(message) && failure.message.contains("test-model"),
            "{}",
            failure.message
        );
        assert!(owner.store.calls().is_empty());
    }
}
