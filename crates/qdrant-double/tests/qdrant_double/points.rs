//! What is stored is found, scrolled through, counted and changed.

use qdrant_client::Payload;
use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use qdrant_client::qdrant::query::Variant;
use qdrant_client::qdrant::{
    Condition, Filter, GetPoints, NamedVectors, PayloadIncludeSelector, PointId, PointsSelector, Query, QueryPoints,
    ScoredPoint, ScrollPoints, SearchParams, SetPayloadPoints, SparseIndices, SparseVector, UpdateStatus, UpsertPoints,
    Vector, VectorInput, WithPayloadSelector, WithVectorsSelector, vector_input, vector_output, vectors,
    with_payload_selector, with_vectors_selector,
};
use serde_json::{Value, json};

use crate::client::{
    COLLECTION, Client, dense, dense_and_sparse, ids, number, numbered, point, server, server_with_points, status,
    upsert,
};

fn whole_payload() -> Option<WithPayloadSelector> {
    Some(WithPayloadSelector {
        selector_options: Some(with_payload_selector::SelectorOptions::Enable(true)),
    })
}

fn all_vectors() -> Option<WithVectorsSelector> {
    Some(WithVectorsSelector {
        selector_options: Some(with_vectors_selector::SelectorOptions::Enable(true)),
    })
}

async fn nearest(client: &mut Client, to: impl Into<VectorInput>, more: QueryPoints) -> Vec<ScoredPoint> {
    let request = QueryPoints {
        collection_name: COLLECTION.to_owned(),
        query: Some(Query {
            variant: Some(Variant::Nearest(to.into())),
        }),
        ..more
    };
    client.points.query(request).await.unwrap().into_inner().result
}

fn numbers(found: &[ScoredPoint]) -> Vec<u64> {
    found.iter().map(|point| number(point.id.clone())).collect()
}

fn payload(found: &ScoredPoint) -> Value {
    Payload::from(found.payload.clone()).into()
}

#[tokio::test]
async fn points_are_found_by_dense_and_by_sparse_vectors() {
    let (_double, mut client) = server().await;
    let stored = [
        dense_and_sparse(
            1,
            vec![1.0, 0.0, 0.0, 0.0],
            vec![(7, 1.0), (3, 1.0)],
            json!({"t": "x", "n": 1}),
        ),
        dense_and_sparse(
            2,
            vec![0.9, 0.1, 0.0, 0.0],
            vec![(7, 1.0), (4, 1.0)],
            json!({"t": "y", "n": 2}),
        ),
        dense_and_sparse(3, vec![0.0, 1.0, 0.0, 0.0], vec![(7, 1.0)], json!({"t": "x", "n": 3})),
    ];
    assert_eq!(client.upsert(stored).await.unwrap(), UpdateStatus::Completed);

    let wanted = QueryPoints {
        limit: Some(2),
        with_payload: whole_payload(),
        params: Some(SearchParams {
            hnsw_ef: Some(64),
            ..SearchParams::default()
        }),
        ..QueryPoints::default()
    };
    let found = nearest(&mut client, vec![2.0, 0.0, 0.0, 0.0], wanted.clone()).await;
    assert_eq!(numbers(&found), [1, 2]);
    assert!(
        (found[0].score - 1.0).abs() < 1e-5,
        "the cosine does not depend on length"
    );
    assert_eq!(payload(&found[0]), json!({"t": "x", "n": 1}));

    let filtered = QueryPoints {
        filter: Some(Filter::must([Condition::matches("t", "x".to_owned())])),
        ..wanted
    };
    let found = nearest(&mut client, vec![1.0, 0.0, 0.0, 0.0], filtered.clone()).await;
    assert_eq!(numbers(&found), [1, 3]);

    let by_keywords = QueryPoints {
        using: Some("keywords".to_owned()),
        ..QueryPoints::default()
    };
    // Not in the order of its indices, as nothing says it has to be.
    let rare_first = SparseVector {
        indices: vec![7, 4],
        values: vec![1.0, 1.0],
    };
    let input = VectorInput {
        variant: Some(vector_input::Variant::Sparse(rare_first)),
    };
    let found = nearest(&mut client, input.clone(), by_keywords).await;
    assert_eq!(found.len(), 3);
    assert_eq!(numbers(&found)[0], 2);
    assert!(
        found[0].score > 3.0 * found[1].score,
        "a word of one point weighs more than one of all"
    );
    assert!(found[0].payload.is_empty(), "payload comes when it is asked for");
    let both = QueryPoints {
        using: Some("keywords".to_owned()),
        ..filtered
    };
    assert!(!numbers(&nearest(&mut client, input, both).await).contains(&2));
}

#[tokio::test]
async fn scrolling_goes_page_by_page_through_numbers_and_then_uuids() {
    let (_double, mut client) = server().await;
    let uuid = |last: u8| format!("00000000-0000-0000-0000-0000000000{last:02x}");
    let stored = [
        dense(uuid(0xb).as_str(), vec![1.0; 4], json!({"n": 5})),
        dense(20, vec![1.0; 4], json!({"n": 3})),
        dense(uuid(0xa).as_str(), vec![1.0; 4], json!({"n": 4})),
        dense(3, vec![1.0; 4], json!({"n": 2})),
        dense(1, vec![1.0; 4], json!({"n": 1, "more": {"deep": true}})),
    ];
    client.upsert(stored).await.unwrap();

    let mut pages = Vec::new();
    let mut offset = None;
    loop {
        let request = ScrollPoints {
            collection_name: COLLECTION.to_owned(),
            limit: Some(2),
            offset,
            ..ScrollPoints::default()
        };
        let page = client.points.scroll(request).await.unwrap().into_inner();
        let ns: Vec<_> = page
            .result
            .iter()
            .map(|point| Value::from(Payload::from(point.payload.clone()))["n"].clone())
            .collect();
        pages.push(ns);
        offset = page.next_page_offset;
        if offset.is_none() {
            break;
        }
    }
    assert_eq!(json!(pages), json!([[1, 2], [3, 4], [5]]));

    let request = ScrollPoints {
        collection_name: COLLECTION.to_owned(),
        limit: Some(1),
        offset: Some(PointId::from(uuid(0xb))),
        with_payload: Some(WithPayloadSelector {
            selector_options: Some(with_payload_selector::SelectorOptions::Enable(false)),
        }),
        ..ScrollPoints::default()
    };
    let last = client.points.scroll(request.clone()).await.unwrap().into_inner().result;
    let id = last[0].id.clone().unwrap().point_id_options.unwrap();
    assert_eq!(
        id,
        PointIdOptions::Uuid(uuid(0xb)),
        "the offset is the first id of a page"
    );
    assert!(last[0].payload.is_empty());

    let some_fields = ScrollPoints {
        offset: None,
        with_payload: Some(WithPayloadSelector {
            selector_options: Some(with_payload_selector::SelectorOptions::Include(
                PayloadIncludeSelector {
                    fields: vec!["more.deep".to_owned()],
                },
            )),
        }),
        ..request
    };
    let first = client.points.scroll(some_fields).await.unwrap().into_inner().result;
    assert_eq!(
        Value::from(Payload::from(first[0].payload.clone())),
        json!({"more": {"deep": true}})
    );
}

#[tokio::test]
async fn points_come_back_whole_in_whatever_form_their_vectors_came() {
    let (_double, mut client) = server().await;
    #[expect(deprecated, reason = "older clients send nothing else")]
    let old = |data: Vec<f32>, indices: Option<Vec<u32>>| Vector {
        data,
        indices: indices.map(|data| SparseIndices { data }),
        vectors_count: None,
        vector: None,
    };
    let named = NamedVectors {
        vectors: [
            (String::new(), old(vec![0.0, 0.0, 0.0, 2.0], None)),
            ("keywords".to_owned(), old(vec![0.5, 0.25], Some(vec![9, 2]))),
        ]
        .into(),
    };
    let any = json!({"s": "ü", "f": 1.5, "i": -3, "b": true, "z": null, "l": [1, {"o": []}], "o": {"p": "q"}});
    let stored = [
        point(1, vectors::VectorsOptions::Vectors(named), any.clone()),
        point(
            2,
            vectors::VectorsOptions::Vector(old(vec![3.0, 0.0, 0.0, 0.0], None)),
            json!({}),
        ),
    ];
    client.upsert(stored).await.unwrap();

    let request = GetPoints {
        collection_name: COLLECTION.to_owned(),
        ids: vec![PointId::from(2), PointId::from(99), PointId::from(1)],
        with_vectors: all_vectors(),
        ..GetPoints::default()
    };
    let found = client.points.get(request).await.unwrap().into_inner().result;
    assert_eq!(found.len(), 2, "what is missing is left out");
    let of = |wanted: u64| found.iter().find(|point| number(point.id.clone()) == wanted).unwrap();
    assert_eq!(Value::from(Payload::from(of(1).payload.clone())), any);
    let vectors = of(1).vectors.clone().unwrap();
    let Some(vector_output::Vector::Dense(dense)) = vectors.get_vector_by_name("") else {
        panic!("{vectors:?} has no dense vector")
    };
    assert_eq!(
        dense.data,
        [0.0, 0.0, 0.0, 1.0],
        "the cosine wants vectors of length one"
    );
    let Some(vector_output::Vector::Sparse(sparse)) = vectors.get_vector_by_name("keywords") else {
        panic!("{vectors:?} has no sparse vector")
    };
    assert_eq!((sparse.indices, sparse.values), (vec![2, 9], vec![0.25, 0.5]));
    assert!(of(2).payload.is_empty());
}

#[tokio::test]
async fn points_are_replaced_whole_and_deleted_by_id_or_by_filter() {
    let (double, mut client) = server_with_points().await;
    client.upsert([dense(2, vec![1.0; 4], json!({"m": 2}))]).await.unwrap();
    let has_n = || Filter::must_not([Condition::is_empty("n")]);
    assert_eq!(client.matching(has_n()).await, [1, 3], "what was there before is gone");

    assert_eq!(client.delete(ids([1, 77])).await.unwrap(), UpdateStatus::Completed);
    assert_eq!(client.count(None).await.unwrap(), 2);
    let by_filter = PointsSelectorOneOf::Filter(has_n());
    client.delete(by_filter).await.unwrap();
    assert_eq!(client.count(None).await.unwrap(), 1);
    assert_eq!(client.count(Some(has_n())).await.unwrap(), 0);

    client.points.upsert(upsert([numbered(8), numbered(9)])).await.unwrap();
    let last = double.calls().pop().unwrap();
    assert_eq!((last.collection.as_str(), last.points), (COLLECTION, 2));
}

#[tokio::test]
async fn a_conditional_upsert_replaces_what_matches_and_adds_what_is_missing() {
    let (_double, mut client) = server_with_points().await;
    let replacing = |id: u64| dense(id, vec![1.0; 4], json!({"n": 0}));
    let request = UpsertPoints {
        update_filter: Some(Filter::must([Condition::matches("n", 2)])),
        ..upsert([replacing(1), replacing(2), replacing(4)])
    };
    client.points.upsert(request).await.unwrap();
    assert_eq!(
        client.matching(Filter::must([Condition::matches("n", 0)])).await,
        [2, 4]
    );
}

#[tokio::test]
async fn payload_is_set_by_field_and_overwritten_whole() {
    let (_double, mut client) = server_with_points().await;
    let change = |payload: Value, selector| SetPayloadPoints {
        collection_name: COLLECTION.to_owned(),
        payload: Payload::try_from(payload).unwrap().into(),
        points_selector: Some(PointsSelector {
            points_selector_one_of: Some(selector),
        }),
        ..SetPayloadPoints::default()
    };
    let two = PointsSelectorOneOf::Filter(Filter::must([Condition::matches("n", 2)]));
    let answer = client
        .points
        .set_payload(change(json!({"new": "x"}), two))
        .await
        .unwrap();
    assert_eq!(
        status(&answer.into_inner()),
        UpdateStatus::Acknowledged,
        "nobody waited"
    );
    client
        .points
        .overwrite_payload(change(json!({"new": "x"}), ids([3])))
        .await
        .unwrap();
    assert_eq!(
        client
            .matching(Filter::must([Condition::matches("new", "x".to_owned())]))
            .await,
        [2, 3]
    );
    assert_eq!(client.matching(Filter::must([Condition::is_empty("n")])).await, [3]);
}

#[tokio::test]
async fn many_clients_write_and_read_at_the_same_time() {
    let (double, mut client) = server().await;
    let writers: Vec<_> = (0..4_u64)
        .map(|writer| {
            let mut client = Client::of(&double);
            tokio::spawn(async move {
                for batch in 0..5 {
                    let first = writer * 100 + batch * 20;
                    let points = (first..first + 20).map(|id| dense(id, vec![1.0; 4], json!({"writer": writer})));
                    client.upsert(points).await.unwrap();
                }
            })
        })
        .collect();
    while client.count(None).await.unwrap() < 400 {}
    for writer in writers {
        writer.await.unwrap();
    }
    let of_one = Filter::must([Condition::matches("writer", 3)]);
    assert_eq!(client.count(Some(of_one)).await.unwrap(), 100);
}
