//! The live page shows what is true, in a real browser against a real server at work: numbers move, buttons act, trouble is seen,
//! and everybody can use it. Pictures of the pages are kept for the guide.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets something unexpected fails"
)]

mod access;
mod acting;
mod crowd;
mod moving;
mod outage;
mod safety;
mod shop;
