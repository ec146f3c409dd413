//! Makes collections as the options want them.

use std::collections::HashMap;

use qdrant_client::qdrant::payload_index_params::IndexParams;
use qdrant_client::qdrant::quantization_config::Quantization as QdrantQuantization;
use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::{
    BinaryQuantization, CreateCollection, CreateFieldIndexCollection, Distance, FieldType, HnswConfigDiff,
    KeywordIndexParams, Modifier, PayloadIndexParams, QuantizationConfig, QuantizationType, ScalarQuantization,
    SparseIndexConfig, SparseVectorConfig, SparseVectorParams, VectorParams, VectorsConfig,
};
use tonic::Code;

use super::connection::Connection;
use super::failure::{completed, error};
use super::options::{CollectionOptions, Quantization};
use crate::fields::FieldKind;
use crate::keywords::KEYWORDS;
use crate::store::contract::CollectionSpec;
use crate::store::error::StoreError;
use crate::store::share::TENANT;

/// Links of a point to others of the same client, where clients share a collection: there are no others.
const LINKS_WITHIN_SHARE: u64 = 16;

/// Makes the collection; false when somebody else has made it meanwhile, which is as good.
pub(super) async fn create(connection: &Connection, spec: &CollectionSpec) -> Result<bool, StoreError> {
    let request = CreateCollection {
        timeout: connection.patience(),
        ..request(spec, &connection.options().collections)
    };
    match connection.collections()?.create(request).await {
        Ok(_) => Ok(true),
        // Older servers call it a wrong argument.
        Err(status) if status.code() == Code::AlreadyExists || status.message().contains("already exists") => Ok(false),
        Err(status) => Err(error(connection, &spec.name, &status)),
    }
}

/// Indexes the field by which a shared collection is divided. Before any point is in it: an index that comes later has to
/// read them all.
pub(super) async fn index_tenants(connection: &Connection, spec: &CollectionSpec) -> Result<(), StoreError> {
    let request = CreateFieldIndexCollection {
        field_name: TENANT.to_owned(),
        field_type: Some(FieldType::Keyword.into()),
        field_index_params: Some(PayloadIndexParams {
            index_params: Some(IndexParams::KeywordIndexParams(KeywordIndexParams {
                is_tenant: Some(true),
                ..KeywordIndexParams::default()
            })),
        }),
        ..CreateFieldIndexCollection::default()
    };
    index(connection, spec, request).await
}

/// Indexes the columns that points carry, so that searches that filter by them are fast. One that is indexed already stays.
pub(super) async fn index_fields(connection: &Connection, spec: &CollectionSpec) -> Result<(), StoreError> {
    for field in &spec.fields {
        let kind = match field.kind {
            FieldKind::Bool => FieldType::Bool,
            FieldKind::Integer => FieldType::Integer,
            FieldKind::Float => FieldType::Float,
            FieldKind::Keyword => FieldType::Keyword,
        };
        let request = CreateFieldIndexCollection {
            field_name: field.path(),
            field_type: Some(kind.into()),
            ..CreateFieldIndexCollection::default()
        };
        index(connection, spec, request).await?;
    }
    Ok(())
}

async fn index(
    connection: &Connection,
    spec: &CollectionSpec,
    request: CreateFieldIndexCollection,
) -> Result<(), StoreError> {
    let request = CreateFieldIndexCollection {
        collection_name: spec.name.clone(),
        wait: Some(true),
        timeout: connection.patience(),
        ..request
    };
    let answer = connection
        .points()?
        .create_field_index(request)
        .await
        .map_err(|status| error(connection, &spec.name, &status))?;
    completed(connection, answer.into_inner().result)
}

#[allow(
    deprecated,
    reason = "servers before 1.18 know no other names for what is read from disk"
)]
fn request(spec: &CollectionSpec, options: &CollectionOptions) -> CreateCollection {
    let on_disk = options.on_disk.then_some(true);
    let vectors = VectorParams {
        size: spec.dimensions as u64,
        distance: Distance::Cosine.into(),
        on_disk,
        ..VectorParams::default()
    };
    let keywords = SparseVectorParams {
        index: Some(SparseIndexConfig {
            on_disk,
            ..SparseIndexConfig::default()
        }),
        modifier: Some(Modifier::Idf.into()),
    };
    let index = HnswConfigDiff {
        on_disk,
        m: spec.is_shared.then_some(0),
        payload_m: spec.is_shared.then_some(LINKS_WITHIN_SHARE),
        ..HnswConfigDiff::default()
    };
    CreateCollection {
        collection_name: spec.name.clone(),
        vectors_config: Some(VectorsConfig {
            config: Some(Config::Params(vectors)),
        }),
        sparse_vectors_config: Some(SparseVectorConfig {
            map: HashMap::from([(KEYWORDS.to_owned(), keywords)]),
        }),
        hnsw_config: (index != HnswConfigDiff::default()).then_some(index),
        // Texts are for people to read: no search needs them in memory.
        on_disk_payload: Some(true),
        shard_number: options.shard_number,
        replication_factor: options.replication_factor,
        write_consistency_factor: options.write_consistency_factor,
        quantization_config: options.quantization.map(quantization),
        ..CreateCollection::default()
    }
}

#[allow(
    deprecated,
    reason = "servers before 1.18 know no other names for what is kept in memory"
)]
fn quantization(quantization: Quantization) -> QuantizationConfig {
    // The small vectors are what makes searches fast, so they stay in memory.
    let always_ram = Some(true);
    QuantizationConfig {
        quantization: Some(match quantization {
            Quantization::Scalar => QdrantQuantization::Scalar(ScalarQuantization {
                r#type: QuantizationType::Int8.into(),
                always_ram,
                ..ScalarQuantization::default()
            }),
            Quantization::Binary => QdrantQuantization::Binary(BinaryQuantization {
                always_ram,
                ..BinaryQuantization::default()
            }),
        }),
    }
}
