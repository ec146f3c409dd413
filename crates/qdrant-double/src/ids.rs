//! Ids of points: numbers, or UUIDs as text.

use qdrant_client::qdrant::PointId;
use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_edge::PointId as EngineId;
use tonic::Status;
use uuid::Uuid;

/// The engine's id.
pub(crate) fn engine_id(id: PointId) -> Result<EngineId, Status> {
    match id.point_id_options {
        Some(PointIdOptions::Num(number)) => Ok(EngineId::NumId(number)),
        Some(PointIdOptions::Uuid(text)) => Uuid::parse_str(&text)
            .map(EngineId::Uuid)
            .map_err(|_| Status::invalid_argument(format!("Unable to parse UUID: {text}"))),
        None => Err(Status::invalid_argument("No ID options provided")),
    }
}

/// The engine's ids.
pub(crate) fn engine_ids(ids: Vec<PointId>) -> Result<Vec<EngineId>, Status> {
    ids.into_iter().map(engine_id).collect()
}

/// The id as it is sent.
pub(crate) fn sent_id(id: EngineId) -> PointId {
    match id {
        EngineId::NumId(number) => PointId::from(number),
        EngineId::Uuid(id) => PointId::from(id.to_string()),
    }
}
