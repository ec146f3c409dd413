//! How collections are made and named.

use qdrant_client::qdrant::quantization_config::Quantization as Made;
use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::{CreateCollection, Distance, FieldType, Modifier};
use vb_engine::fields::{Field, FieldKind};
use vb_engine::point::PointKey;
use vb_engine::store::contract::{CollectionSpec, Detail, VectorStore};
use vb_engine::store::error::StoreError;
use vb_engine::store::qdrant::{CollectionOptions, QdrantOptions, QdrantStore, Quantization};
use vb_engine::store::share::Share;

use super::{double, options, store_at};
use crate::conformance::collection;
use crate::conformance::data::points;
use crate::conformance::whole::Whole;

fn spec(is_shared: bool) -> CollectionSpec {
    CollectionSpec {
        name: "docs".to_owned(),
        dimensions: 8,
        is_shared,
        fields: Vec::new(),
    }
}

async fn made_with(collections: CollectionOptions, is_shared: bool) -> CreateCollection {
    let server = double();
    let store = QdrantStore::open(QdrantOptions {
        collections,
        ..options(server.url())
    })
    .unwrap();
    store.ensure_collection(&spec(is_shared)).await.unwrap();
    server.collection("docs").unwrap().created
}

#[tokio::test]
async fn what_nobody_set_is_left_to_the_server() {
    let made = made_with(CollectionOptions::default(), false).await;
    assert_eq!(made.shard_number, None);
    assert_eq!(made.replication_factor, None);
    assert_eq!(made.write_consistency_factor, None);
    assert_eq!(made.quantization_config, None);
    assert_eq!(made.hnsw_config, None);
    let Some(Config::Params(vectors)) = made.vectors_config.unwrap().config else {
        panic!("vectors have names")
    };
    assert_eq!((vectors.size, vectors.distance()), (8, Distance::Cosine));
    let keywords = &made.sparse_vectors_config.unwrap().map["keywords"];
    assert_eq!(keywords.modifier(), Modifier::Idf);
}

#[tokio::test]
#[allow(deprecated, reason = "older servers know no other names")]
async fn what_was_set_reaches_the_server() {
    let options = CollectionOptions {
        shard_number: Some(6),
        replication_factor: Some(2),
        write_consistency_factor: Some(2),
        on_disk: true,
        quantization: Some(Quantization::Scalar),
    };
    let made = made_with(options, false).await;
    assert_eq!(made.shard_number, Some(6));
    assert_eq!(made.replication_factor, Some(2));
    assert_eq!(made.write_consistency_factor, Some(2));
    assert_eq!(made.hnsw_config.unwrap().on_disk, Some(true));
    let Some(Config::Params(vectors)) = made.vectors_config.unwrap().config else {
        panic!("vectors have names")
    };
    assert_eq!(vectors.on_disk, Some(true));
    assert!(matches!(
        made.quantization_config.unwrap().quantization,
        Some(Made::Scalar(_))
    ));
}

#[tokio::test]
async fn a_shared_collection_is_divided_by_an_index_that_is_there_before_the_first_point() {
    let server = double();
    let store = store_at(&server);
    store.ensure_collection(&spec(true)).await.unwrap();
    store.ensure_collection(&spec(true)).await.unwrap();
    let record = server.collection("docs").unwrap();
    let index = record.created.hnsw_config.unwrap();
    assert_eq!((index.m, index.payload_m), (Some(0), Some(16)));
    assert_eq!(record.indexes.len(), 1);
    assert!(record.indexes[0].before_data);
    assert_eq!(record.indexes[0].created.field_name, "tenant");
}

#[tokio::test]
async fn a_collection_of_somebody_elses_making_is_refused() {
    use qdrant_client::qdrant::collections_client::CollectionsClient;
    let server = double();
    let mut client = CollectionsClient::connect(server.url()).await.unwrap();
    let theirs = CreateCollection {
        sparse_vectors_config: None,
        ..made_with(CollectionOptions::default(), false).await
    };
    client.create(theirs).await.unwrap();
    let store = store_at(&server);
    let refused = store.ensure_collection(&spec(false)).await.unwrap_err();
    let StoreError::Configuration(message) = refused else {
        panic!("{refused:?}")
    };
    assert!(message.contains("not one of ours"), "{message}");
}

#[tokio::test]
async fn an_alias_leads_to_the_collection_that_it_was_last_set_to() {
    let server = double();
    let store = store_at(&server);
    let (one, other) = (collection(&store, 8).await, collection(&store, 8).await);
    store.put(&one, points(0..3, 8)).await.unwrap();
    store.put(&other, points(0..7, 8)).await.unwrap();
    store.set_alias("current", &one).await.unwrap();
    assert_eq!(store.count(&Share::whole("current")).await.unwrap(), 3);
    store.set_alias("current", &other).await.unwrap();
    assert_eq!(store.count(&Share::whole("current")).await.unwrap(), 7);
}

#[tokio::test]
async fn points_with_numbers_for_keys_are_listed_first_and_can_be_removed() {
    use qdrant_client::qdrant::points_client::PointsClient;
    use qdrant_client::qdrant::{PointStruct, UpsertPoints};
    let server = double();
    let store = store_at(&server);
    let name = collection(&store, 8).await;
    store.put(&name, points(0..3, 8)).await.unwrap();
    let theirs = |number: u64| PointStruct {
        id: Some(number.into()),
        vectors: Some(vec![0.5; 8].into()),
        ..PointStruct::default()
    };
    let mut client = PointsClient::connect(server.url()).await.unwrap();
    client
        .upsert(UpsertPoints {
            collection_name: name.clone(),
            wait: Some(true),
            points: vec![theirs(7), theirs(u64::MAX)],
            ..UpsertPoints::default()
        })
        .await
        .unwrap();
    let share = Share::whole(&*name);
    let mut keys: Vec<PointKey> = Vec::new();
    for _ in 0..5 {
        let page = store
            .scroll(&share, keys.last().copied(), 1, Detail::Identity)
            .await
            .unwrap();
        keys.push(page[0].key);
        assert_eq!(page[0].identity.is_none(), matches!(page[0].key, PointKey::Number(_)));
    }
    assert_eq!(keys[..2], [PointKey::Number(7), PointKey::Number(u64::MAX)]);
    store.delete(&share, keys[..2].to_vec()).await.unwrap();
    assert_eq!(store.size(&name).await.unwrap(), 3);
}

#[tokio::test]
async fn columns_are_indexed_before_any_point() {
    let server = double();
    let store = store_at(&server);
    let kinds = [
        FieldKind::Keyword,
        FieldKind::Integer,
        FieldKind::Float,
        FieldKind::Bool,
    ];
    let mut spec = spec(true);
    spec.fields = kinds
        .map(|kind| Field {
            column: format!("{kind:?}.\""),
            kind,
        })
        .to_vec();
    store.ensure_collection(&spec).await.unwrap();
    store.put("docs", points(0..3, 8)).await.unwrap();
    let record = server.collection("docs").unwrap();
    assert_eq!(record.indexes.len(), 1 + kinds.len());
    assert!(record.indexes.iter().all(|index| index.before_data));
    let made = record.indexes.iter().map(|index| &index.created);
    let made: Vec<_> = made.map(|made| (made.field_name.as_str(), made.field_type())).collect();
    assert!(
        made.contains(&("fields.\"Keyword.%22\"", FieldType::Keyword)),
        "{made:?}"
    );
    assert!(made.contains(&("fields.\"Float.%22\"", FieldType::Float)), "{made:?}");
}
