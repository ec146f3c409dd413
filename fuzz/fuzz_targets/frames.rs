//! Frames of the search service's socket: a message arrives as it was sent, however its bytes are cut; what is too long is
//! refused; and room is made for what arrives, not for what is announced.
//!
//! An input is the number of bytes that arrive at a time, and the bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vb_formats::frame::{FrameError, Incoming, MAX_FRAME, encode};

/// Bytes of the length.
const HEADER: usize = 4;

/// Room that there may be beyond what has arrived.
const AHEAD: usize = 64 << 10;

/// What became of bytes.
#[derive(Debug, PartialEq)]
enum Arrived<'a> {
    /// A whole frame and what came after it.
    Frame(Vec<u8>, &'a [u8]),
    TooLong(usize),
    CutOff,
}

fuzz_target!(|input: &[u8]| {
    let [at_a_time, bytes @ ..] = input else { return };
    let arrived = receive(bytes, usize::from(*at_a_time).max(1));
    assert_eq!(arrived, receive(bytes, usize::MAX));
    let announced = bytes.first_chunk().map(|header| u32::from_be_bytes(*header) as usize);
    let expected = match announced {
        Some(length) if length > MAX_FRAME => Arrived::TooLong(length),
        Some(length) => match bytes[HEADER..].split_at_checked(length) {
            Some((body, rest)) => Arrived::Frame(body.to_vec(), rest),
            None => Arrived::CutOff,
        },
        None => Arrived::CutOff,
    };
    assert_eq!(arrived, expected);

    let message = String::from_utf8_lossy(bytes);
    let mut frames = encode(&message).expect("inputs are short");
    let first = frames.len();
    frames.extend_from_slice(bytes);
    let Arrived::Frame(body, rest) = receive(&frames, usize::from(*at_a_time).max(1)) else {
        panic!("what was sent does not arrive");
    };
    assert_eq!(serde_json::from_slice::<String>(&body).ok().as_deref(), Some(&*message));
    assert_eq!(rest, &frames[first..]);
});

fn receive(bytes: &[u8], at_a_time: usize) -> Arrived<'_> {
    let mut frame = Incoming::default();
    let mut arrived = 0;
    loop {
        let room = match frame.room() {
            Ok(room) => room,
            Err(FrameError::TooLong(length)) => return Arrived::TooLong(length),
            Err(error @ FrameError::Io(_)) => panic!("nothing was read: {error}"),
        };
        assert!(room.len() <= AHEAD);
        if room.is_empty() {
            return Arrived::Frame(frame.body().to_vec(), &bytes[arrived..]);
        }
        let next = room.len().min(at_a_time).min(bytes.len() - arrived);
        if next == 0 {
            return Arrived::CutOff;
        }
        room[..next].copy_from_slice(&bytes[arrived..arrived + next]);
        frame.filled(next);
        arrived += next;
    }
}
