//! Scripts: how the service behaves, request by request.

use crate::behaviour::Behaviour;
use crate::call::Call;

/// Chooses what to do with a request.
pub type Script = Box<dyn Fn(&Call) -> Behaviour + Send + Sync>;

/// Answers everything well.
pub fn well() -> Script {
    Box::new(|_| Behaviour::Well)
}

/// Refuses requests with a text that contains the word, as one that is at fault.
pub fn refusing(word: &'static str) -> Script {
    Box::new(move |call| match call.texts.iter().any(|text| text.contains(word)) {
        true => Behaviour::error(400, "invalid_request_error", &format!("cannot stand {word}")),
        false => Behaviour::Well,
    })
}

/// Behaves so once, from the request with that number on until it has, and well otherwise.
pub fn first(behaviours: Vec<Behaviour>) -> Script {
    Box::new(move |call| behaviours.get(call.number).cloned().unwrap_or(Behaviour::Well))
}
