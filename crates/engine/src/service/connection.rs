//! One peer's requests, one after the other. Whatever a peer sends, it disturbs no other.

use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use vb_formats::frame::{FrameError, encode};

use super::answer::Service;
use super::frame;
use super::protocol::{Request, Response, ServiceError};
use crate::batch::{FailureClass, Origin};
use crate::pipeline::aside::describe;

/// How long a connection may be kept without a request: there are only so many.
const IDLE: Duration = Duration::from_secs(5);

/// Answers the peer until it goes, falls silent or cannot be understood any more.
pub(super) async fn converse(mut stream: UnixStream, service: &Service) {
    let (reader, mut writer) = stream.split();
    let mut reader = BufReader::new(reader);
    while let Ok(Ok([_, ..])) = timeout(IDLE, reader.fill_buf()).await {
        let (response, understood) = match timeout(service.request_timeout, frame::read(&mut reader)).await {
            Ok(Ok(request)) => {
                let response = tokio::select! {
                    response = answer(request.body(), service) => response,
                    () = gone(&mut reader) => return,
                };
                (response, true)
            }
            Ok(Err(error @ FrameError::TooLong(_))) => (Response::Err(at_fault(error.to_string())), false),
            Ok(Err(FrameError::Io(_))) | Err(_) => return,
        };
        let frame = encode(&response)
            .or_else(|error| encode(&Response::Err(at_fault(format!("the answer is too long: {error}")))));
        let Ok(frame) = frame else { return };
        match timeout(service.request_timeout, writer.write_all(&frame)).await {
            Ok(Ok(())) if understood => {}
            _ => return,
        }
    }
}

/// The response to a request, also when answering it panics. When this is dropped, the work on it ends.
async fn answer(body: &[u8], service: &Service) -> Response {
    let request: Request = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(error) => return Response::Err(at_fault(format!("not a request: {error}"))),
    };
    // A set aborts its tasks when it is dropped.
    let mut task = JoinSet::new();
    let service = service.clone();
    task.spawn(async move { service.answer(request).await });
    match task.join_next().await {
        Some(Ok(Ok(answer))) => Response::Ok(answer),
        Some(Ok(Err(error))) => Response::Err(error),
        Some(Err(error)) => {
            let message = describe(error);
            log::error!("a request of the search service ended early: {message}");
            Response::Err(ServiceError {
                class: FailureClass::Transient,
                origin: Origin::Other,
                message,
            })
        }
        None => Response::Err(at_fault("not answered".to_owned())),
    }
}

/// Returns when the peer has closed the connection, so that nobody computes for it.
async fn gone(reader: &mut (impl AsyncBufRead + Unpin)) {
    if let Ok([_, ..]) = reader.fill_buf().await {
        // The peer sent its next request already: it is there.
        std::future::pending::<()>().await;
    }
}

fn at_fault(message: String) -> ServiceError {
    ServiceError {
        class: FailureClass::Record,
        origin: Origin::Other,
        message,
    }
}
