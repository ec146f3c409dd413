//! Turns errors of the engine and of the file system into ours, and refuses to write to a disk that is nearly full.

use std::io;
use std::path::Path;

use qdrant_edge::OperationError;

use crate::store::error::StoreError;

/// Space that must be left before anything is written.
///
/// The engine writes through memory maps of sparse files: on a full disk it gets no error but SIGBUS, which would take
/// the worker and with it every session of the server down. Others write to the disk between our look and our write,
/// hence the distance.
const RESERVE_BYTES: u64 = 128 * 1024 * 1024;

/// Space that must be left before a collection is opened: a few pages are written then as well.
const RESERVE_BYTES_TO_OPEN: u64 = 4 * 1024 * 1024;

/// Marks of a disk without space in the engine's messages: it keeps no error numbers.
const FULL_DISK: [&str; 4] = [
    "No space left on device",
    "Not enough space",
    "Disk quota exceeded",
    "StorageFull",
];

/// Marks of missing rights in the engine's messages.
const NO_RIGHTS: [&str; 2] = ["Permission denied", "Read-only file system"];

/// What an error of the engine means for us.
pub(super) fn engine_error(collection: &str, error: &OperationError) -> StoreError {
    let message = format!("collection \"{collection}\": {error}");
    let says = |marks: &[&str]| marks.iter().any(|mark| message.contains(mark));
    if says(&FULL_DISK) {
        StoreError::Full(message)
    } else if says(&NO_RIGHTS) || matches!(error, OperationError::WrongVectorDimension { .. }) {
        StoreError::Configuration(message)
    } else {
        StoreError::Transient(message)
    }
}

/// Whether the engine, having met this error, has to be opened afresh: it then refuses every later write until what
/// failed was repeated, which opening does from its log.
pub(super) fn leaves_the_engine_suspect(error: &OperationError) -> bool {
    !matches!(
        error,
        OperationError::WrongVectorDimension { .. }
            | OperationError::ValidationError { .. }
            | OperationError::VectorNameNotExists { .. }
            | OperationError::PointIdError { .. }
            | OperationError::Cancelled { .. }
    )
}

/// What an error of the file system means for us.
pub(super) fn io_error(doing: &str, path: &Path, error: &io::Error) -> StoreError {
    let message = format!("could not {doing} \"{}\": {error}", path.display());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full(message),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::NotADirectory => {
            StoreError::Configuration(message)
        }
        _ => StoreError::Transient(message),
    }
}

/// Refuses to write `bytes` when the directory's disk would come near to its end.
pub(super) fn check_room_to_write(directory: &Path, bytes: u64) -> Result<(), StoreError> {
    check_room(directory, RESERVE_BYTES.saturating_add(bytes))
}

/// Refuses to open a collection on a disk without any space.
pub(super) fn check_room_to_open(directory: &Path) -> Result<(), StoreError> {
    check_room(directory, RESERVE_BYTES_TO_OPEN)
}

fn check_room(directory: &Path, needed: u64) -> Result<(), StoreError> {
    let disk = rustix::fs::statvfs(directory)
        .map_err(|errno| io_error("look at the disk of", directory, &io::Error::from(errno)))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= needed {
        return Ok(());
    }
    const MIB: u64 = 1024 * 1024;
    Err(StoreError::Full(format!(
        "the disk of \"{}\" is full: {} MiB are free, {} MiB are needed",
        directory.display(),
        free / MIB,
        needed.div_ceil(MIB),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_pauses_the_job_and_other_faults_do_not() {
        let of = |text: &str| engine_error("c", &OperationError::service_error_light(text));
        assert!(matches!(
            of("IO Error: No space left on device (os error 28)"),
            StoreError::Full(_)
        ));
        assert!(matches!(
            of("Not enough space available for optimization"),
            StoreError::Full(_)
        ));
        assert!(matches!(
            of("Permission denied (os error 13)"),
            StoreError::Configuration(_)
        ));
        assert!(matches!(
            of("Input/output error (os error 5)"),
            StoreError::Transient(_)
        ));

        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert!(matches!(io_error("write", Path::new("/x"), &full), StoreError::Full(_)));
        let interrupted = io::Error::from(io::ErrorKind::Interrupted);
        assert!(matches!(
            io_error("write", Path::new("/x"), &interrupted),
            StoreError::Transient(_)
        ));
    }

    #[test]
    fn writing_more_than_the_disk_holds_is_refused_with_its_name() {
        let directory = tempfile::tempdir().unwrap();
        check_room_to_write(directory.path(), 0).unwrap();
        let refused = check_room_to_write(directory.path(), u64::MAX / 2).unwrap_err();
        assert!(matches!(&refused, StoreError::Full(m) if m.contains(&*directory.path().to_string_lossy())));
    }
}
