//! The users' tables: what they look like, which rows need work, and reading those rows.
//!
//! Everything that touches a user's table runs as the job's role in a security-restricted operation
//! ([`crate::pg::role::as_restricted`]): views, policies and index expressions are other people's code.

pub(crate) mod columns;
pub(crate) mod describe;
pub(crate) mod filter;
pub(crate) mod gone;
pub(crate) mod key;
pub(crate) mod live;
pub(crate) mod pages;
pub(crate) mod payload;
pub(crate) mod reader;
pub(crate) mod text;
pub(crate) mod vectors;
pub(crate) mod work_list;
