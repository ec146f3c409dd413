//! What changes points. Everything is applied before it is answered, whether the client waits for that or not; only the
//! answers differ.

use qdrant_client::qdrant::points_update_operation::Operation;
use qdrant_client::qdrant::{
    CreateFieldIndexCollection, DeleteFieldIndexCollection, DeletePoints, PointsOperationResponse, SetPayloadPoints,
    UpdateBatchPoints, UpdateBatchResponse, UpdateResult, UpdateStatus, UpsertPoints,
};
use qdrant_edge::{
    ConditionalInsertOperation, PayloadOps, PointInsertOperations, PointOperations, SetPayloadOp, UpdateOperation,
};
use tonic::Status;

use crate::catalogue::Catalogue;
use crate::filters::filter;
use crate::points;
use crate::selectors::{Selected, path, selected};
use crate::status::{empty_update, unserved_if};

/// Writes points, each replaced whole.
pub(crate) fn upsert(catalogue: &Catalogue, asked: UpsertPoints) -> Result<PointsOperationResponse, Status> {
    unserved_if(asked.shard_key_selector.is_some(), "shard keys")?;
    unserved_if(asked.update_mode.is_some(), "modes of upserts")?;
    let condition = asked.update_filter.map(filter).transpose()?;
    let points: Vec<_> = asked.points.into_iter().map(points::stored).collect::<Result<_, _>>()?;
    let collection = catalogue.find(&asked.collection_name)?;
    if points.is_empty() {
        return Err(empty_update());
    }
    let points_op = PointInsertOperations::PointsList(points);
    let operation = match condition {
        None => PointOperations::UpsertPoints(points_op),
        Some(condition) => PointOperations::UpsertPointsConditional(ConditionalInsertOperation {
            points_op,
            condition,
            update_mode: None,
        }),
    };
    let number = collection.update(UpdateOperation::PointOperation(operation))?;
    Ok(updated(number, asked.wait))
}

/// Removes points.
pub(crate) fn delete(catalogue: &Catalogue, asked: DeletePoints) -> Result<PointsOperationResponse, Status> {
    unserved_if(asked.shard_key_selector.is_some(), "shard keys")?;
    let operation = match selected(asked.points)? {
        Selected::Ids(ids) => PointOperations::DeletePoints { ids },
        Selected::Filter(filter) => PointOperations::DeletePointsByFilter(filter),
    };
    let collection = catalogue.find(&asked.collection_name)?;
    if matches!(&operation, PointOperations::DeletePoints { ids } if ids.is_empty()) {
        return Err(empty_update());
    }
    let number = collection.update(UpdateOperation::PointOperation(operation))?;
    Ok(updated(number, asked.wait))
}

/// Sets some fields of the payload.
pub(crate) fn set_payload(catalogue: &Catalogue, asked: SetPayloadPoints) -> Result<PointsOperationResponse, Status> {
    change_payload(catalogue, asked, PayloadOps::SetPayload)
}

/// Replaces the whole payload.
pub(crate) fn overwrite_payload(
    catalogue: &Catalogue,
    asked: SetPayloadPoints,
) -> Result<PointsOperationResponse, Status> {
    change_payload(catalogue, asked, PayloadOps::OverwritePayload)
}

/// Several updates, one after the other, each applied when the next begins.
pub(crate) fn update_batch(catalogue: &Catalogue, asked: UpdateBatchPoints) -> Result<UpdateBatchResponse, Status> {
    let mut result = Vec::with_capacity(asked.operations.len());
    for operation in asked.operations {
        let Some(Operation::SetPayload(change)) = operation.operation else {
            return Err(Status::unimplemented(
                "the double changes nothing but payloads in batches",
            ));
        };
        let change = SetPayloadPoints {
            collection_name: asked.collection_name.clone(),
            wait: asked.wait,
            payload: change.payload,
            points_selector: change.points_selector,
            shard_key_selector: change.shard_key_selector,
            key: change.key,
            ..SetPayloadPoints::default()
        };
        result.extend(set_payload(catalogue, change)?.result);
    }
    Ok(UpdateBatchResponse {
        result,
        ..UpdateBatchResponse::default()
    })
}

/// Makes a payload index.
pub(crate) fn create_index(
    catalogue: &Catalogue,
    asked: CreateFieldIndexCollection,
) -> Result<PointsOperationResponse, Status> {
    let wait = asked.wait;
    let number = catalogue.find(&asked.collection_name)?.create_index(asked)?;
    Ok(updated(number, wait))
}

/// Removes a payload index.
pub(crate) fn delete_index(
    catalogue: &Catalogue,
    asked: DeleteFieldIndexCollection,
) -> Result<PointsOperationResponse, Status> {
    let number = catalogue.find(&asked.collection_name)?.delete_index(&asked)?;
    Ok(updated(number, asked.wait))
}

fn change_payload(
    catalogue: &Catalogue,
    asked: SetPayloadPoints,
    operation: fn(SetPayloadOp) -> PayloadOps,
) -> Result<PointsOperationResponse, Status> {
    unserved_if(asked.shard_key_selector.is_some(), "shard keys")?;
    let (points, filter) = match selected(asked.points_selector)? {
        Selected::Ids(ids) => (Some(ids), None),
        Selected::Filter(filter) => (None, Some(filter)),
    };
    let collection = catalogue.find(&asked.collection_name)?;
    if points.as_ref().is_some_and(Vec::is_empty) {
        return Err(empty_update());
    }
    let change = SetPayloadOp {
        payload: points::engine_payload(asked.payload),
        points,
        filter,
        key: asked.key.as_deref().map(path).transpose()?,
    };
    let number = collection.update(UpdateOperation::PayloadOperation(operation(change)))?;
    Ok(updated(number, asked.wait))
}

fn updated(number: u64, wait: Option<bool>) -> PointsOperationResponse {
    let status = match wait {
        Some(true) => UpdateStatus::Completed,
        Some(false) | None => UpdateStatus::Acknowledged,
    };
    PointsOperationResponse {
        result: Some(UpdateResult {
            operation_id: Some(number),
            status: status.into(),
        }),
        ..PointsOperationResponse::default()
    }
}
