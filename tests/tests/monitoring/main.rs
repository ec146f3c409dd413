//! What watches the extension says what is true: metrics, rules, Grafana's dashboard and the guide, with the real programs
//! against a real server at work.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets something unexpected fails"
)]

mod grafana;
mod guide;
mod metrics;
mod names;
mod prometheus;
mod rules;
mod shop;
