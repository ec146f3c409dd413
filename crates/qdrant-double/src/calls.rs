//! What the server was asked.

use std::time::Instant;

use parking_lot::Mutex;
use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use qdrant_client::qdrant::{
    ChangeAliases, CollectionExistsRequest, CountPoints, CreateCollection, CreateFieldIndexCollection,
    DeleteCollection, DeleteFieldIndexCollection, DeletePoints, GetCollectionInfoRequest, GetPoints,
    HealthCheckRequest, ListAliasesRequest, ListCollectionAliasesRequest, ListCollectionsRequest, PointsSelector,
    QueryPoints, ScrollPoints, SetPayloadPoints, UpdateBatchPoints, UpsertPoints,
};

use crate::faults::Fault;
use crate::method::Method;

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// When it came.
    pub at: Instant,
    /// What it was.
    pub method: Method,
    /// The collection or alias it named; empty for methods that name none.
    pub collection: String,
    /// Points or ids of points in it.
    pub points: usize,
    /// What hit it.
    pub fault: Option<Fault>,
}

/// All calls, in the order in which they came.
#[derive(Default)]
pub(crate) struct CallLog {
    calls: Mutex<Vec<Call>>,
}

impl CallLog {
    pub(crate) fn note(&self, method: Method, request: &impl Asked, fault: Option<Fault>) {
        self.calls.lock().push(Call {
            at: Instant::now(),
            method,
            collection: request.collection().to_owned(),
            points: request.points(),
            fault,
        });
    }

    pub(crate) fn all(&self) -> Vec<Call> {
        self.calls.lock().clone()
    }

    pub(crate) fn forget(&self) {
        self.calls.lock().clear();
    }
}

/// What the log keeps of a request.
pub(crate) trait Asked: Send + 'static {
    /// The collection or alias it names.
    fn collection(&self) -> &str {
        ""
    }

    /// Points or ids of points in it.
    fn points(&self) -> usize {
        0
    }
}

/// Requests without a collection.
macro_rules! about_the_server {
    ($($request:ty),+ $(,)?) => { $(impl Asked for $request {})+ };
}

/// Requests about a collection, some of them with points.
macro_rules! about_a_collection {
    ($($request:ty $(, $points:expr)?);+ $(;)?) => {
        $(impl Asked for $request {
            fn collection(&self) -> &str {
                &self.collection_name
            }

            $(fn points(&self) -> usize {
                let count: fn(&$request) -> usize = $points;
                count(self)
            })?
        })+
    };
}

about_the_server!(
    ChangeAliases,
    HealthCheckRequest,
    ListAliasesRequest,
    ListCollectionsRequest
);
about_a_collection! {
    CollectionExistsRequest;
    CountPoints;
    CreateCollection;
    CreateFieldIndexCollection;
    DeleteCollection;
    DeleteFieldIndexCollection;
    DeletePoints, |request| ids(&request.points);
    GetCollectionInfoRequest;
    GetPoints, |request| request.ids.len();
    ListCollectionAliasesRequest;
    QueryPoints;
    ScrollPoints;
    SetPayloadPoints, |request| ids(&request.points_selector);
    UpdateBatchPoints, |request| request.operations.len();
    UpsertPoints, |request| request.points.len();
}

fn ids(selector: &Option<PointsSelector>) -> usize {
    match selector
        .as_ref()
        .and_then(|selector| selector.points_selector_one_of.as_ref())
    {
        Some(PointsSelectorOneOf::Points(points)) => points.ids.len(),
        Some(PointsSelectorOneOf::Filter(_)) | None => 0,
    }
}
