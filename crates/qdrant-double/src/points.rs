//! Points with their payload and vectors.

use std::collections::HashMap;

use qdrant_client::Payload;
use qdrant_client::qdrant::{PointStruct, RetrievedPoint, ScoredPoint, Value};
use qdrant_edge::{Payload as EnginePayload, PointStructPersisted, Record, ScoredPoint as EngineScored};
use tonic::Status;

use crate::{ids, vectors};

/// A point that is to be stored.
pub(crate) fn stored(point: PointStruct) -> Result<PointStructPersisted, Status> {
    let id = point
        .id
        .ok_or_else(|| Status::invalid_argument("Empty ID is not allowed"))?;
    Ok(PointStructPersisted {
        id: ids::engine_id(id)?,
        vector: vectors::stored(point.vectors)?,
        payload: Some(engine_payload(point.payload)).filter(|payload| !payload.0.is_empty()),
    })
}

/// The engine's payload.
pub(crate) fn engine_payload(payload: HashMap<String, Value>) -> EnginePayload {
    EnginePayload(Payload::from(payload).into())
}

/// A point as it is sent.
pub(crate) fn retrieved(record: Record) -> RetrievedPoint {
    RetrievedPoint {
        id: Some(ids::sent_id(record.id)),
        payload: sent_payload(record.payload),
        vectors: record.vector.map(vectors::sent),
        ..RetrievedPoint::default()
    }
}

/// A point that was searched for, as it is sent.
pub(crate) fn scored(point: EngineScored) -> ScoredPoint {
    ScoredPoint {
        id: Some(ids::sent_id(point.id)),
        payload: sent_payload(point.payload),
        score: point.score,
        version: point.version,
        vectors: point.vector.map(vectors::sent),
        ..ScoredPoint::default()
    }
}

fn sent_payload(payload: Option<EnginePayload>) -> HashMap<String, Value> {
    payload.map_or_else(HashMap::new, |payload| Payload::from(payload.0).into())
}
