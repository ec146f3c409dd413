//! What happens to every call: its key is looked at, it is noted, the rules about faults are obeyed, and what it asks
//! for is done on a thread that may block.

use std::future::pending;
use std::sync::Arc;

use qdrant_client::qdrant::{
    CollectionExistsResponse, CollectionOperationResponse, CountResponse, GetCollectionInfoResponse, GetResponse,
    HealthCheckReply, ListAliasesResponse, ListCollectionsResponse, PointsOperationResponse, QueryResponse,
    ScrollResponse, UpdateBatchResponse, UpdateResult, UpdateStatus,
};
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use crate::calls::{Asked, CallLog};
use crate::catalogue::Catalogue;
use crate::connection::Connection;
use crate::faults::{Fault, Faults, Hit};
use crate::method::Method;
use crate::status;

/// All of the server but its socket.
#[derive(Default)]
pub(crate) struct Serving {
    pub(crate) api_key: Option<String>,
    pub(crate) catalogue: Catalogue,
    pub(crate) calls: CallLog,
    pub(crate) faults: Faults,
}

/// An answer.
pub(crate) trait Answer: Sized + Send + 'static {
    /// The answer that says that waiting for an update took too long, if this is how updates are answered.
    fn wait_timeout() -> Option<Self> {
        None
    }
}

impl Serving {
    /// Answers a call with what `work` makes of it, or not.
    pub(crate) async fn answer<Q: Asked, A: Answer>(
        self: &Arc<Self>,
        method: Method,
        request: Request<Q>,
        work: impl FnOnce(&Catalogue, Q) -> Result<A, Status> + Send + 'static,
    ) -> Result<Response<A>, Status> {
        let refusal = self.refusal(method, request.metadata());
        let connection = request.extensions().get::<Connection>().cloned();
        let request = request.into_inner();
        let hit = match refusal {
            Some(_) => None,
            None => self.faults.hit(method, A::wait_timeout().is_some()),
        };
        self.calls
            .note(method, &request, hit.as_ref().map(|hit| hit.fault.clone()));
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        let serving = Arc::clone(self);
        let apply = async move {
            let applied = tokio::task::spawn_blocking(move || work(&serving.catalogue, request)).await;
            applied.unwrap_or_else(|_| Err(Status::internal("Service internal error: the engine panicked")))
        };
        let answer = match hit {
            Some(hit) => misbehave(hit, connection, apply).await,
            None => apply.await,
        };
        answer.map(Response::new)
    }

    fn refusal(&self, method: Method, metadata: &MetadataMap) -> Option<Status> {
        let wanted = self.api_key.as_deref().filter(|_| method != Method::HealthCheck)?;
        let text = |name| metadata.get(name).and_then(|value| value.to_str().ok());
        let given = text("api-key").or_else(|| text("authorization").and_then(|value| value.strip_prefix("Bearer ")));
        match given {
            Some(given) if given == wanted => None,
            Some(_) => Some(Status::unauthenticated("Invalid API key or JWT")),
            None => Some(Status::unauthenticated(
                "Must provide an API key or an Authorization bearer token",
            )),
        }
    }
}

async fn misbehave<A: Answer>(
    hit: Hit,
    connection: Option<Connection>,
    apply: impl Future<Output = Result<A, Status>>,
) -> Result<A, Status> {
    match hit.fault.clone() {
        Fault::Unavailable => Err(Status::unavailable("Shard temporarily unavailable: it is being moved")),
        Fault::Internal(message) => Err(Status::internal(message)),
        Fault::RateLimited { retry_after } => Err(status::rate_limited(retry_after)),
        Fault::StorageFull => Err(status::storage_full()),
        Fault::DiskFull => Err(status::disk_full()),
        Fault::Slow(time) => {
            tokio::time::sleep(time).await;
            apply.await
        }
        Fault::Hang => {
            let answer = apply.await;
            hit.taken_back().await;
            answer
        }
        Fault::WaitTimeout => {
            let answer = apply.await?;
            Ok(A::wait_timeout().unwrap_or(answer))
        }
        Fault::WaitTimeoutNotApplied => match A::wait_timeout() {
            Some(answer) => Ok(answer),
            None => apply.await,
        },
        Fault::CutBeforeApply => cut(connection).await,
        Fault::CutAfterApply => {
            // What became of it is nobody's to know.
            let _ = apply.await;
            cut(connection).await
        }
    }
}

/// Cuts the connection; whoever waits for an answer goes with it.
async fn cut<A>(connection: Option<Connection>) -> A {
    connection.expect("every call comes over a connection").cut();
    pending().await
}

/// Answers that are no answers to updates of points.
macro_rules! answers {
    ($($answer:ty),+ $(,)?) => { $(impl Answer for $answer {})+ };
}

answers!(
    CollectionExistsResponse,
    CollectionOperationResponse,
    CountResponse,
    GetCollectionInfoResponse,
    GetResponse,
    HealthCheckReply,
    ListAliasesResponse,
    ListCollectionsResponse,
    QueryResponse,
    ScrollResponse,
);

impl Answer for PointsOperationResponse {
    fn wait_timeout() -> Option<Self> {
        Some(Self {
            result: Some(UpdateResult {
                operation_id: None,
                status: UpdateStatus::WaitTimeout.into(),
            }),
            ..Self::default()
        })
    }
}

impl Answer for UpdateBatchResponse {
    fn wait_timeout() -> Option<Self> {
        let result = PointsOperationResponse::wait_timeout()?.result;
        Some(Self {
            result: result.into_iter().collect(),
            ..Self::default()
        })
    }
}
