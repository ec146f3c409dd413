//! What it takes to make a provider: a row of `vb_providers` and the settings it needs, as plain values. No key is among
//! them, only where it is to be found.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::options::{LocalOptions, ProviderOptions};

/// One provider as configured. Two equal configurations share one instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProviderConfig {
    /// Name in `vb_providers`.
    pub name: String,
    /// Model name, as recorded with each vector.
    pub model: String,
    /// Dimensions that the administrator expects; `None` takes the model's.
    pub dimensions: Option<usize>,
    /// Tokens of a text that the model sees; `None` takes the model's own window.
    pub max_tokens: Option<usize>,
    /// How to reach it.
    pub kind: ProviderKind,
}

/// How to reach a provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProviderKind {
    /// A model on this machine, run by ONNX Runtime.
    Onnx(OnnxConfig),
    /// A service that is asked over HTTP.
    Http(Box<HttpConfig>),
}

/// Where the local model is and how many threads may run it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OnnxConfig {
    /// `libonnxruntime.so`.
    pub library: PathBuf,
    /// Folder with `model.onnx` and `tokenizer.json`.
    pub model_directory: PathBuf,
    /// Threads that embed passages, each with a session of its own.
    pub threads: usize,
    /// Niceness of those threads, 0 to 19: higher gives way to queries and to everything else on the machine.
    pub nice: i32,
    /// What else the administrator said.
    pub options: LocalOptions,
}

/// How a service is asked over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HttpConfig {
    /// Whose habits it has.
    pub dialect: Dialect,
    /// Address up to where the dialect's own path begins; `None` takes the dialect's own, if it has one.
    pub endpoint: Option<String>,
    /// `env:NAME` or `file:/path`.
    pub api_key_ref: Option<String>,
    /// Folder that files with keys have to be in; `None` for any.
    pub secret_directory: Option<PathBuf>,
    /// Texts in a request; `None` takes the dialect's limit.
    pub max_texts: Option<usize>,
    /// Tokens in a request; `None` takes the dialect's limit.
    pub max_request_tokens: Option<usize>,
    /// Requests a minute that it takes, if known.
    pub requests_per_minute: Option<u32>,
    /// Tokens a minute that it takes, if known.
    pub tokens_per_minute: Option<u32>,
    /// How long a request may take, in milliseconds, when the options do not say.
    pub timeout_ms: u64,
    /// What else the administrator said.
    pub options: ProviderOptions,
}

impl HttpConfig {
    /// A service at that address about which nothing else is said.
    pub fn new(dialect: Dialect, endpoint: Option<String>) -> Self {
        Self {
            dialect,
            endpoint,
            api_key_ref: None,
            secret_directory: None,
            max_texts: None,
            max_request_tokens: None,
            requests_per_minute: None,
            tokens_per_minute: None,
            timeout_ms: 60_000,
            options: ProviderOptions::default(),
        }
    }
}

/// Whose habits a service has: its paths, headers, limits and the fields it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// OpenAI's own service.
    Openai,
    /// The same models in Azure.
    AzureOpenai,
    /// Anything with an embeddings endpoint like OpenAI's.
    OpenaiCompatible,
}
