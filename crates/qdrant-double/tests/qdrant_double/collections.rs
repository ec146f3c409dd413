//! Collections, their indexes and aliases.

use qdrant_client::qdrant::alias_operations::Action;
use qdrant_client::qdrant::payload_index_params::IndexParams;
use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::{
    AliasOperations, ChangeAliases, CollectionExistsRequest, CollectionStatus, CreateAlias, CreateCollection,
    CreateFieldIndexCollection, DeleteAlias, DeleteCollection, Distance, FieldType, GetCollectionInfoRequest,
    HnswConfigDiff, KeywordIndexParams, ListAliasesRequest, ListCollectionAliasesRequest, ListCollectionsRequest,
    Modifier, PayloadIndexParams, PayloadSchemaType, RenameAlias,
};
use tonic::Code;

use crate::client::{COLLECTION, Client, collection, dense, numbered, server, server_with_points, upsert};

async fn exists(client: &mut Client, name: &str) -> bool {
    let request = CollectionExistsRequest {
        collection_name: name.to_owned(),
    };
    let answer = client.collections.collection_exists(request).await.unwrap();
    answer.into_inner().result.unwrap().exists
}

#[tokio::test]
async fn a_collection_is_as_it_was_asked_for_until_it_is_deleted() {
    let (double, mut client) = server_with_points().await;
    let graph = HnswConfigDiff {
        m: Some(0),
        payload_m: Some(16),
        ..HnswConfigDiff::default()
    };
    let asked = CreateCollection {
        shard_number: Some(2),
        replication_factor: Some(3),
        hnsw_config: Some(graph),
        ..collection("other")
    };
    assert!(
        client
            .collections
            .create(asked.clone())
            .await
            .unwrap()
            .into_inner()
            .result
    );
    assert_eq!(double.collections(), ["other", COLLECTION]);
    assert_eq!(double.collection("other").unwrap().created, asked);
    assert_eq!(double.collection(COLLECTION).unwrap().points, 3);

    let again = client.collections.create(asked).await.unwrap_err();
    assert_eq!(again.code(), Code::AlreadyExists);
    assert_eq!(again.message(), "Wrong input: Collection `other` already exists!");

    let request = GetCollectionInfoRequest {
        collection_name: "other".to_owned(),
    };
    let info = client
        .collections
        .get(request)
        .await
        .unwrap()
        .into_inner()
        .result
        .unwrap();
    assert_eq!(info.status(), CollectionStatus::Green);
    assert_eq!(info.points_count, Some(0));
    let config = info.config.unwrap();
    let told = config.hnsw_config.unwrap();
    assert_eq!(
        (told.m, told.payload_m, told.ef_construct),
        (Some(0), Some(16), Some(100))
    );
    let params = config.params.unwrap();
    assert_eq!((params.shard_number, params.replication_factor), (2, Some(3)));
    let Some(Config::Params(vector)) = params.vectors_config.unwrap().config else {
        panic!("there is one dense vector")
    };
    assert_eq!((vector.size, vector.distance()), (4, Distance::Cosine));
    assert_eq!(
        params.sparse_vectors_config.unwrap().map["keywords"].modifier(),
        Modifier::Idf
    );

    let listed = client
        .collections
        .list(ListCollectionsRequest {})
        .await
        .unwrap()
        .into_inner();
    let listed: Vec<_> = listed
        .collections
        .into_iter()
        .map(|collection| collection.name)
        .collect();
    assert_eq!(listed, ["other", COLLECTION]);

    assert!(exists(&mut client, "other").await);
    for was_there in [true, false] {
        let request = DeleteCollection {
            collection_name: "other".to_owned(),
            timeout: None,
        };
        assert_eq!(
            client.collections.delete(request).await.unwrap().into_inner().result,
            was_there
        );
    }
    assert!(!exists(&mut client, "other").await);
    assert_eq!(client.count(None).await.unwrap(), 3);
}

#[tokio::test]
async fn an_index_is_known_by_its_parameters_and_by_whether_it_came_before_the_data() {
    let (double, mut client) = server().await;
    let index = |field: &str, field_type: FieldType, params| CreateFieldIndexCollection {
        collection_name: COLLECTION.to_owned(),
        wait: Some(true),
        field_name: field.to_owned(),
        field_type: Some(field_type.into()),
        field_index_params: params,
        ..CreateFieldIndexCollection::default()
    };
    let tenant = PayloadIndexParams {
        index_params: Some(IndexParams::KeywordIndexParams(KeywordIndexParams {
            is_tenant: Some(true),
            ..KeywordIndexParams::default()
        })),
    };
    let asked = index("client", FieldType::Keyword, Some(tenant.clone()));
    client.points.create_field_index(asked).await.unwrap();
    client
        .upsert([dense(1, vec![1.0; 4], serde_json::json!({"client": "a", "n": 1}))])
        .await
        .unwrap();
    for (field, field_type) in [
        ("n", FieldType::Integer),
        ("b", FieldType::Bool),
        ("t", FieldType::Datetime),
        ("f", FieldType::Float),
        ("u", FieldType::Uuid),
    ] {
        client
            .points
            .create_field_index(index(field, field_type, None))
            .await
            .unwrap();
    }

    let indexes = double.collection(COLLECTION).unwrap().indexes;
    let seen: Vec<_> = indexes
        .iter()
        .map(|index| (index.created.field_name.as_str(), index.before_data))
        .collect();
    assert_eq!(seen[..2], [("client", true), ("n", false)]);
    assert_eq!(indexes[0].created.field_index_params, Some(tenant));

    let request = GetCollectionInfoRequest {
        collection_name: COLLECTION.to_owned(),
    };
    let info = client
        .collections
        .get(request)
        .await
        .unwrap()
        .into_inner()
        .result
        .unwrap();
    assert_eq!(info.payload_schema.len(), 6);
    assert_eq!(info.payload_schema["client"].data_type(), PayloadSchemaType::Keyword);
    assert_eq!(info.payload_schema["client"].points, Some(1));
    assert_eq!(info.payload_schema["n"].points, Some(1));
}

#[tokio::test]
async fn aliases_change_in_order_and_lead_to_their_collection() {
    let (double, mut client) = server_with_points().await;
    client.collections.create(collection("next")).await.unwrap();
    let create = |alias: &str, collection: &str| {
        Action::CreateAlias(CreateAlias {
            alias_name: alias.to_owned(),
            collection_name: collection.to_owned(),
        })
    };
    let delete = |alias: &str| {
        Action::DeleteAlias(DeleteAlias {
            alias_name: alias.to_owned(),
        })
    };
    let rename = |from: &str, to: &str| {
        Action::RenameAlias(RenameAlias {
            old_alias_name: from.to_owned(),
            new_alias_name: to.to_owned(),
        })
    };
    let change = |actions: Vec<Action>| ChangeAliases {
        actions: actions
            .into_iter()
            .map(|action| AliasOperations { action: Some(action) })
            .collect(),
        timeout: None,
    };

    let first = change(vec![create("live", COLLECTION), create("old", COLLECTION)]);
    client.collections.update_aliases(first).await.unwrap();
    let mut by_alias = upsert([numbered(4)]);
    by_alias.collection_name = "live".to_owned();
    client.points.upsert(by_alias.clone()).await.unwrap();
    assert_eq!(double.collection("live").unwrap().points, 4);

    let switch = change(vec![delete("live"), create("live", "next"), rename("old", "before")]);
    client.collections.update_aliases(switch).await.unwrap();
    client.points.upsert(by_alias).await.unwrap();
    assert_eq!(double.collection("next").unwrap().points, 1);
    let all = client
        .collections
        .list_aliases(ListAliasesRequest {})
        .await
        .unwrap()
        .into_inner();
    let all: Vec<_> = all
        .aliases
        .iter()
        .map(|alias| (alias.alias_name.as_str(), alias.collection_name.as_str()))
        .collect();
    assert_eq!(all, [("before", COLLECTION), ("live", "next")]);
    let request = ListCollectionAliasesRequest {
        collection_name: "next".to_owned(),
    };
    let of_next = client
        .collections
        .list_collection_aliases(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(of_next.aliases.len(), 1);

    let missing = client
        .collections
        .update_aliases(change(vec![create("x", "nothing")]))
        .await;
    assert_eq!(missing.unwrap_err().code(), Code::NotFound);
    let taken = client
        .collections
        .update_aliases(change(vec![create("next", COLLECTION)]))
        .await;
    assert_eq!(taken.unwrap_err().code(), Code::AlreadyExists);

    let request = DeleteCollection {
        collection_name: "next".to_owned(),
        timeout: None,
    };
    client.collections.delete(request).await.unwrap();
    assert!(!exists(&mut client, "live").await, "aliases go with their collection");
}
