//! What triggers do in the sessions of users: they note which rows changed, and the end of the transaction writes that down.
//!
//! A row costs a look at a few of its columns and an entry in the memory of its session; nothing is computed, compared with
//! what was embedded, or sent anywhere. What is noted may be more than what changed, never less: the worker compares.

pub(crate) mod noted;
pub(crate) mod trigger;
pub(crate) mod watch;
