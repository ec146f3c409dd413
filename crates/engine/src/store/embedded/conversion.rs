//! Turns our points, ids and questions into the engine's, and its answers back.

use qdrant_edge::{
    NamedQuery, Payload, PointId, PointInsertOperations, PointOperations, PointStructPersisted, QueryEnum,
    QueryRequest, QueryRequestBuilder, ScoredPoint, ScoringQuery, ScrollRequest, ScrollRequestBuilder, SearchParams,
    UpdateOperation, VectorStructPersisted, WithPayloadInterface,
};
use serde_json::Value;
use uuid::Uuid;

use super::settings;
use crate::point::{Point, PointPayload};
use crate::store::contract::{Hit, StoreError};

/// The engine's operation that writes these points, each replaced whole.
pub(super) fn upsert(points: Vec<Point>) -> Result<UpdateOperation, StoreError> {
    let points = points.into_iter().map(engine_point).collect::<Result<_, _>>()?;
    Ok(UpdateOperation::PointOperation(PointOperations::UpsertPoints(
        PointInsertOperations::PointsList(points),
    )))
}

/// The engine's operation that removes these points.
pub(super) fn delete(ids: &[Uuid]) -> UpdateOperation {
    let ids = ids.iter().copied().map(PointId::Uuid).collect();
    UpdateOperation::PointOperation(PointOperations::DeletePoints { ids })
}

/// Asks for the nearest points with their payload.
pub(super) fn nearest(vector: Vec<f32>, limit: usize) -> QueryRequest {
    QueryRequestBuilder::new(limit)
        .query(ScoringQuery::Vector(QueryEnum::Nearest(NamedQuery::default_dense(
            vector,
        ))))
        .params(SearchParams {
            hnsw_ef: Some(settings::search_breadth(limit)),
            ..SearchParams::default()
        })
        .with_payload(WithPayloadInterface::Bool(true))
        .build()
}

/// Asks for the ids after this one; `None` when there can be none.
pub(super) fn ids_after(after: Option<Uuid>, limit: usize) -> Option<ScrollRequest> {
    let request = ScrollRequestBuilder::new()
        .limit(limit)
        .with_payload(WithPayloadInterface::Bool(false));
    let Some(after) = after else {
        return Some(request.build());
    };
    // The engine's offset is the first id of the page, ours the last one of the page before.
    let first = Uuid::from_u128(after.as_u128().checked_add(1)?);
    Some(request.offset(PointId::Uuid(first)).build())
}

/// The id of a point that we wrote.
pub(super) fn uuid(id: PointId) -> Result<Uuid, StoreError> {
    match id {
        PointId::Uuid(id) => Ok(id),
        PointId::NumId(number) => Err(StoreError::Configuration(format!("point {number} is not one of ours"))),
    }
}

/// What a search found.
pub(super) fn hit(found: ScoredPoint) -> Result<Hit, StoreError> {
    let id = uuid(found.id)?;
    let payload = found.payload.unwrap_or_default();
    let payload: PointPayload = serde_json::from_value(Value::Object(payload.0))
        .map_err(|error| StoreError::Configuration(format!("point {id} is not one of ours: {error}")))?;
    Ok(Hit {
        id,
        score: found.score,
        payload,
    })
}

fn engine_point(point: Point) -> Result<PointStructPersisted, StoreError> {
    match serde_json::to_value(&point.payload) {
        Ok(Value::Object(payload)) => Ok(PointStructPersisted {
            id: PointId::Uuid(point.id),
            vector: VectorStructPersisted::Single(point.vector),
            payload: Some(Payload(payload)),
        }),
        Ok(other) => Err(StoreError::Transient(format!(
            "payload of point {} is not an object: {other}",
            point.id
        ))),
        Err(error) => Err(StoreError::Transient(format!("payload of point {}: {error}", point.id))),
    }
}
