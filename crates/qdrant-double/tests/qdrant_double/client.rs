//! A client, and requests that are much the same everywhere.

use qdrant_client::Payload;
use qdrant_client::qdrant::collections_client::CollectionsClient;
use qdrant_client::qdrant::points_client::PointsClient;
use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::{
    CountPoints, CreateCollection, DeletePoints, Distance, Filter, Modifier, NamedVectors, PointId, PointStruct,
    PointsIdsList, PointsOperationResponse, PointsSelector, ScrollPoints, SparseVectorConfig, SparseVectorParams,
    UpdateStatus, UpsertPoints, Vector, VectorParams, Vectors, VectorsConfig, vectors,
};
use serde_json::Value;
use tonic::Status;
use tonic::transport::Channel;
use vb_qdrant_double::server::QdrantDouble;
use vb_qdrant_double::settings::Settings;

/// The collection of most tests: four dimensions, cosine, and a sparse vector `keywords`.
pub(crate) const COLLECTION: &str = "things";

pub(crate) struct Client {
    pub(crate) collections: CollectionsClient<Channel>,
    pub(crate) points: PointsClient<Channel>,
}

/// A server with an empty collection, and a client.
pub(crate) async fn server() -> (QdrantDouble, Client) {
    let double = QdrantDouble::start(Settings::default()).unwrap();
    let mut client = Client::of(&double);
    client.collections.create(collection(COLLECTION)).await.unwrap();
    (double, client)
}

/// The same with points 1 to 3, whose payload is `{"n": <id>}`.
pub(crate) async fn server_with_points() -> (QdrantDouble, Client) {
    let (double, mut client) = server().await;
    client.upsert([numbered(1), numbered(2), numbered(3)]).await.unwrap();
    (double, client)
}

impl Client {
    pub(crate) fn of(double: &QdrantDouble) -> Self {
        Self::over(Channel::from_shared(double.url()).unwrap().connect_lazy())
    }

    pub(crate) fn over(channel: Channel) -> Self {
        Self {
            collections: CollectionsClient::new(channel.clone()),
            points: PointsClient::new(channel),
        }
    }

    /// Writes points and waits for that.
    pub(crate) async fn upsert(
        &mut self,
        points: impl IntoIterator<Item = PointStruct>,
    ) -> Result<UpdateStatus, Status> {
        let request = upsert(points);
        self.points
            .upsert(request)
            .await
            .map(|answer| status(&answer.into_inner()))
    }

    /// Removes points and waits for that.
    pub(crate) async fn delete(&mut self, points: PointsSelectorOneOf) -> Result<UpdateStatus, Status> {
        let request = DeletePoints {
            collection_name: COLLECTION.to_owned(),
            wait: Some(true),
            points: Some(PointsSelector {
                points_selector_one_of: Some(points),
            }),
            ..DeletePoints::default()
        };
        self.points
            .delete(request)
            .await
            .map(|answer| status(&answer.into_inner()))
    }

    pub(crate) async fn count(&mut self, filter: Option<Filter>) -> Result<u64, Status> {
        let request = CountPoints {
            collection_name: COLLECTION.to_owned(),
            filter,
            exact: Some(true),
            ..CountPoints::default()
        };
        let answer = self.points.count(request).await?.into_inner();
        Ok(answer.result.unwrap().count)
    }

    /// Numbers that are the ids of the points a filter matches.
    pub(crate) async fn matching(&mut self, filter: Filter) -> Vec<u64> {
        let request = ScrollPoints {
            collection_name: COLLECTION.to_owned(),
            filter: Some(filter),
            limit: Some(100),
            ..ScrollPoints::default()
        };
        let found = self.points.scroll(request).await.unwrap().into_inner().result;
        found.into_iter().map(|point| number(point.id)).collect()
    }
}

pub(crate) fn collection(name: &str) -> CreateCollection {
    CreateCollection {
        collection_name: name.to_owned(),
        vectors_config: Some(VectorsConfig {
            config: Some(Config::Params(VectorParams {
                size: 4,
                distance: Distance::Cosine.into(),
                ..VectorParams::default()
            })),
        }),
        sparse_vectors_config: Some(SparseVectorConfig {
            map: [(
                "keywords".to_owned(),
                SparseVectorParams {
                    modifier: Some(Modifier::Idf.into()),
                    ..SparseVectorParams::default()
                },
            )]
            .into(),
        }),
        ..CreateCollection::default()
    }
}

pub(crate) fn upsert(points: impl IntoIterator<Item = PointStruct>) -> UpsertPoints {
    UpsertPoints {
        collection_name: COLLECTION.to_owned(),
        wait: Some(true),
        points: points.into_iter().collect(),
        ..UpsertPoints::default()
    }
}

/// A point with one dense vector.
pub(crate) fn dense(id: impl Into<PointId>, vector: Vec<f32>, payload: Value) -> PointStruct {
    point(id, vectors::VectorsOptions::Vector(Vector::from(vector)), payload)
}

/// A point with a dense and a sparse vector.
pub(crate) fn dense_and_sparse(
    id: impl Into<PointId>,
    vector: Vec<f32>,
    keywords: Vec<(u32, f32)>,
    payload: Value,
) -> PointStruct {
    let vectors = NamedVectors {
        vectors: [
            (String::new(), Vector::from(vector)),
            ("keywords".to_owned(), Vector::from(keywords)),
        ]
        .into(),
    };
    point(id, vectors::VectorsOptions::Vectors(vectors), payload)
}

/// A point that is its number all over.
pub(crate) fn numbered(number: u8) -> PointStruct {
    let vector = vec![1.0, f32::from(number), 0.0, 0.0];
    dense(u64::from(number), vector, serde_json::json!({"n": number}))
}

pub(crate) fn point(id: impl Into<PointId>, options: vectors::VectorsOptions, payload: Value) -> PointStruct {
    PointStruct {
        id: Some(id.into()),
        payload: Payload::try_from(payload).unwrap().into(),
        vectors: Some(Vectors {
            vectors_options: Some(options),
        }),
    }
}

pub(crate) fn ids(ids: impl IntoIterator<Item = u64>) -> PointsSelectorOneOf {
    PointsSelectorOneOf::Points(PointsIdsList {
        ids: ids.into_iter().map(PointId::from).collect(),
    })
}

pub(crate) fn number(id: Option<PointId>) -> u64 {
    use qdrant_client::qdrant::point_id::PointIdOptions;
    match id.and_then(|id| id.point_id_options) {
        Some(PointIdOptions::Num(number)) => number,
        other => panic!("{other:?} is no number"),
    }
}

pub(crate) fn status(answer: &PointsOperationResponse) -> UpdateStatus {
    answer.result.as_ref().unwrap().status()
}
