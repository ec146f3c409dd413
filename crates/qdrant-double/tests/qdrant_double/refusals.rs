//! What the real server refuses, in its words.

use qdrant_client::qdrant::{
    Condition, FacetCounts, FieldCondition, Filter, GeoRadius, ScrollPoints, UpdateCollection, condition,
};
use serde_json::json;
use tonic::Code;

use crate::client::{COLLECTION, collection, dense, dense_and_sparse, server, upsert};

#[tokio::test]
async fn wrong_requests_get_the_real_servers_answers_and_change_nothing() {
    let (_double, mut client) = server().await;
    let three = client.upsert([dense(1, vec![1.0; 3], json!({}))]).await.unwrap_err();
    assert_eq!(three.code(), Code::InvalidArgument);
    assert_eq!(
        three.message(),
        "Wrong input: Vector dimension error: expected dim: 4, got 3"
    );

    let mut elsewhere = upsert([dense(1, vec![1.0; 4], json!({}))]);
    elsewhere.collection_name = "nowhere".to_owned();
    let nowhere = client.points.upsert(elsewhere).await.unwrap_err();
    assert_eq!(nowhere.code(), Code::NotFound);
    assert_eq!(nowhere.message(), "Not found: Collection `nowhere` doesn't exist!");

    let no_uuid = client
        .upsert([dense("abc", vec![1.0; 4], json!({}))])
        .await
        .unwrap_err();
    assert_eq!(no_uuid.code(), Code::InvalidArgument);
    assert_eq!(no_uuid.message(), "Unable to parse UUID: abc");

    let twice = vec![(7, 1.0), (7, 2.0)];
    let twice = client
        .upsert([dense_and_sparse(1, vec![1.0; 4], twice, json!({}))])
        .await;
    assert_eq!(twice.unwrap_err().code(), Code::InvalidArgument);

    let nothing = client.upsert([]).await.unwrap_err();
    assert_eq!(nothing.message(), "Bad request: Empty update request");

    let slash = client.collections.create(collection("a/b")).await.unwrap_err();
    assert_eq!(slash.code(), Code::InvalidArgument);

    assert_eq!(client.count(None).await.unwrap(), 0);
}

#[tokio::test]
async fn what_the_double_cannot_do_is_refused_rather_than_left_out() {
    let (_double, mut client) = server().await;
    let request = FacetCounts {
        collection_name: COLLECTION.to_owned(),
        key: "k".to_owned(),
        ..FacetCounts::default()
    };
    let facet = client.points.facet(request).await.unwrap_err();
    assert_eq!(
        (facet.code(), facet.message()),
        (Code::Unimplemented, "the double does not serve facet")
    );
    let update = client
        .collections
        .update(UpdateCollection::default())
        .await
        .unwrap_err();
    assert_eq!(update.code(), Code::Unimplemented);

    let near = condition::ConditionOneOf::Field(FieldCondition {
        key: "place".to_owned(),
        geo_radius: Some(GeoRadius::default()),
        ..FieldCondition::default()
    });
    let request = ScrollPoints {
        collection_name: COLLECTION.to_owned(),
        filter: Some(Filter::must([Condition::from(near)])),
        ..ScrollPoints::default()
    };
    let place = client.points.scroll(request).await.unwrap_err();
    assert_eq!(place.code(), Code::Unimplemented);
}
