//! A Qdrant server or cluster, over gRPC. Both speak the same; what differs is said when collections are made.
//!
//! - [`QdrantStore`] (`store.rs`) implements the contract and leaves the work to the others;
//! - `options.rs` says where the server is and how collections are made;
//! - `connection.rs` keeps connections, the key and the certificates;
//! - `known.rs` remembers what collections are pinned to; `creation.rs` makes them;
//! - `upload.rs` writes points, cut into requests that go over several streams;
//! - `points.rs` turns our points and keys into Qdrant's and back, `filter.rs` our conditions, `query.rs` our questions;
//! - `failure.rs` turns the server's refusals into our errors.
//!
//! A write counts only when the server says that it is completed. That is not yet on its disk: Qdrant syncs its log every
//! few seconds, and where power is lost, what was written last may be lost too.

mod connection;
mod creation;
mod failure;
mod filter;
mod known;
mod options;
mod points;
mod query;
mod set_fields;
mod store;
mod upload;

pub use options::{CollectionOptions, QdrantOptions, Quantization};
pub use store::QdrantStore;
