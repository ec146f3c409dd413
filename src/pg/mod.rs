//! Postgres as this extension needs it: every `unsafe` line is in this folder, behind functions that are safe to call
//! from the main thread of a backend or worker. Nothing here may be called from any other thread.

pub(crate) mod catch;
pub(crate) mod clock;
pub(crate) mod databases;
pub(crate) mod end_of_transaction;
mod entry;
pub(crate) mod json;
pub(crate) mod latch;
pub(crate) mod lock;
pub(crate) mod memory;
pub(crate) mod notice;
pub(crate) mod path;
pub(crate) mod pinned;
pub(crate) mod process;
pub(crate) mod relation;
pub(crate) mod relcache;
pub(crate) mod role;
pub(crate) mod signal;
pub(crate) mod spi;
pub(crate) mod statement;
pub(crate) mod text;
pub(crate) mod time_limit;
pub(crate) mod transaction;
pub(crate) mod trigger;
