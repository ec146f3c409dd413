//! What the real server says when something is wrong.

use qdrant_edge::OperationError;
use tonic::Status;
use tonic::metadata::MetadataValue;

/// Marks a `RESOURCE_EXHAUSTED` that is about storage rather than about rates.
const INSUFFICIENT_STORAGE: &str = "qdrant-insufficient-storage";

/// The request cannot be meant so.
pub(crate) fn wrong_input(description: impl std::fmt::Display) -> Status {
    Status::invalid_argument(format!("Wrong input: {description}"))
}

/// There is nothing to do.
pub(crate) fn empty_update() -> Status {
    Status::invalid_argument("Bad request: Empty update request")
}

/// There is no collection or alias of that name.
pub(crate) fn no_collection(name: &str) -> Status {
    Status::not_found(format!("Not found: Collection `{name}` doesn't exist!"))
}

/// A limit below 1.
pub(crate) fn wrong_limit() -> Status {
    Status::invalid_argument("Validation error in body: [limit: value 0 invalid, must be 1 or larger]")
}

/// Refuses what the real server could do and this one does not, so that no test passes because of it.
pub(crate) fn unserved_if(asked_for: bool, what: &str) -> Result<(), Status> {
    match asked_for {
        true => Err(Status::unimplemented(format!("the double does not serve {what}"))),
        false => Ok(()),
    }
}

/// An error of the engine.
pub(crate) fn engine_error(error: OperationError) -> Status {
    match error {
        OperationError::ServiceError { description, .. } => {
            Status::internal(format!("Service internal error: {description}"))
        }
        OperationError::InconsistentStorage { .. }
        | OperationError::FileNotFound { .. }
        | OperationError::OutOfMemory { .. }
        | OperationError::OutOfAppendableCapacity { .. }
        | OperationError::Cancelled { .. } => Status::internal(format!("Service internal error: {error}")),
        OperationError::Timeout { .. } => Status::deadline_exceeded(format!("Timeout: {error}")),
        OperationError::PointIdError { .. } => Status::not_found(format!("Not found: {error} found")),
        OperationError::WrongSparse => wrong_input("Conversion between sparse and regular vectors failed"),
        OperationError::WrongMulti => wrong_input("Conversion between multi and regular vectors failed"),
        _ => wrong_input(error),
    }
}

/// Updates come too fast.
pub(crate) fn rate_limited(retry_after: u64) -> Status {
    let mut status = Status::resource_exhausted(format!(
        "Rate limiting exceeded: Write rate limit exceeded: Operation requires 1 tokens but only 0.0 were available. \
         Retry after {retry_after}s"
    ));
    status
        .metadata_mut()
        .insert("retry-after", MetadataValue::from(retry_after));
    status
}

/// The server may not store more.
pub(crate) fn storage_full() -> Status {
    let mut status = Status::resource_exhausted(
        "Insufficient storage: Disk usage is at 96% of total capacity, exceeding the configured limit of 95%. Help: \
         Reduce disk usage (e.g. delete points or drop collections), or raise `max_disk_usage_percent` in the global \
         quota config.",
    );
    status
        .metadata_mut()
        .insert(INSUFFICIENT_STORAGE, MetadataValue::from(1));
    status
}

/// The server cannot store more.
pub(crate) fn disk_full() -> Status {
    Status::internal("Service internal error: No space left on device (os error 28)")
}
