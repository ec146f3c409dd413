//! Files that administrators named, read as what they should be: regular files, opened once, never waited for, and never
//! more of them than they may have.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The system says so.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A folder, a pipe, a device.
    #[error("is not a regular file")]
    NotRegular,
    /// It has more bytes than it may have.
    #[error("has more than {0} bytes")]
    TooLarge(u64),
}

/// Opens a regular file. What is a pipe is not waited for.
pub(crate) fn open(path: &Path) -> Result<(File, Metadata), ReadError> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::NONBLOCK | OFlags::CLOEXEC).bits() as i32)
        .open(path)?;
    let facts = file.metadata()?;
    if facts.is_file() {
        Ok((file, facts))
    } else {
        Err(ReadError::NotRegular)
    }
}

/// The whole of an open file, from its beginning, if it has no more bytes than that.
pub(crate) fn read_open(file: &File, most: u64) -> Result<Vec<u8>, ReadError> {
    let length = file.metadata()?.len();
    if length > most {
        return Err(ReadError::TooLarge(most));
    }
    io::Seek::rewind(&mut &*file)?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    // Some files of the kernel say that they are empty, and are not.
    if file.take(most + 1).read_to_end(&mut bytes)? as u64 > most {
        return Err(ReadError::TooLarge(most));
    }
    Ok(bytes)
}

/// The whole of a regular file, if it has no more bytes than that.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, ReadError> {
    read_open(&open(path)?.0, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_a_bounded_length_are_read_and_nothing_is_waited_for() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let file = folder.path().join("file");
        std::fs::write(&file, "four").expect("a file can be written");
        assert_eq!(read(&file, 4).expect("it has four bytes"), b"four");
        assert!(matches!(read(&file, 3), Err(ReadError::TooLarge(3))));
        assert!(matches!(read(folder.path(), 4), Err(ReadError::NotRegular)));
        assert!(matches!(read(Path::new("/dev/zero"), 4), Err(ReadError::NotRegular)));
        // It says that it has no bytes.
        assert!(matches!(
            read(Path::new("/proc/self/maps"), 100),
            Err(ReadError::TooLarge(100))
        ));
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .expect("a pipe can be made");
        assert!(matches!(read(&pipe, 4), Err(ReadError::NotRegular)));
    }
}
