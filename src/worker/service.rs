//! How sessions reach the worker of their database: they start it when it is not there, wake it, and ask it things over
//! its socket.

pub(crate) mod embed;
pub(crate) mod plan;
pub(crate) mod presence;
pub(crate) mod request;
pub(crate) mod search;
pub(crate) mod wait;
