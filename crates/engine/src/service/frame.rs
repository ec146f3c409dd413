//! Reads frames from streams that somebody else waits for meanwhile.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};
use vb_formats::frame::{FrameError, Incoming};

/// The next frame.
pub(super) async fn read(reader: &mut (impl AsyncRead + Unpin)) -> Result<Incoming, FrameError> {
    let mut frame = Incoming::default();
    loop {
        let room = frame.room()?;
        if room.is_empty() {
            return Ok(frame);
        }
        match reader.read(room).await? {
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            arrived => frame.filled(arrived),
        }
    }
}
