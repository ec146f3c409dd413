//! Event streams: each begins with how it stands and what was seen last, and goes on with what changes. A browser that reads
//! slowly misses what was between; nothing piles up for it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::api::failure::Failure;
use crate::api::parameters::Parameters;
use crate::hub::{Place, event};
use crate::site::Site;

/// A stream that has nothing to say repeats how it stands, so that both ends see that it lives.
const BEAT: Duration = Duration::from_secs(15);

struct Following {
    place: Place,
    ends: watch::Receiver<bool>,
    control: bool,
    begins: bool,
}

/// `GET /api/events`
pub(crate) async fn follow(
    State(site): State<Arc<Site>>,
    Query(given): Query<HashMap<String, String>>,
) -> Result<Response, Failure> {
    let topic = Parameters::new(given).topic()?;
    let place = site.hub.enter(topic).ok_or_else(|| {
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "too many pages are open").hint("Close some of them.")
    })?;
    let following = Following {
        place,
        ends: site.ends.clone(),
        control: site.control,
        begins: true,
    };
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        // Proxies of this kind would collect the stream before they pass it on.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(stream::unfold(following, next))).into_response())
}

async fn next(mut following: Following) -> Option<(Result<Bytes, Infallible>, Following)> {
    let bytes = following.wait().await?;
    Some((Ok(bytes), following))
}

impl Following {
    async fn wait(&mut self) -> Option<Bytes> {
        if std::mem::take(&mut self.begins) {
            return Some(Bytes::from_static(b"retry: 1000\n\n"));
        }
        let (place, control) = (&mut self.place, self.control);
        loop {
            tokio::select! {
                biased;
                () = end(&mut self.ends) => return None,
                changed = place.standing.changed() => {
                    changed.ok()?;
                    return Some(standing(place, control));
                }
                changed = place.events.changed() => {
                    changed.ok()?;
                    let latest = place.events.borrow_and_update().clone();
                    if latest.is_some() {
                        return latest;
                    }
                }
                () = sleep(BEAT) => return Some(standing(place, control)),
            }
        }
    }
}

async fn end(ends: &mut watch::Receiver<bool>) {
    // Without a sender the server has ended too.
    let _ = ends.wait_for(|ends| *ends).await;
}

fn standing(place: &mut Place, control: bool) -> Bytes {
    let payload = place.standing.borrow_and_update().payload(control);
    event("state", &payload)
}
