//! Embedding providers: the contract they keep, their configuration, and one folder or file for each kind.

pub mod config;
pub mod contract;
pub mod onnx;
pub mod registry;
