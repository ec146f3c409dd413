//! The embedded store keeps the promises of every vector store (`conformance/`) and its own (`embedded/`).

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets something unexpected fails"
)]

mod conformance;
mod embedded;

use embedded::open;

macro_rules! on_the_embedded_store {
    ($($group:ident: $promise:ident,)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            let directory = tempfile::tempdir().unwrap();
            conformance::$group::$promise(&open(directory.path())).await;
        }
    )* };
}

for_each_promise!(on_the_embedded_store);
