//! Embedding providers: the contract they keep, their configuration, and one folder for each way to reach one.
//!
//! [`registry`] makes them and shares them. `gate` decides when a call may go to an endpoint and [`gate_report`] says how that is, [`meter`] counts what it did,
//! [`secret`] reads keys.

pub mod config;
pub mod contract;
pub mod digest;
mod gate;
pub mod gate_report;
pub mod http;
pub mod meter;
mod metered;
pub mod onnx;
pub mod options;
pub mod registry;
pub mod secret;
