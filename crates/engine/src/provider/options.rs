//! The options of a provider, as administrators write them: a JSON object in which nothing is unknown.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// Options of a provider that is asked over HTTP. What is left out has the default of its field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderOptions {
    /// Allows plain http, and private or loopback addresses.
    pub local: bool,
    /// More headers of each request. Values may be references to secrets, like the key.
    pub headers: BTreeMap<String, String>,
    /// Goes before each text that is searched with.
    pub query_prefix: String,
    /// Goes before each text that is stored.
    pub passage_prefix: String,
    /// Certificates, in PEM, of authorities that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// Version of Azure's interface.
    pub api_version: Option<String>,
    /// Name of Azure's deployment; else the model's name.
    pub deployment: Option<String>,
    /// How long a request may take, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// How numbers are asked for.
    pub encoding_format: EncodingFormat,
    /// Whether the number of dimensions is part of the request, for models that can shorten their embeddings; else
    /// where the model is known to.
    pub send_dimensions: Option<bool>,
}

/// How a service writes its numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EncodingFormat {
    /// Their bytes in base64, 5.3 letters a number; decimals from a service that does not know it.
    #[default]
    Base64,
    /// Decimals, 10 to 20 letters a number.
    Float,
}

/// Options of a local model. What is left out has the default of its field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LocalOptions {
    /// What its files must be.
    pub sha256: ModelDigests,
}

/// The SHA-256 that a model's files must have; `None` takes whatever is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelDigests {
    /// That of the model itself.
    #[serde(rename = "model.onnx")]
    pub model: Option<Digest>,
    /// That of its tokenizer.
    #[serde(rename = "tokenizer.json")]
    pub tokenizer: Option<Digest>,
}
