//! Frames: how messages travel over the search service's socket. Length in four bytes, most significant first, then so
//! many bytes of JSON.

use std::io;

use serde::Serialize;

/// The longest frame in bytes, in both directions: about 2,000 vectors of 768 dimensions.
pub const MAX_FRAME: usize = 16 << 20;

/// Bytes of the length.
const HEADER: usize = 4;

/// Bytes that room is made for before they arrive.
const STEP: usize = 64 << 10;

/// Why there is no frame.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// It did not arrive, or could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Nothing after such a frame can be understood.
    #[error("a message of {0} bytes is longer than {MAX_FRAME}")]
    TooLong(usize),
}

/// The message as a frame.
pub fn encode(message: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0; HEADER];
    serde_json::to_writer(&mut frame, message).map_err(io::Error::from)?;
    let length = checked(frame.len() - HEADER)?;
    frame[..HEADER].copy_from_slice(&length.to_be_bytes());
    Ok(frame)
}

/// A frame on its way in: whoever reads fills its [`room`](Self::room) until there is none left.
#[derive(Debug, Default)]
pub struct Incoming {
    bytes: Vec<u8>,
    arrived: usize,
}

impl Incoming {
    /// Where the next bytes go; empty when all are there. Grows with what arrives: a length alone must not cost memory.
    pub fn room(&mut self) -> Result<&mut [u8], FrameError> {
        let whole = match self.bytes.first_chunk() {
            Some(header) if self.arrived >= HEADER => HEADER + checked(u32::from_be_bytes(*header) as usize)? as usize,
            _ => HEADER,
        };
        if self.arrived == self.bytes.len() {
            self.bytes.resize(whole.min(self.arrived + STEP), 0);
        }
        Ok(&mut self.bytes[self.arrived..])
    }

    /// So many bytes were put into the room.
    pub fn filled(&mut self, bytes: usize) {
        self.arrived = self.bytes.len().min(self.arrived + bytes);
    }

    /// The message, once there is no room left.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(HEADER..self.arrived).unwrap_or_default()
    }
}

fn checked(length: usize) -> Result<u32, FrameError> {
    match u32::try_from(length) {
        Ok(fits) if length <= MAX_FRAME => Ok(fits),
        _ => Err(FrameError::TooLong(length)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// The first frame of these bytes, which come a few at a time, and how many are left; `None` when they end too early.
    fn read(mut bytes: &[u8], at_a_time: usize) -> Result<Option<(Vec<u8>, usize)>, FrameError> {
        let mut frame = Incoming::default();
        loop {
            let room = frame.room()?;
            if room.is_empty() {
                return Ok(Some((frame.body().to_vec(), bytes.len())));
            }
            let most = room.len().min(at_a_time);
            match bytes.read(&mut room[..most])? {
                0 => return Ok(None),
                arrived => frame.filled(arrived),
            }
        }
    }

    #[test]
    fn a_frame_arrives_in_pieces_of_any_size_and_takes_nothing_of_the_next() {
        let message = "x".repeat(3 * STEP);
        let mut frames = encode(&message).unwrap();
        let next = encode(&"next").unwrap();
        frames.extend(&next);
        for at_a_time in [1, 3, 4, 5, STEP - 1, STEP, usize::MAX] {
            let (body, rest) = read(&frames, at_a_time).unwrap().expect("it is whole");
            assert_eq!(body, format!("\"{message}\"").into_bytes());
            assert_eq!(rest, next.len());
        }
        assert_eq!(read(&[0, 0, 0, 0, 7], 9).unwrap(), Some((Vec::new(), 1)), "no body");
    }

    #[test]
    fn a_frame_that_is_cut_off_never_ends() {
        let frame = encode(&"ping").unwrap();
        for cut in 0..frame.len() {
            assert!(read(&frame[..cut], 3).unwrap().is_none());
        }
    }

    #[test]
    fn what_is_too_long_is_refused_both_ways() {
        let header = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
        assert!(read(&header(MAX_FRAME), 4).unwrap().is_none(), "the rest is missing");
        for length in [MAX_FRAME + 1, u32::MAX as usize] {
            let error = read(&header(length), 4).expect_err("it is too long");
            assert_eq!(
                error.to_string(),
                format!("a message of {length} bytes is longer than 16777216")
            );
        }
        assert!(encode(&"x".repeat(MAX_FRAME - 2)).is_ok());
        assert!(
            matches!(encode(&"x".repeat(MAX_FRAME - 1)), Err(FrameError::TooLong(length)) if length == MAX_FRAME + 1)
        );
    }

    #[test]
    fn a_length_alone_costs_no_memory() {
        let mut frame = Incoming::default();
        frame
            .room()
            .unwrap()
            .copy_from_slice(&u32::try_from(MAX_FRAME).unwrap().to_be_bytes());
        frame.filled(HEADER);
        assert_eq!(frame.room().unwrap().len(), STEP);
        assert!(frame.bytes.capacity() < 3 * STEP);
    }
}
