//! What the page asks for beside its stream.

pub(crate) mod control;
pub(crate) mod csv;
pub(crate) mod errors;
pub(crate) mod failure;
pub(crate) mod history;
pub(crate) mod once_a_second;
pub(crate) mod parameters;
