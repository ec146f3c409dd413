//! Which points, and what of them.

use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use qdrant_client::qdrant::{
    PointsSelector, WithPayloadSelector, WithVectorsSelector, with_payload_selector, with_vectors_selector,
};
use qdrant_edge::{
    Filter, JsonPath, PayloadSelector, PayloadSelectorExclude, PayloadSelectorInclude, PointId, WithPayloadInterface,
    WithVector,
};
use tonic::Status;

use crate::{filters, ids};

/// Points that are to be updated.
pub(crate) enum Selected {
    /// By their ids.
    Ids(Vec<PointId>),
    /// Those that a filter matches.
    Filter(Filter),
}

/// The points that a request selects.
pub(crate) fn selected(selector: Option<PointsSelector>) -> Result<Selected, Status> {
    match selector.and_then(|selector| selector.points_selector_one_of) {
        Some(PointsSelectorOneOf::Points(points)) => ids::engine_ids(points.ids).map(Selected::Ids),
        Some(PointsSelectorOneOf::Filter(filter)) => filters::filter(filter).map(Selected::Filter),
        None => Err(Status::invalid_argument("PointSelector is missing")),
    }
}

/// What of the payload is wanted; `None` leaves it to the method.
pub(crate) fn payload(selector: Option<WithPayloadSelector>) -> Result<Option<WithPayloadInterface>, Status> {
    use with_payload_selector::SelectorOptions;
    let Some(options) = selector.and_then(|selector| selector.selector_options) else {
        return Ok(None);
    };
    Ok(Some(match options {
        SelectorOptions::Enable(enable) => WithPayloadInterface::Bool(enable),
        SelectorOptions::Include(fields) => {
            let include = paths(fields.fields)?;
            WithPayloadInterface::Selector(PayloadSelector::Include(PayloadSelectorInclude { include }))
        }
        SelectorOptions::Exclude(fields) => {
            let exclude = paths(fields.fields)?;
            WithPayloadInterface::Selector(PayloadSelector::Exclude(PayloadSelectorExclude { exclude }))
        }
    }))
}

/// Which vectors are wanted.
pub(crate) fn vectors(selector: Option<WithVectorsSelector>) -> WithVector {
    use with_vectors_selector::SelectorOptions;
    match selector.and_then(|selector| selector.selector_options) {
        Some(SelectorOptions::Enable(enable)) => WithVector::Bool(enable),
        Some(SelectorOptions::Include(vectors)) => WithVector::Selector(vectors.names),
        None => WithVector::Bool(false),
    }
}

/// The path of a payload field.
pub(crate) fn path(field: &str) -> Result<JsonPath, Status> {
    field
        .parse()
        .map_err(|()| Status::invalid_argument(format!("Invalid json path: '{field}'")))
}

fn paths(fields: Vec<String>) -> Result<Vec<JsonPath>, Status> {
    fields.iter().map(|field| path(field)).collect()
}
