//! Lets points carry other columns, without writing their vectors again.

use std::collections::HashMap;

use futures_util::stream::{self, TryStreamExt};
use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use qdrant_client::qdrant::points_update_operation::{Operation, SetPayload};
use qdrant_client::qdrant::{PointsSelector, PointsUpdateOperation, UpdateBatchPoints, Value};

use super::connection::Connection;
use super::failure::{completed, error, incomplete};
use super::filter::filter_of_keys;
use crate::fields::FieldsChange;
use crate::point::{PointKey, fields_payload};
use crate::store::error::StoreError;
use crate::store::share::Share;

/// Changes in one request.
const CHANGES_IN_REQUEST: usize = 256;

/// Requests at a time.
const STREAMS: usize = 4;

/// Makes the changes and returns when the server has completed all of them.
pub(super) async fn change_fields(
    connection: &Connection,
    share: &Share,
    changes: &[FieldsChange],
) -> Result<(), StoreError> {
    stream::iter(changes.chunks(CHANGES_IN_REQUEST).map(Ok))
        .try_for_each_concurrent(STREAMS, |changes| send(connection, share, changes))
        .await
}

async fn send(connection: &Connection, share: &Share, changes: &[FieldsChange]) -> Result<(), StoreError> {
    let request = UpdateBatchPoints {
        collection_name: share.collection.clone(),
        wait: Some(true),
        operations: changes.iter().map(|change| operation(share, change)).collect(),
        timeout: connection.patience(),
        ..UpdateBatchPoints::default()
    };
    let answer = connection
        .points()?
        .update_batch(request)
        .await
        .map_err(|status| error(connection, &share.collection, &status))?;
    let results = answer.into_inner().result;
    if results.len() != changes.len() {
        return Err(incomplete(connection));
    }
    results
        .into_iter()
        .try_for_each(|result| completed(connection, Some(result)))
}

/// By a filter: of points that are named outright, one that is missing would be an error.
fn operation(share: &Share, change: &FieldsChange) -> PointsUpdateOperation {
    let keys: Vec<PointKey> = change.points.iter().copied().map(PointKey::Id).collect();
    let payload: HashMap<String, Value> = fields_payload(&change.fields)
        .into_iter()
        .map(|(key, value)| (key, Value::from(value)))
        .collect();
    PointsUpdateOperation {
        operation: Some(Operation::SetPayload(SetPayload {
            payload,
            points_selector: Some(PointsSelector {
                points_selector_one_of: Some(PointsSelectorOneOf::Filter(filter_of_keys(share, &keys))),
            }),
            ..SetPayload::default()
        })),
    }
}
