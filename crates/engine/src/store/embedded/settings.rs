//! The numbers the engine is run with, and where they come from.
//!
//! They are given each time a collection is opened, so a change here reaches collections that exist already.

use std::num::NonZeroUsize;

use qdrant_edge::{
    DEFAULT_VECTOR_NAME, Distance, EdgeConfig, EdgeOptimizersConfig, EdgeSparseVectorParams, EdgeVectorParams,
    HnswIndexConfig, Memory, Modifier, WalOptions,
};

use crate::keywords::KEYWORDS;
use crate::store::contract::CollectionSpec;

/// Size of a file of the engine's log. A collection has up to four of them (open, next, closed, being closed), sparse
/// until written; an operation that is larger makes a larger file.
const LOG_FILE_BYTES: usize = 4 * 1024 * 1024;

/// Points in one operation of the engine: about 700 kB of log with 384 dimensions.
pub(super) const POINTS_IN_OPERATION: usize = 256;

/// Vectors, in KiB, from which on a part of a collection gets an index: 20,000 of 384 dimensions. Reading 30 MB from
/// memory takes a few milliseconds.
const INDEXED_FROM_KIB: usize = 30_000;

/// Vectors, in KiB, up to which indexed parts are merged: 170,000 of 384 dimensions. Bounds how long a new part at the
/// end of a large collection takes to index.
const MERGED_UP_TO_KIB: usize = 256_000;

/// Parts that a collection is meant to have: one that is indexed, one that grows.
const PARTS: usize = 2;

/// Neighbours looked at while searching, at least: recall@10 above 0.99 on 30,000 vectors of 384 dimensions.
const SEARCH_BREADTH: usize = 128;

/// Links of a point to others of the same client, where clients share a collection.
const LINKS_WITHIN_SHARE: usize = 16;

/// What a collection is pinned to. Its files say so too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Numbers in each vector.
    pub(super) dimensions: usize,
    /// Whether points have keywords; those of collections made by early versions have not.
    pub(super) has_keywords: bool,
    /// Whether several clients have shares of it.
    pub(super) is_shared: bool,
}

impl Layout {
    /// Of a collection that is to be made.
    pub(super) fn new(spec: &CollectionSpec) -> Self {
        Self {
            dimensions: spec.dimensions,
            has_keywords: true,
            is_shared: spec.is_shared,
        }
    }

    /// Of one that was made with this configuration.
    pub(super) fn of(config: &EdgeConfig) -> Option<Self> {
        Some(Self {
            dimensions: config.vectors.get(DEFAULT_VECTOR_NAME)?.size,
            has_keywords: config.sparse_vectors.contains_key(KEYWORDS),
            is_shared: config.hnsw_config.as_ref()?.payload_m.is_some_and(|links| links > 0),
        })
    }
}

/// A collection's configuration.
pub(super) fn collection(layout: Layout) -> EdgeConfig {
    // Otherwise opening would read files of 32 MiB into memory for a collection that has a hundred points.
    let vectors = EdgeVectorParams::builder(layout.dimensions, Distance::Cosine)
        .memory(Memory::Cold)
        .build();
    let mut config = EdgeConfig::builder().vector(DEFAULT_VECTOR_NAME, vectors);
    if layout.has_keywords {
        let keywords = EdgeSparseVectorParams::builder()
            .memory(Memory::Cold)
            .modifier(Modifier::Idf)
            .build();
        config = config.sparse_vector(KEYWORDS, keywords);
    }
    // One thread, so that queries of the server have the others.
    let index = HnswIndexConfig {
        max_indexing_threads: 1,
        ..HnswIndexConfig::default()
    };
    config
        .payload_memory(Memory::Cold)
        .hnsw_config(if layout.is_shared {
            HnswIndexConfig {
                m: 0,
                payload_m: Some(LINKS_WITHIN_SHARE),
                ..index
            }
        } else {
            index
        })
        .optimizers(EdgeOptimizersConfig {
            default_segment_number: Some(PARTS),
            indexing_threshold: Some(INDEXED_FROM_KIB),
            max_segment_size: Some(MERGED_UP_TO_KIB),
            ..EdgeOptimizersConfig::default()
        })
        .wal_options(WalOptions {
            segment_capacity: LOG_FILE_BYTES,
            segment_queue_len: 0,
            retain_closed: NonZeroUsize::MIN,
        })
        // With one, the engine searches on the calling thread; more would be a pool for each collection.
        .max_search_threads(1)
        .build()
}

/// How many neighbours a search looks at to find this many.
pub(super) fn search_breadth(limit: usize) -> usize {
    limit.saturating_mul(2).max(SEARCH_BREADTH)
}
