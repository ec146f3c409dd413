//! Messages of PostgreSQL's protocol, version 3: how they are framed, and the few that the tests need.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Longer than any statement of a test may take: a server that says nothing for so long has hung.
const SILENCE: Duration = Duration::from_secs(600);

/// A message from the server.
#[derive(Debug)]
pub struct Message {
    /// Its type, a letter.
    pub tag: u8,
    /// What follows its length.
    pub body: Vec<u8>,
}

/// A connection that sends and receives whole messages.
#[derive(Debug)]
pub struct Wire {
    stream: UnixStream,
    unsent: Vec<u8>,
}

impl Wire {
    /// Connects to the server's socket and sends the start-up message with these parameters.
    pub fn start(socket: &Path, parameters: &[(&str, &str)]) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(SILENCE))?;
        let mut body = 196_608_i32.to_be_bytes().to_vec();
        for (name, value) in parameters {
            put_text(&mut body, name);
            put_text(&mut body, value);
        }
        body.push(0);
        let mut wire = Self {
            stream,
            unsent: Vec::new(),
        };
        wire.unsent.extend(length_of(&body));
        wire.unsent.extend(body);
        wire.flush()?;
        Ok(wire)
    }

    /// Puts a message into the queue that [`Wire::flush`] sends.
    pub fn put(&mut self, tag: u8, body: &[u8]) {
        self.unsent.push(tag);
        self.unsent.extend(length_of(body));
        self.unsent.extend(body);
    }

    /// Sends what is in the queue.
    pub fn flush(&mut self) -> io::Result<()> {
        let unsent = std::mem::take(&mut self.unsent);
        self.stream.write_all(&unsent)
    }

    /// The next message, waiting for it.
    pub fn receive(&mut self) -> io::Result<Message> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head)?;
        let length = i32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let length = usize::try_from(length).ok().and_then(|length| length.checked_sub(4));
        let mut body = vec![0; length.ok_or_else(|| broken("a message with a negative length"))?];
        self.stream.read_exact(&mut body)?;
        Ok(Message { tag: head[0], body })
    }
}

fn length_of(body: &[u8]) -> [u8; 4] {
    i32::try_from(body.len() + 4)
        .expect("a message is shorter than 2 GB")
        .to_be_bytes()
}

/// Appends a text with the NUL that ends it.
pub fn put_text(body: &mut Vec<u8>, text: &str) {
    assert!(!text.contains('\0'), "PostgreSQL's texts hold no NUL");
    body.extend(text.as_bytes());
    body.push(0);
}

/// Appends a value in its text form, or NULL.
pub fn put_value(body: &mut Vec<u8>, value: Option<&str>) {
    match value {
        None => body.extend((-1_i32).to_be_bytes()),
        Some(text) => {
            body.extend(
                i32::try_from(text.len())
                    .expect("a value is shorter than 2 GB")
                    .to_be_bytes(),
            );
            body.extend(text.as_bytes());
        }
    }
}

/// Appends a number of two bytes.
pub fn put_count(body: &mut Vec<u8>, count: usize) {
    body.extend(i16::try_from(count).expect("at most 32,767 of anything").to_be_bytes());
}

/// Reads the parts of a message's body, front to back.
#[derive(Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts at the front.
    pub fn new(body: &'a [u8]) -> Self {
        Self(body)
    }

    fn take(&mut self, count: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or_else(|| broken("a message that ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    /// One byte.
    pub fn byte(&mut self) -> io::Result<u8> {
        Ok(self.take(1)?[0])
    }

    /// A number of two bytes.
    pub fn short(&mut self) -> io::Result<i16> {
        let bytes = self.take(2)?;
        Ok(i16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A number of four bytes.
    pub fn int(&mut self) -> io::Result<i32> {
        let bytes = self.take(4)?;
        Ok(i32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// A text that a NUL ends.
    pub fn text(&mut self) -> io::Result<String> {
        let end = self
            .0
            .iter()
            .position(|byte| *byte == 0)
            .ok_or_else(|| broken("a text without an end"))?;
        let text = utf8(self.take(end)?)?;
        self.take(1)?;
        Ok(text)
    }

    /// A value in its text form, or NULL.
    pub fn value(&mut self) -> io::Result<Option<String>> {
        match usize::try_from(self.int()?) {
            Ok(length) => Ok(Some(utf8(self.take(length)?)?)),
            Err(_) => Ok(None),
        }
    }
}

fn utf8(bytes: &[u8]) -> io::Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| broken("a text that is not UTF-8"))
}

/// The server said something that the protocol does not know.
pub fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the server sent {what}"))
}
