//! Decisions as pure functions: time and chance come in as arguments, nothing is read or written.

pub mod backoff;
pub mod breaker;
pub mod bucket;
pub mod choice;
pub mod chunking;
pub mod concurrency;
pub mod cutting;
pub mod estimate;
pub mod fairness;
pub mod fusion;
pub mod pace;
pub mod pacing;
pub mod packing;
pub mod sharing;
pub mod verdict;
