//! The store inside the process: Qdrant's engine (`qdrant-edge`) with one shard directory for each collection. It needs
//! no server.
//!
//! - [`EmbeddedStore`] (`store.rs`) implements the contract and leaves the work to the others;
//! - `directory.rs` knows where things are on disk and that only one process owns them;
//! - `open_shards.rs` opens collections when they are needed and closes those that nobody used for longest;
//! - `shard.rs` is one open collection: reading, writing, making durable;
//! - `group_commit.rs` lets flushes that are asked for at the same time share one;
//! - `index_builder.rs` builds the search index of large collections beside everything else;
//! - `settings.rs` holds the numbers the engine is run with, and where they come from;
//! - `conversion.rs` turns our points into the engine's and back, `filter.rs` our conditions;
//! - `failure.rs` turns the engine's errors into ours and refuses to write to a full disk;
//! - `blocking.rs` keeps the engine's work off the threads that serve others.

mod blocking;
mod conversion;
mod directory;
mod failure;
mod filter;
mod group_commit;
mod index_builder;
mod open_shards;
mod settings;
mod shard;
mod store;

pub use directory::has_collection;
pub use store::{EmbeddedOptions, EmbeddedStore};
