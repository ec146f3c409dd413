//! Bytes that are no frames, and frames that are no requests, disturb nobody.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use vb_engine::service::protocol::{Answer, MAX_FRAME, Request};

use crate::doubles::gate::PATIENCE;
use crate::doubles::owner::Owner;
use crate::doubles::provider::ScriptedProvider;
use crate::questions::call;

/// Sends raw bytes and gives what comes back until the service closes the connection.
fn send_raw(owner: &Owner, bytes: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(&owner.socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

fn framed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_be_bytes(), body].concat()
}

#[test]
fn garbage_and_overlong_frames_disturb_no_other_connection() {
    let owner = Owner::start(ScriptedProvider::sound());
    let mut steady = owner.client();
    let overlong = send_raw(&owner, &((MAX_FRAME + 1) as u32).to_be_bytes());
    assert!(String::from_utf8_lossy(&overlong).contains("longer than"));
    // "GET " as a length is more than a frame holds, too.
    assert!(!send_raw(&owner, b"GET / HTTP/1.1\r\n\r\n").is_empty());
    assert!(send_raw(&owner, &[0, 0]).is_empty(), "a header cut off");
    assert!(
        send_raw(&owner, &framed(b"{\"request\":\"ping\"}")[..10]).is_empty(),
        "a body cut off"
    );
    assert!(send_raw(&owner, &[0xff; 5_000]).len() > 4);
    assert_eq!(call(&mut steady, &Request::Ping), Ok(Answer::Pong));
}

#[test]
fn a_frame_that_is_no_request_is_answered_and_the_connection_goes_on() {
    let owner = Owner::start(ScriptedProvider::sound());
    let mut stream = UnixStream::connect(&owner.socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    for body in [
        &b"not json"[..],
        b"{}",
        b"{\"request\":\"unknown\"}",
        b"\xff\xfe",
        b"",
        b"{\"request\":\"ping\"}",
    ] {
        stream.write_all(&framed(body)).unwrap();
        let mut header = [0; 4];
        stream.read_exact(&mut header).unwrap();
        let mut answer = vec![0; u32::from_be_bytes(header) as usize];
        stream.read_exact(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert_eq!(
            answer.contains("not a request"),
            !body.ends_with(b"\"ping\"}"),
            "{answer}"
        );
    }
}
