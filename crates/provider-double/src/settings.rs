//! What the service starts with.

use std::time::Duration;

/// A service as it is when nothing goes wrong.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Numbers in each embedding, unless a request asks for fewer.
    pub dimensions: usize,
    /// The key it wants, in either dialect's header; `None` for none.
    pub key: Option<String>,
    /// Whether it speaks TLS, with a certificate of its own authority.
    pub tls: bool,
    /// The name its certificate is for.
    pub certificate_name: String,
    /// How long it takes for each request, and for each text on top of that.
    pub latency: Duration,
    /// For each text on top of that.
    pub latency_per_text: Duration,
    /// Requests it works on at the same time; others wait, or are refused.
    pub concurrency: Option<usize>,
    /// Whether requests beyond that are refused with status 429 instead of waiting.
    pub refuses_excess: bool,
    /// Requests it answers in each second; others are refused with status 429.
    pub requests_per_second: Option<u32>,
    /// The most texts in a request; more are refused with status 413.
    pub max_texts: usize,
    /// The most bytes of a text; longer ones are refused as too long for the model.
    pub max_text_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dimensions: 32,
            key: None,
            tls: false,
            certificate_name: "localhost".to_owned(),
            latency: Duration::ZERO,
            latency_per_text: Duration::ZERO,
            concurrency: None,
            refuses_excess: false,
            requests_per_second: None,
            max_texts: 2_048,
            max_text_bytes: usize::MAX,
        }
    }
}
