//! What the server starts with.

/// A server as it is when nothing goes wrong.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The key it wants, as `api-key` or as bearer token; `None` for none. Health checks need none, as on the real
    /// server.
    pub api_key: Option<String>,
    /// Whether it speaks TLS, with a certificate of its own authority for `localhost` and 127.0.0.1.
    pub tls: bool,
}
