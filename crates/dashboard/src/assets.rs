//! The page's files, which are inside of this program.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use crate::site::Site;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

/// The page itself; its script shows what its address is about.
pub(crate) async fn shell(State(site): State<Arc<Site>>) -> Response {
    let Some(page) = Assets::get("index.html") else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // Neither has a character that means anything in HTML.
    let page = String::from_utf8_lossy(&page.data)
        .replace("{{csrf}}", site.csrf.token())
        .replace("{{control}}", if site.control { "true" } else { "false" });
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// `GET /assets/…`
pub(crate) async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = Assets::get(&path).filter(|_| path != "index.html") else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let hash: String = asset.metadata.sha256_hash()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let tag = format!("\"{hash}\"");
    let caching = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes())
    {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let kind = content_type(asset.metadata.mimetype());
    (caching, [(header::CONTENT_TYPE, kind)], asset.data.into_owned()).into_response()
}

fn content_type(kind: &str) -> String {
    if kind.starts_with("text/") {
        format!("{kind}; charset=utf-8")
    } else {
        kind.to_owned()
    }
}
