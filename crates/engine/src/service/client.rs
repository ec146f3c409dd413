//! Asks the search service from a thread that may block but wants to be interrupted.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use vb_formats::frame::{FrameError, Incoming, encode};

use super::protocol::{Answer, Request, Response, ServiceError};
use crate::batch::{FailureClass, Origin};
use crate::private_directory::{self, Refused};

/// How long a read waits before the caller gets a chance to interrupt.
const PATIENCE: Duration = Duration::from_millis(100);

/// One connection to the search service. After [`CallError::Io`] or [`CallError::Interrupted`] it is of no use any more:
/// connect anew. The service closes connections that nobody used for 5 s, so do not keep one between statements.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    /// A call ended between its request and its answer: what comes next belongs to that one.
    out_of_step: bool,
}

/// Why a call gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError<E> {
    /// The service could not be reached, went away, or does not speak the protocol.
    #[error("search service: {0}")]
    Io(#[from] io::Error),
    /// The service answered with an error; the connection stays usable.
    #[error(transparent)]
    Service(ServiceError),
    /// The caller's `on_wait` said to give up.
    #[error("interrupted")]
    Interrupted(E),
}

impl Client {
    /// Connects to the service's socket, if it is this user's: whoever else listened there would be told questions, and
    /// believed what it answers.
    pub fn connect(path: &Path) -> io::Result<Self> {
        private_directory::check_inside(path).map_err(|refused| match refused {
            Refused::Io(error) => error,
            refused => io::Error::new(ErrorKind::PermissionDenied, refused.to_string()),
        })?;
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            out_of_step: false,
        })
    }

    /// Sends the request and waits for its answer. `on_wait` is called about every 100 ms meanwhile; its error ends the call.
    pub fn call<E>(
        &mut self,
        request: &Request,
        on_wait: &mut dyn FnMut() -> Result<(), E>,
    ) -> Result<Answer, CallError<E>> {
        // A request that cannot be sent leaves the connection as it was.
        let frame = encode(request).map_err(unsendable)?;
        if std::mem::replace(&mut self.out_of_step, true) {
            return Err(io::Error::new(ErrorKind::NotConnected, "an earlier call on this connection failed").into());
        }
        self.write(&frame, on_wait)?;
        let frame = self.read(on_wait)?;
        let response = serde_json::from_slice(frame.body()).map_err(io::Error::from)?;
        self.out_of_step = false;
        match response {
            Response::Ok(answer) => Ok(answer),
            Response::Err(error) => Err(CallError::Service(error)),
        }
    }

    fn write<E>(&mut self, mut bytes: &[u8], on_wait: &mut dyn FnMut() -> Result<(), E>) -> Result<(), CallError<E>> {
        while !bytes.is_empty() {
            let written = unless_waiting(self.stream.write(bytes), on_wait)?;
            bytes = &bytes[written.unwrap_or(0)..];
        }
        Ok(())
    }

    fn read<E>(&mut self, on_wait: &mut dyn FnMut() -> Result<(), E>) -> Result<Incoming, CallError<E>> {
        let mut frame = Incoming::default();
        loop {
            let room = frame.room().map_err(broken)?;
            if room.is_empty() {
                return Ok(frame);
            }
            let arrived = unless_waiting(self.stream.read(room), on_wait)?.unwrap_or(0);
            frame.filled(arrived);
        }
    }
}

/// Bytes moved; `None` when the time was over first or a signal came, after the caller was asked whether to go on.
fn unless_waiting<E>(
    moved: io::Result<usize>,
    on_wait: &mut dyn FnMut() -> Result<(), E>,
) -> Result<Option<usize>, CallError<E>> {
    match moved {
        Ok(0) => Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
        Ok(moved) => Ok(Some(moved)),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
            ) =>
        {
            on_wait().map_err(CallError::Interrupted)?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn unsendable<E>(error: FrameError) -> CallError<E> {
    match error {
        FrameError::Io(error) => error.into(),
        error @ FrameError::TooLong(_) => CallError::Service(ServiceError {
            class: FailureClass::Record,
            origin: Origin::Other,
            message: error.to_string(),
        }),
    }
}

fn broken<E>(error: FrameError) -> CallError<E> {
    match error {
        FrameError::Io(error) => error.into(),
        error @ FrameError::TooLong(_) => io::Error::new(ErrorKind::InvalidData, error.to_string()).into(),
    }
}
