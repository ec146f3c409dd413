//! The search service: answers questions of other processes of this machine over a unix socket, with the same models
//! and the same store that the batches use, and ahead of them.
//!
//! - [`protocol`]: requests, answers and errors; `frame` reads them as they travel.
//! - [`listener`]: the socket and who may connect. `connection`: one peer's requests, one after the other. `answer`: what
//!   is done for each kind of request, `question` how a question is embedded and paid for, `search` how it is answered, `points`
//!   what else is done with points, `import` takes vectors that are there already.
//! - [`client`]: the other side, for threads that may block.

pub(crate) mod answer;
pub mod client;
mod connection;
mod frame;
mod import;
pub mod listener;
mod points;
pub mod protocol;
pub(crate) mod question;
mod search;
