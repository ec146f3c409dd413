//! Asking programs of this machine over HTTP: one GET, one connection, the whole answer.
//!
//! In the words of HTTP/1.0, so that the answer ends with the connection and comes in one piece.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// An answer takes longer only from a program that hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// Status and body of an answer; an error when nobody listens or the connection breaks.
pub fn get(port: u16, path: &str) -> io::Result<(u16, String)> {
    get_with(port, path, "")
}

/// The same with more headers, each ended by a line's end.
pub fn get_with(port: u16, path: &str, headers: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(LIMIT))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n{headers}\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::InvalidData)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or(io::ErrorKind::InvalidData)?, body.to_owned()))
}

/// The body of an answer that says that all is well; `None` otherwise.
pub fn text(port: u16, path: &str) -> Option<String> {
    match get(port, path) {
        Ok((200, body)) => Some(body),
        _ => None,
    }
}

/// The same as JSON.
pub fn json(port: u16, path: &str) -> Option<Value> {
    text(port, path).map(|body| serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error} in {body}")))
}

/// An open stream of the live page's events, with what follows upon the status still to be read.
pub fn events(port: u16, topic: &str) -> TcpStream {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
    write!(
        stream,
        "GET /api/events?topic={topic} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n"
    )
    .expect("it reads");
    let mut status = [0; 15];
    stream.read_exact(&mut status).expect("it answers");
    assert_eq!(&status, b"HTTP/1.1 200 OK");
    stream
}
