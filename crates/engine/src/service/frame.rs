//! Frames: how messages travel. Length in four bytes, most significant first, then so many bytes of JSON.

use std::io;

use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::protocol::MAX_FRAME;

/// Bytes of the length.
pub(super) const HEADER: usize = 4;

/// Why there is no frame.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Nothing after such a frame can be understood.
    #[error("a message of {0} bytes is longer than {MAX_FRAME}")]
    TooLong(usize),
}

/// The message as a frame.
pub(super) fn encode(message: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0; HEADER];
    serde_json::to_writer(&mut frame, message).map_err(io::Error::from)?;
    let length = checked(frame.len() - HEADER)?;
    frame[..HEADER].copy_from_slice(&length.to_be_bytes());
    Ok(frame)
}

/// The length that a header gives.
pub(super) fn length(header: [u8; HEADER]) -> Result<usize, FrameError> {
    checked(u32::from_be_bytes(header) as usize).map(|length| length as usize)
}

/// The body of the next frame.
pub(super) async fn read(reader: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, FrameError> {
    let mut header = [0; HEADER];
    reader.read_exact(&mut header).await?;
    let length = length(header)?;
    // Grows with what arrives: a length alone must not cost memory.
    let mut body = Vec::new();
    if reader.take(length as u64).read_to_end(&mut body).await? < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(body)
}

fn checked(length: usize) -> Result<u32, FrameError> {
    match u32::try_from(length) {
        Ok(fits) if length <= MAX_FRAME => Ok(fits),
        _ => Err(FrameError::TooLong(length)),
    }
}
