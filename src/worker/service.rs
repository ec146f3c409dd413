//! How sessions reach the worker of their database: they start it when it is not there, wake it, and ask it things over
//! its socket.

pub(crate) mod embed;
mod hold;
pub(crate) mod import;
pub(crate) mod move_store;
pub(crate) mod plan;
pub(crate) mod presence;
pub(crate) mod purge;
pub(crate) mod request;
pub(crate) mod search;
pub(crate) mod snapshots;
pub(crate) mod verify;
pub(crate) mod wait;
