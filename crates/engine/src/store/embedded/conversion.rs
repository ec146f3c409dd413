//! Turns our points, keys and questions into the engine's, and its answers back.

use std::collections::HashMap;

use qdrant_edge::{
    BoolIndexParams, ConditionalInsertOperation, CountRequest, CreateIndex, DEFAULT_VECTOR_NAME, FieldIndexOperations,
    FloatIndexParams, IdfCorpusParams, IdfParams, IntegerIndexParams, JsonPath, KeywordIndexParams, Memory, NamedQuery,
    Payload, PayloadFieldSchema, PayloadOps, PayloadSchemaParams, PayloadSchemaType, PointId, PointInsertOperations,
    PointOperations, PointStructPersisted, QueryEnum, QueryRequest, QueryRequestBuilder, Record, ScoredPoint,
    ScoringQuery, ScrollRequest, SearchParams, SetPayloadOp, SparseVector, UpdateOperation, VectorInternal,
    VectorPersisted, VectorStructInternal, VectorStructPersisted, WithPayloadInterface, WithVector,
};
use serde_json::Value;

use super::filter::{filter, filter_of_keys};
use super::settings::{self, Layout};
use crate::fields::{Field, FieldKind, FieldsChange};
use crate::keywords::{KEYWORDS, Keywords};
use crate::point::{Point, PointIdentity, PointKey, PointPayload, StoredPoint, fields_payload};
use crate::store::contract::{Detail, Hit, Question, Search};
use crate::store::error::StoreError;
use crate::store::share::{Share, TENANT};

/// The engine's operation that writes these points, each replaced whole.
pub(super) fn upsert(share: &Share, points: Vec<Point>, layout: Layout) -> Result<UpdateOperation, StoreError> {
    let points = points
        .into_iter()
        .map(|point| engine_point(share, point, layout))
        .collect::<Result<_, _>>()?;
    let points = PointInsertOperations::PointsList(points);
    Ok(UpdateOperation::PointOperation(match filter(share, &[])? {
        None => PointOperations::UpsertPoints(points),
        Some(condition) => PointOperations::UpsertPointsConditional(ConditionalInsertOperation {
            points_op: points,
            condition,
            update_mode: None,
        }),
    }))
}

/// The engine's operation that removes these points.
pub(super) fn delete(share: &Share, keys: &[PointKey]) -> Result<UpdateOperation, StoreError> {
    let operation = if share.client_id.is_none() {
        PointOperations::DeletePoints {
            ids: keys.iter().copied().map(engine_id).collect(),
        }
    } else {
        PointOperations::DeletePointsByFilter(filter_of_keys(share, keys)?)
    };
    Ok(UpdateOperation::PointOperation(operation))
}

/// The engine's operation that removes all points of a share.
pub(super) fn clear(share: &Share) -> Result<UpdateOperation, StoreError> {
    let all = filter(share, &[])?.unwrap_or_default();
    Ok(UpdateOperation::PointOperation(PointOperations::DeletePointsByFilter(
        all,
    )))
}

/// The engine's operation that indexes the field by which a collection is shared.
pub(super) fn tenant_index() -> UpdateOperation {
    let params = KeywordIndexParams {
        is_tenant: Some(true),
        memory: Some(Memory::Cold),
        ..KeywordIndexParams::default()
    };
    create_index(CreateIndex {
        field_name: json_path(TENANT),
        field_schema: Some(PayloadFieldSchema::FieldParams(PayloadSchemaParams::Keyword(params))),
    })
}

/// The engine's operation that makes an index.
pub(super) fn create_index(index: CreateIndex) -> UpdateOperation {
    UpdateOperation::FieldIndexOperation(FieldIndexOperations::CreateIndex(index))
}

/// The index of a column that points carry, kept on disk as everything is.
pub(super) fn field_index(field: &Field) -> Result<CreateIndex, StoreError> {
    let memory = Some(Memory::Cold);
    let params = match field.kind {
        FieldKind::Bool => PayloadSchemaParams::Bool(BoolIndexParams {
            memory,
            ..BoolIndexParams::default()
        }),
        FieldKind::Integer => PayloadSchemaParams::Integer(IntegerIndexParams {
            memory,
            ..IntegerIndexParams::default()
        }),
        FieldKind::Float => PayloadSchemaParams::Float(FloatIndexParams {
            memory,
            ..FloatIndexParams::default()
        }),
        FieldKind::Keyword => PayloadSchemaParams::Keyword(KeywordIndexParams {
            memory,
            ..KeywordIndexParams::default()
        }),
    };
    let path = field.path();
    Ok(CreateIndex {
        field_name: path
            .parse()
            .map_err(|()| StoreError::Configuration(format!("the engine does not take the path {path}")))?,
        field_schema: Some(PayloadFieldSchema::FieldParams(params)),
    })
}

/// What the engine says of an index of such values.
pub(super) fn index_type(kind: FieldKind) -> PayloadSchemaType {
    match kind {
        FieldKind::Bool => PayloadSchemaType::Bool,
        FieldKind::Integer => PayloadSchemaType::Integer,
        FieldKind::Float => PayloadSchemaType::Float,
        FieldKind::Keyword => PayloadSchemaType::Keyword,
    }
}

/// The engine's operation that lets points carry other columns.
pub(super) fn set_fields(share: &Share, change: &FieldsChange) -> Result<UpdateOperation, StoreError> {
    let keys: Vec<PointKey> = change.points.iter().copied().map(PointKey::Id).collect();
    Ok(UpdateOperation::PayloadOperation(PayloadOps::SetPayload(
        SetPayloadOp {
            payload: Payload(fields_payload(&change.fields)),
            points: None,
            // Of points that are named outright, one that is missing would be an error.
            filter: Some(filter_of_keys(share, &keys)?),
            key: None,
        },
    )))
}

/// Asks for the points that answer best, with their payload.
pub(super) fn query(share: &Share, search: Search) -> Result<QueryRequest, StoreError> {
    let Search {
        question,
        limit,
        conditions,
    } = search;
    let (nearest, corpus) = match question {
        Question::Dense(vector) => (NamedQuery::default_dense(vector), None),
        Question::Keywords(keywords) => (
            NamedQuery::new(VectorInternal::Sparse(sparse(keywords)), KEYWORDS),
            // Among a client's own texts a word may be rarer than among everybody's.
            filter(share, &[])?,
        ),
    };
    let request = QueryRequestBuilder::new(limit)
        .query(ScoringQuery::Vector(QueryEnum::Nearest(nearest)))
        .params(SearchParams {
            hnsw_ef: Some(settings::search_breadth(limit)),
            idf: corpus.map(|corpus| IdfParams::Corpus(IdfCorpusParams { corpus })),
            ..SearchParams::default()
        })
        .with_payload(WithPayloadInterface::Fields(
            PointPayload::SHOWN.map(json_path).to_vec(),
        ))
        .build();
    Ok(QueryRequest {
        filter: filter(share, &conditions)?,
        ..request
    })
}

/// Asks for the points after this one; `None` when there can be none.
pub(super) fn scroll(
    share: &Share,
    after: Option<PointKey>,
    limit: usize,
    detail: Detail,
) -> Result<Option<ScrollRequest>, StoreError> {
    // The engine's offset is the first key of the page, ours the last one of the page before.
    let offset = match after {
        None => None,
        Some(after) => match after.next() {
            Some(first) => Some(engine_id(first)),
            None => return Ok(None),
        },
    };
    Ok(Some(ScrollRequest {
        offset,
        limit: Some(limit),
        filter: filter(share, &[])?,
        with_payload: Some(match detail {
            Detail::Key => WithPayloadInterface::Bool(false),
            Detail::Identity => WithPayloadInterface::Fields(PointIdentity::FIELDS.map(json_path).to_vec()),
            Detail::Whole => WithPayloadInterface::Bool(true),
        }),
        with_vector: WithVector::Bool(detail == Detail::Whole),
        order_by: None,
    }))
}

/// Asks how many points there are.
pub(super) fn count(share: &Share) -> Result<CountRequest, StoreError> {
    Ok(CountRequest {
        filter: filter(share, &[])?,
        exact: true,
    })
}

/// What a search found; `None` when it is not one of ours.
pub(super) fn hit(found: ScoredPoint) -> Option<Hit> {
    let PointKey::Id(id) = point_key(found.id) else {
        return None;
    };
    Some(Hit {
        id,
        score: found.score,
        payload: serde_json::from_value(Value::Object(found.payload?.0)).ok()?,
    })
}

/// A point as it is kept.
pub(super) fn stored(record: Record, detail: Detail) -> StoredPoint {
    let key = point_key(record.id);
    let payload = Value::Object(record.payload.unwrap_or_default().0);
    let mut stored = StoredPoint {
        key,
        identity: None,
        whole: None,
    };
    match detail {
        Detail::Key => {}
        Detail::Identity => stored.identity = serde_json::from_value(payload).ok(),
        Detail::Whole => {
            let (vector, keywords) = vectors(record.vector);
            if let (PointKey::Id(id), Some(vector), Ok(payload)) = (key, vector, serde_json::from_value(payload)) {
                stored.whole = Some(Point {
                    id,
                    vector,
                    keywords,
                    payload,
                });
            }
        }
    }
    stored
}

fn vectors(found: Option<VectorStructInternal>) -> (Option<Vec<f32>>, Keywords) {
    match found {
        Some(VectorStructInternal::Single(vector)) => (Some(vector), Keywords::default()),
        Some(VectorStructInternal::Named(mut named)) => (
            match named.remove(DEFAULT_VECTOR_NAME) {
                Some(VectorInternal::Dense(vector)) => Some(vector),
                _ => None,
            },
            match named.remove(KEYWORDS) {
                Some(VectorInternal::Sparse(keywords)) => keywords.into(),
                _ => Keywords::default(),
            },
        ),
        Some(VectorStructInternal::MultiDense(_)) | None => (None, Keywords::default()),
    }
}

fn engine_point(share: &Share, point: Point, layout: Layout) -> Result<PointStructPersisted, StoreError> {
    let mut payload = match serde_json::to_value(&point.payload) {
        Ok(Value::Object(payload)) => payload,
        Ok(other) => {
            return Err(StoreError::Transient(format!(
                "payload of point {} is not an object: {other}",
                point.id
            )));
        }
        Err(error) => return Err(StoreError::Transient(format!("payload of point {}: {error}", point.id))),
    };
    if let Some(tenant) = share.tenant() {
        payload.insert(TENANT.to_owned(), tenant.into());
    }
    let vector = if layout.has_keywords && !point.keywords.is_empty() {
        VectorStructPersisted::Named(HashMap::from([
            (DEFAULT_VECTOR_NAME.to_owned(), VectorPersisted::Dense(point.vector)),
            (KEYWORDS.to_owned(), VectorPersisted::Sparse(sparse(point.keywords))),
        ]))
    } else {
        VectorStructPersisted::Single(point.vector)
    };
    Ok(PointStructPersisted {
        id: PointId::Uuid(point.id),
        vector,
        payload: Some(Payload(payload)),
    })
}

/// The path of a field of a payload.
fn json_path(field: &str) -> JsonPath {
    JsonPath {
        first_key: field.to_owned(),
        rest: Vec::new(),
    }
}

fn sparse(keywords: Keywords) -> SparseVector {
    SparseVector {
        indices: keywords.words,
        values: keywords.weights,
    }
}

fn engine_id(key: PointKey) -> PointId {
    match key {
        PointKey::Number(number) => PointId::NumId(number),
        PointKey::Id(id) => PointId::Uuid(id),
    }
}

fn point_key(id: PointId) -> PointKey {
    match id {
        PointId::NumId(number) => PointKey::Number(number),
        PointId::Uuid(id) => PointKey::Id(id),
    }
}
