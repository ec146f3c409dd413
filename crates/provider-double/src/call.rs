//! What the service was asked.

use std::time::Instant;

/// One request.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its number, from 0.
    pub number: usize,
    /// When it came.
    pub at: Instant,
    /// Path and query.
    pub path: String,
    /// Headers, names in small letters.
    pub headers: Vec<(String, String)>,
    /// Whether it came over HTTP/2.
    pub is_http2: bool,
    /// The number of the connection it came over.
    pub connection: usize,
    /// The model it is for.
    pub model: String,
    /// Its texts.
    pub texts: Vec<String>,
    /// How numbers are wanted.
    pub encoding_format: Option<String>,
    /// How many of them.
    pub dimensions: Option<usize>,
}

impl Call {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }
}
