//! Pausing, resuming, cancelling and retrying jobs, as the database's role: it decides what that may do.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::types::{ToSql, Type};

use crate::api::failure::Failure;
use crate::json;
use crate::site::Site;

const PAUSE: &str = include_str!("../../sql/pause.sql");
const RESUME: &str = include_str!("../../sql/resume.sql");
const CANCEL: &str = include_str!("../../sql/cancel.sql");
const RETRY: &str = include_str!("../../sql/retry.sql");

/// What a retry may say; without it all failed records are meant.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Retry {
    #[serde(default)]
    record_ids: Option<Vec<String>>,
}

/// `POST /api/jobs/{id}/{pause,resume,cancel,retry}`
pub(crate) async fn control(
    State(site): State<Arc<Site>>,
    Path((job, action)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Failure> {
    if !site.control {
        return Err(Failure::not_found().hint("Jobs are controlled from here where vb-dashboard runs with --control."));
    }
    if let Some(reason) = site.csrf.refusal(&headers) {
        let refused = Failure::new(StatusCode::FORBIDDEN, "csrf", reason);
        return Err(refused.hint("Load the page again: it may be of a server that was started anew."));
    }
    let job: i64 = job.parse().map_err(|_| Failure::parameter("the job", "a number"))?;
    let retry: Retry = match body.is_empty() {
        true => Retry::default(),
        false => {
            serde_json::from_slice(&body).map_err(|error| Failure::parameter("the body", &format!("JSON: {error}")))?
        }
    };
    let job: (&(dyn ToSql + Sync), Type) = (&job, Type::INT8);
    match action.as_str() {
        "pause" => call(&site, PAUSE, &[job]).await,
        "resume" => call(&site, RESUME, &[job]).await,
        "cancel" => call(&site, CANCEL, &[job]).await,
        "retry" => call(&site, RETRY, &[job, (&retry.record_ids, Type::TEXT_ARRAY)]).await,
        _ => Err(Failure::not_found()),
    }
}

/// In a transaction of its own, the only ones of ours that write.
async fn call(site: &Site, sql: &str, values: &[(&(dyn ToSql + Sync), Type)]) -> Result<Json<Value>, Failure> {
    let mut client = site.database.session().await?;
    let transaction = client.build_transaction().read_only(false).start().await?;
    let row = transaction.query_typed_one(sql, values).await?;
    let answer = json::object(&row);
    transaction.commit().await?;
    Ok(Json(Value::Object(answer)))
}
