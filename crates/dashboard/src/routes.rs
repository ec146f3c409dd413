//! Addresses, and what every request passes before it is answered.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use crate::api::failure::Failure;
use crate::api::{control, csv, errors, history};
use crate::safety::headers;
use crate::site::Site;
use crate::{assets, metrics, streams};

/// Longer bodies are refused.
const LARGEST_BODY: usize = 1 << 20;

/// More than a statement may take, with the time to get a session.
const LONGEST: Duration = Duration::from_secs(30);

/// Answered to anybody: it says no more than that the server runs.
const HEALTH: &str = "/healthz";

pub(crate) fn routes(site: Arc<Site>) -> Router {
    let quick = Router::new()
        .route("/", get(assets::shell))
        .route("/jobs", get(assets::shell))
        .route("/jobs/{id}", get(assets::shell))
        .route("/coverage", get(assets::shell))
        .route("/errors", get(assets::shell))
        .route("/providers", get(assets::shell))
        .route("/assets/{*path}", get(assets::asset))
        .route("/api/errors", get(errors::page))
        .route("/api/jobs/{id}/history", get(history::history))
        .route("/api/jobs/{id}/{action}", post(control::control))
        .route("/metrics", get(metrics::metrics))
        .route(HEALTH, get(health))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST));
    quick
        .route("/api/events", get(streams::follow))
        .route("/errors.csv", get(csv::download))
        .fallback(async || Failure::not_found())
        .layer(RequestBodyLimitLayer::new(LARGEST_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&site), guard))
        .with_state(site)
}

async fn guard(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let mut response = match refusal(&site, &request) {
        Some(response) => response,
        None => next.run(request).await,
    };
    headers::add(response.headers_mut());
    response
}

fn refusal(site: &Site, request: &Request) -> Option<Response> {
    if request.uri().path() == HEALTH {
        return None;
    }
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    if !site.hosts.allows(host, site.listening) {
        let refused = Failure::new(
            StatusCode::MISDIRECTED_REQUEST,
            "wrong_host",
            format!("{host:?} is no name of this server"),
        );
        return Some(
            refused
                .hint("Names under which it is reached are given with --allowed-host.")
                .into_response(),
        );
    }
    let token = site.token.as_ref()?;
    if token.is_shown(request.headers()) {
        return None;
    }
    let refused = Failure::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "the token is missing or another one",
    );
    let hint = "Send Authorization: Bearer with the token, or give it as the password of any name.";
    let mut response = refused.hint(hint).into_response();
    let ask = HeaderValue::from_static("Basic realm=\"vector_backfill\", charset=\"UTF-8\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
    Some(response)
}

async fn health(State(site): State<Arc<Site>>) -> (StatusCode, &'static str) {
    // Whoever may ask without a token puts one question a second.
    let answer = site.health.answer((), async {
        Ok(Bytes::from_static(match site.database.answers().await {
            true => b"ok",
            false => b"",
        }))
    });
    match answer.await {
        Ok(answer) if !answer.is_empty() => (StatusCode::OK, "ok"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer"),
    }
}
