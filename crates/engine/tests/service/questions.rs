//! Questions, and ways to ask them.

use std::convert::Infallible;

use uuid::Uuid;
use vb_engine::provider::contract::Purpose;
use vb_engine::service::client::{CallError, Client};
use vb_engine::service::protocol::{Answer, Request, SearchMode, ServiceError};

use crate::doubles::owner::{COLLECTION, Owner, place};
use crate::doubles::provider::{DIMENSIONS, config};

/// A search in the collection that batches go to.
pub(crate) fn search(query: &str) -> Request {
    Request::Search {
        provider: Some(config()),
        payer: None,
        question: Uuid::new_v4(),
        place: place(COLLECTION),
        dimensions: Some(DIMENSIONS),
        query: query.into(),
        limit: 2,
        mode: SearchMode::Dense,
        conditions: Vec::new(),
    }
}

/// A request for the embedding of one text.
pub(crate) fn embed(text: &str, purpose: Purpose) -> Request {
    Request::Embed {
        provider: config(),
        texts: vec![text.into()],
        purpose,
    }
}

/// Waits however long it takes.
pub(crate) fn call(client: &mut Client, request: &Request) -> Result<Answer, ServiceError> {
    match client.call::<Infallible>(request, &mut || Ok(())) {
        Ok(answer) => Ok(answer),
        Err(CallError::Service(error)) => Err(error),
        Err(other) => panic!("no answer: {other:?}"),
    }
}

/// The same on a connection of its own.
pub(crate) fn ask(owner: &Owner, request: &Request) -> Result<Answer, ServiceError> {
    call(&mut owner.client(), request)
}

/// Asks what has to be refused.
pub(crate) fn fault(owner: &Owner, request: &Request) -> ServiceError {
    ask(owner, request).expect_err("should have been refused")
}
