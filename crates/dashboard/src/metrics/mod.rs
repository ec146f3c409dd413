//! What Prometheus asks for: the same names as those of monitoring/postgres_exporter.yaml.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::site::Site;

#[derive(Default)]
pub(crate) struct Metrics;

/// `GET /metrics`
pub(crate) async fn metrics(State(_site): State<Arc<Site>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], String::new())
}
