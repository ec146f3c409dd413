//! How collections are configured: what the engine gets of it, and what clients are told.
//!
//! The engine builds no graphs here, so whatever is about them (`hnsw_config`, `quantization_config`,
//! `optimizers_config`) is kept and told, but changes nothing.

use std::collections::HashMap;

use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::{
    CollectionConfig, CollectionInfo, CollectionParams, CollectionStatus, CreateCollection, Distance, HnswConfigDiff,
    Modifier, OptimizerStatus, PayloadSchemaInfo, SparseVectorParams, VectorParams,
};
use qdrant_edge::{
    DEFAULT_VECTOR_NAME, Distance as EngineDistance, EdgeConfig, EdgeSparseVectorParams, EdgeVectorParams, Memory,
    Modifier as EngineModifier, ShardInfo,
};
use tonic::Status;

use crate::status::unserved_if;

/// What the real server refuses in names of collections.
const FORBIDDEN_IN_NAMES: [char; 11] = ['<', '>', ':', '"', '/', '\\', '|', '?', '*', '\0', '\u{1F}'];

/// Longest name of a collection.
const NAME_BYTES: usize = 255;

/// Most dimensions of a dense vector.
const DIMENSIONS: u64 = 65_536;

/// Refuses what the real server would not take as a name.
pub(crate) fn check_name(name: &str) -> Result<(), Status> {
    let wrong = if !(1..=NAME_BYTES).contains(&name.len()) {
        format!("must be from 1 to {NAME_BYTES} characters")
    } else if let Some(forbidden) = FORBIDDEN_IN_NAMES
        .into_iter()
        .find(|forbidden| name.contains(*forbidden))
    {
        format!("collection name cannot contain \"{forbidden}\" char")
    } else {
        return Ok(());
    };
    Err(Status::invalid_argument(format!(
        "Validation error in body: [collection_name: {wrong}]"
    )))
}

/// The engine's configuration.
pub(crate) fn engine_config(asked: &CreateCollection) -> Result<EdgeConfig, Status> {
    let mut config = EdgeConfig::builder()
        .payload_memory(Memory::Cold)
        // Nothing has to survive this process.
        .wal_enabled(false)
        // With one, the engine searches on the calling thread; more would be a pool for each collection.
        .max_search_threads(1);
    match asked
        .vectors_config
        .as_ref()
        .and_then(|vectors| vectors.config.as_ref())
    {
        Some(Config::Params(params)) => config = config.vector(DEFAULT_VECTOR_NAME, dense(params)?),
        Some(Config::ParamsMap(named)) => {
            for (name, params) in &named.map {
                config = config.vector(name.as_str(), dense(params)?);
            }
        }
        None => {}
    }
    for (name, params) in asked.sparse_vectors_config.iter().flat_map(|vectors| &vectors.map) {
        config = config.sparse_vector(name.as_str(), sparse(params));
    }
    Ok(config.build())
}

/// What clients are told: what was asked for, with the real server's defaults where nothing was.
pub(crate) fn info(
    asked: &CreateCollection,
    engine: &ShardInfo,
    payload_schema: HashMap<String, PayloadSchemaInfo>,
) -> CollectionInfo {
    CollectionInfo {
        status: CollectionStatus::Green.into(),
        optimizer_status: Some(OptimizerStatus {
            ok: true,
            error: String::new(),
        }),
        segments_count: engine.segments_count as u64,
        points_count: Some(engine.points_count as u64),
        indexed_vectors_count: Some(engine.indexed_vectors_count as u64),
        config: Some(CollectionConfig {
            params: Some(params(asked)),
            hnsw_config: Some(graph(asked.hnsw_config.unwrap_or_default())),
            optimizer_config: Some(asked.optimizers_config.unwrap_or_default()),
            wal_config: Some(asked.wal_config.unwrap_or_default()),
            quantization_config: asked.quantization_config,
            strict_mode_config: asked.strict_mode_config.clone(),
            metadata: asked.metadata.clone(),
        }),
        payload_schema,
        ..CollectionInfo::default()
    }
}

#[expect(
    deprecated,
    reason = "clients up to 1.18 say with `on_disk_payload` where payload is kept"
)]
fn params(asked: &CreateCollection) -> CollectionParams {
    CollectionParams {
        shard_number: asked.shard_number.unwrap_or(1),
        on_disk_payload: asked.on_disk_payload.unwrap_or(true),
        vectors_config: asked.vectors_config.clone(),
        replication_factor: Some(asked.replication_factor.unwrap_or(1)),
        write_consistency_factor: Some(asked.write_consistency_factor.unwrap_or(1)),
        sharding_method: asked.sharding_method,
        sparse_vectors_config: asked.sparse_vectors_config.clone(),
        payload: asked.payload,
        id_tracker: asked.id_tracker,
        ..CollectionParams::default()
    }
}

fn graph(asked: HnswConfigDiff) -> HnswConfigDiff {
    HnswConfigDiff {
        m: asked.m.or(Some(16)),
        ef_construct: asked.ef_construct.or(Some(100)),
        full_scan_threshold: asked.full_scan_threshold.or(Some(10_000)),
        max_indexing_threads: asked.max_indexing_threads.or(Some(0)),
        ..asked
    }
}

fn dense(params: &VectorParams) -> Result<EdgeVectorParams, Status> {
    unserved_if(params.multivector_config.is_some(), "several vectors in one")?;
    if !(1..=DIMENSIONS).contains(&params.size) {
        return Err(Status::invalid_argument(format!(
            "Validation error in body: [vectors_config.size: value {} invalid, must be from 1 to {DIMENSIONS}]",
            params.size
        )));
    }
    let distance = match params.distance() {
        Distance::Cosine => EngineDistance::Cosine,
        Distance::Euclid => EngineDistance::Euclid,
        Distance::Dot => EngineDistance::Dot,
        Distance::Manhattan => EngineDistance::Manhattan,
        Distance::UnknownDistance => return Err(Status::invalid_argument("Bad value of distance field!")),
    };
    // Otherwise opening would read files of 32 MiB into memory for a collection that has a hundred points.
    Ok(EdgeVectorParams::builder(params.size as usize, distance)
        .memory(Memory::Cold)
        .build())
}

fn sparse(params: &SparseVectorParams) -> EdgeSparseVectorParams {
    let modifier = match params.modifier() {
        Modifier::None => EngineModifier::None,
        Modifier::Idf => EngineModifier::Idf,
    };
    EdgeSparseVectorParams::builder().modifier(modifier).build()
}
