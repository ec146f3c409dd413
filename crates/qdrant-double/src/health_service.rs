//! Qdrant's interface to itself.

use std::sync::Arc;

use qdrant_client::qdrant::qdrant_server::Qdrant;
use qdrant_client::qdrant::{HealthCheckReply, HealthCheckRequest};
use tonic::{Request, Response, Status};

use crate::method::Method;
use crate::serving::Serving;

/// What it says it is; clients compare the version with their own.
const VERSION: &str = "1.18.0-double";

/// Answers calls about the server.
pub(crate) struct HealthService(pub(crate) Arc<Serving>);

#[tonic::async_trait]
impl Qdrant for HealthService {
    async fn health_check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckReply>, Status> {
        let reply = HealthCheckReply {
            title: "qdrant - vector search engine".to_owned(),
            version: VERSION.to_owned(),
            commit: None,
        };
        self.0.answer(Method::HealthCheck, request, |_, _| Ok(reply)).await
    }
}
