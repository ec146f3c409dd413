//! How fast a job was since it began.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::json;
use tokio_postgres::types::Type;

use crate::api::failure::Failure;
use crate::json;
use crate::site::Site;

const HISTORY: &str = include_str!("../../sql/job_history.sql");

/// `GET /api/jobs/{id}/history`
pub(crate) async fn history(State(site): State<Arc<Site>>, Path(job): Path<String>) -> Result<Response, Failure> {
    let job: i64 = job.parse().map_err(|_| Failure::parameter("the job", "a number"))?;
    let answer = site.histories.answer(job, ask(&site, job)).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], answer).into_response())
}

async fn ask(site: &Site, job: i64) -> Result<Bytes, Failure> {
    let client = site.database.session().await?;
    let samples = json::objects(&client.query_typed(HISTORY, &[(&job, Type::INT8)]).await?);
    Ok(Bytes::from(json!({ "samples": samples }).to_string()))
}
