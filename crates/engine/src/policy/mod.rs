//! Decisions as pure functions: time and chance come in as arguments, nothing is read or written.

pub mod backoff;
pub mod choice;
pub mod chunking;
pub mod fairness;
pub mod packing;
