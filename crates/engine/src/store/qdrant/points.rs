//! Turns our points and keys into Qdrant's, and Qdrant's back.

use std::collections::HashMap;

use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::vectors::VectorsOptions;
use qdrant_client::qdrant::{
    DenseVector, NamedVectors, PointId, PointStruct, RetrievedPoint, ScoredPoint, SparseVector, Value, Vector, Vectors,
    VectorsOutput, vector, vector_output, vectors_output,
};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::keywords::{KEYWORDS, Keywords};
use crate::point::{Point, PointKey, StoredPoint};
use crate::store::contract::{Detail, Hit};
use crate::store::error::StoreError;
use crate::store::share::{Share, TENANT};

/// What Qdrant calls a vector without a name.
const DEFAULT_VECTOR: &str = "";

/// A point as Qdrant keeps it.
pub(super) fn point_struct(share: &Share, point: Point) -> Result<PointStruct, StoreError> {
    let wrong = |what: String| StoreError::Transient(format!("payload of point {}: {what}", point.id));
    let payload = match serde_json::to_value(&point.payload) {
        Ok(serde_json::Value::Object(payload)) => payload,
        Ok(other) => return Err(wrong(format!("{other} is not an object"))),
        Err(error) => return Err(wrong(error.to_string())),
    };
    let mut payload: HashMap<String, Value> = payload
        .into_iter()
        .map(|(key, value)| (key, Value::from(value)))
        .collect();
    if let Some(tenant) = share.tenant() {
        payload.insert(TENANT.to_owned(), tenant.into());
    }
    let mut named = HashMap::from([(
        DEFAULT_VECTOR.to_owned(),
        vector_of(vector::Vector::Dense(DenseVector { data: point.vector })),
    )]);
    if !point.keywords.is_empty() {
        named.insert(
            KEYWORDS.to_owned(),
            vector_of(vector::Vector::Sparse(sparse(point.keywords))),
        );
    }
    Ok(PointStruct {
        id: Some(point_id(point.id.into())),
        payload,
        vectors: Some(Vectors {
            vectors_options: Some(VectorsOptions::Vectors(NamedVectors { vectors: named })),
        }),
    })
}

/// Keywords as Qdrant has them.
pub(super) fn sparse(keywords: Keywords) -> SparseVector {
    SparseVector {
        values: keywords.weights,
        indices: keywords.words,
    }
}

/// A key as Qdrant has it.
pub(super) fn point_id(key: PointKey) -> PointId {
    PointId {
        point_id_options: Some(match key {
            PointKey::Number(number) => PointIdOptions::Num(number),
            PointKey::Id(id) => PointIdOptions::Uuid(id.to_string()),
        }),
    }
}

/// What a search found; `None` when it is not one of ours.
pub(super) fn hit(found: ScoredPoint) -> Option<Hit> {
    let Some(PointKey::Id(id)) = point_key(found.id) else {
        return None;
    };
    Some(Hit {
        id,
        score: found.score,
        payload: payload(found.payload).ok()?,
    })
}

/// A point as it is kept.
pub(super) fn stored(found: RetrievedPoint, detail: Detail) -> Option<StoredPoint> {
    let key = point_key(found.id)?;
    let mut stored = StoredPoint {
        key,
        identity: None,
        whole: None,
    };
    match detail {
        Detail::Key => {}
        Detail::Identity => stored.identity = payload(found.payload).ok(),
        Detail::Whole => {
            let (vector, keywords) = vectors(found.vectors);
            if let (PointKey::Id(id), Some(vector), Ok(payload)) = (key, vector, payload(found.payload)) {
                stored.whole = Some(Point {
                    id,
                    vector,
                    keywords,
                    payload,
                });
            }
        }
    }
    Some(stored)
}

fn point_key(id: Option<PointId>) -> Option<PointKey> {
    match id?.point_id_options? {
        PointIdOptions::Num(number) => Some(PointKey::Number(number)),
        PointIdOptions::Uuid(text) => Uuid::parse_str(&text).ok().map(PointKey::Id),
    }
}

fn payload<T: DeserializeOwned>(found: HashMap<String, Value>) -> Result<T, serde_json::Error> {
    let payload = found.into_iter().map(|(key, value)| (key, value.into_json())).collect();
    serde_json::from_value(serde_json::Value::Object(payload))
}

fn vectors(found: Option<VectorsOutput>) -> (Option<Vec<f32>>, Keywords) {
    let mut dense = None;
    let mut keywords = Keywords::default();
    let mut take = |vector: qdrant_client::qdrant::VectorOutput| match vector.into_vector() {
        vector_output::Vector::Dense(vector) => dense = Some(vector.data),
        vector_output::Vector::Sparse(vector) => {
            keywords = Keywords {
                words: vector.indices,
                weights: vector.values,
            };
        }
        vector_output::Vector::MultiDense(_) => {}
    };
    match found.and_then(|found| found.vectors_options) {
        Some(vectors_output::VectorsOptions::Vector(vector)) => take(vector),
        Some(vectors_output::VectorsOptions::Vectors(named)) => {
            for (name, vector) in named.vectors {
                if name == DEFAULT_VECTOR || name == KEYWORDS {
                    take(vector);
                }
            }
        }
        None => {}
    }
    (dense, keywords)
}

fn vector_of(vector: vector::Vector) -> Vector {
    Vector {
        vector: Some(vector),
        ..Vector::default()
    }
}
