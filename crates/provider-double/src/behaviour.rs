//! What the service does with a request.

use std::time::Duration;

/// One way to answer, or not to.
#[derive(Debug, Clone, PartialEq)]
pub enum Behaviour {
    /// As it should.
    Well,
    /// With a status, headers and a body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// The connection is reset before anything is answered.
    Reset,
    /// The connection is closed before anything is answered.
    Close,
    /// Half of a right answer, then the connection breaks.
    Truncated,
    /// Half of a right answer, then nothing for a while, then the rest.
    Stalled(Duration),
    /// Nothing for a while, then a right answer.
    Late(Duration),
    /// Status 200 with a page for people.
    Html,
    /// Status 200 with a body that does not end before a gigabyte, announced or not.
    Gigabyte {
        /// Whether its length is said beforehand.
        announced: bool,
    },
    /// A redirect to another address.
    Redirect(String),
    /// One embedding less than texts.
    TooFew,
    /// One embedding more than texts.
    TooMany,
    /// All embeddings, in another order, each with its right index.
    Shuffled,
    /// An index twice, another one not at all.
    DoubleIndex,
    /// Embeddings that are one number short.
    WrongDimensions,
    /// A number that is none, as bytes where those were asked for.
    NotFinite,
    /// Decimals, whatever was asked for.
    Decimals,
    /// Status 400 that says that base64 is not known, unless decimals were asked for.
    RefusesBase64,
}

impl Behaviour {
    /// A status with a body as OpenAI writes it.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({"error": {"message": message, "type": code, "code": code, "param": null}});
        Self::Status(status, Vec::new(), body.to_string())
    }

    /// The same with a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Status(_, headers, _) = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}
