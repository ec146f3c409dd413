//! A body that is sent as a script wants it.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::time::Sleep;

/// What comes next.
pub(crate) enum Part {
    /// Bytes.
    Data(Bytes),
    /// Nothing for so long.
    Wait(Duration),
    /// The same bytes again and again.
    Repeat(Bytes, usize),
    /// The connection breaks.
    Break,
}

/// A body in parts.
pub(crate) struct ScriptedBody {
    parts: VecDeque<Part>,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl ScriptedBody {
    pub(crate) fn of(parts: impl IntoIterator<Item = Part>) -> Self {
        Self {
            parts: parts.into_iter().collect(),
            waiting: None,
        }
    }

    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::of([Part::Data(bytes.into())])
    }
}

impl Body for ScriptedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                if waiting.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.waiting = None;
            }
            match self.parts.pop_front() {
                None => return Poll::Ready(None),
                Some(Part::Data(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Part::Wait(time)) => self.waiting = Some(Box::pin(tokio::time::sleep(time))),
                Some(Part::Repeat(_, 0)) => {}
                Some(Part::Repeat(bytes, times)) => {
                    self.parts.push_front(Part::Repeat(bytes.clone(), times - 1));
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Part::Break) => {
                    return Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::BrokenPipe))));
                }
            }
        }
    }
}
