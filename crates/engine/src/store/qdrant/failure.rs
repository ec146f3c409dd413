//! What the server's refusals mean for us.

use std::time::Duration;

use qdrant_client::qdrant::{UpdateResult, UpdateStatus};
use tonic::{Code, Status};

use super::connection::Connection;
use crate::store::error::StoreError;

/// Letters of a message that are passed on.
const MESSAGE_CHARS: usize = 300;

/// The pause after a refusal that does not say how long it should be.
const UNSAID_PAUSE: Duration = Duration::from_secs(1);

/// Marks of a disk without space: such a server answers like one with a fault of its own.
const FULL_DISK: [&str; 2] = ["No space left on device", "Disk quota exceeded"];

/// Marks of a cluster of which a part is away: that passes like a server that is away.
const PARTLY_AWAY: [&str; 6] = [
    "replica",
    "consensus",
    "no leader",
    "transport error",
    "imed out",
    "tcp connect",
];

/// The error for an answer without what it is about.
pub(super) fn incomplete(connection: &Connection) -> StoreError {
    StoreError::Transient(format!("Qdrant at {} gave an incomplete answer", connection.shown()))
}

/// What a status means that came for a collection.
pub(super) fn error(connection: &Connection, collection: &str, status: &Status) -> StoreError {
    let said: String = status.message().chars().take(MESSAGE_CHARS).collect();
    let says = |marks: &[&str]| marks.iter().any(|mark| status.message().contains(mark));
    let message = format!("Qdrant at {}: {said}", connection.shown());
    match status.code() {
        Code::NotFound => StoreError::NoCollection(collection.to_owned()),
        Code::ResourceExhausted => match retry_after(status) {
            Some(retry_after) => StoreError::Throttled { message, retry_after },
            None => StoreError::Full(message),
        },
        _ if says(&FULL_DISK) => StoreError::Full(message),
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown | Code::Aborted => {
            StoreError::Unavailable(format!("{message}{}", cause(status)))
        }
        Code::Internal if says(&PARTLY_AWAY) => StoreError::Unavailable(message),
        Code::Unauthenticated | Code::PermissionDenied => {
            StoreError::Configuration(format!("{message} (vector_backfill.qdrant_api_key_ref)"))
        }
        Code::InvalidArgument | Code::FailedPrecondition | Code::Unimplemented | Code::AlreadyExists => {
            StoreError::Configuration(message)
        }
        Code::Ok | Code::Internal | Code::OutOfRange | Code::DataLoss => StoreError::Transient(message),
    }
}

/// Whether a write was applied: only then does it count. One that takes longer than the server waits is repeated.
pub(super) fn completed(connection: &Connection, result: Option<UpdateResult>) -> Result<(), StoreError> {
    let status = result.ok_or_else(|| incomplete(connection))?.status();
    match status {
        UpdateStatus::Completed => Ok(()),
        other => Err(StoreError::Unavailable(format!(
            "Qdrant at {} did not complete a write in time ({})",
            connection.shown(),
            other.as_str_name()
        ))),
    }
}

/// When a server that limits the rate wants to be asked again; `None` when it has no room.
fn retry_after(status: &Status) -> Option<Duration> {
    match status.metadata().get("retry-after") {
        Some(value) => value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs),
        // Servers before 1.15 do not say when.
        None => status.message().contains("ate limit").then_some(UNSAID_PAUSE),
    }
}

/// Why a connection broke or was not made, which the status itself does not say.
fn cause(status: &Status) -> String {
    let mut source = std::error::Error::source(status);
    let mut deepest = None;
    while let Some(error) = source {
        deepest = Some(error.to_string());
        source = error.source();
    }
    deepest.map(|cause| format!(": {cause}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::options::{CollectionOptions, QdrantOptions};
    use super::*;

    fn connection() -> Connection {
        Connection::new(QdrantOptions {
            url: "http://127.0.0.1:1".to_owned(),
            api_key: None,
            secret_directory: None,
            ca_file: None,
            request_timeout: Duration::from_secs(1),
            collections: CollectionOptions::default(),
        })
        .unwrap()
    }

    #[tokio::test]
    async fn each_refusal_has_its_consequence() {
        let connection = connection();
        let of = |code, message: &str| error(&connection, "c", &Status::new(code, message));
        assert!(
            matches!(of(Code::NotFound, "Collection `c` doesn't exist!"), StoreError::NoCollection(name) if name == "c")
        );
        assert!(matches!(of(Code::Unavailable, "tcp"), StoreError::Unavailable(_)));
        assert!(matches!(
            of(Code::Internal, "4 of 4 replicas failed"),
            StoreError::Unavailable(_)
        ));
        assert!(matches!(
            of(Code::Internal, "something broke"),
            StoreError::Transient(_)
        ));
        assert!(matches!(
            of(Code::Internal, "No space left on device (os error 28)"),
            StoreError::Full(_)
        ));
        assert!(matches!(of(Code::ResourceExhausted, "too large"), StoreError::Full(_)));
        assert!(
            matches!(of(Code::Unauthenticated, "Invalid API key"), StoreError::Configuration(m) if m.contains("api_key_ref"))
        );
        let mut limited = Status::resource_exhausted("Rate limiting exceeded");
        limited.metadata_mut().insert("retry-after", "7".parse().unwrap());
        assert!(matches!(
            error(&connection, "c", &limited),
            StoreError::Throttled { retry_after, .. } if retry_after == Duration::from_secs(7)
        ));
    }

    #[tokio::test]
    async fn only_a_completed_write_counts() {
        let connection = connection();
        let result = |status: UpdateStatus| {
            Some(UpdateResult {
                operation_id: None,
                status: status.into(),
            })
        };
        completed(&connection, result(UpdateStatus::Completed)).unwrap();
        for status in [
            UpdateStatus::Acknowledged,
            UpdateStatus::WaitTimeout,
            UpdateStatus::ClockRejected,
        ] {
            assert!(matches!(
                completed(&connection, result(status)),
                Err(StoreError::Unavailable(_))
            ));
        }
        assert!(completed(&connection, None).is_err());
    }
}
