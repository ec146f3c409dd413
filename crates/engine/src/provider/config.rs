//! What it takes to make a provider: a row of `vb_providers` and the settings it needs, as plain values.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

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
}
