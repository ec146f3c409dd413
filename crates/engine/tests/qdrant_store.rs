//! The Qdrant store keeps the promises of every vector store (`conformance/`) and its own (`qdrant/`). It speaks to a server
//! in this process; with `VB_TEST_QDRANT_URL` set, the promises of every store are asked of the server there.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets something unexpected fails"
)]

mod conformance;
mod qdrant;

use qdrant::Server;

macro_rules! on_the_qdrant_store {
    ($($group:ident: $promise:ident,)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            let server = Server::start();
            conformance::$group::$promise(&server.store()).await;
        }
    )* };
}

for_each_promise!(on_the_qdrant_store);
