//! A sentence embedding model on this machine, run by ONNX Runtime: nothing leaves the host and nothing has to be paid.
//!
//! The way of a request: tokenise all texts ([`tokenize`]), sort and pack them by length ([`crate::policy::packing`]),
//! queue the packs ([`request`]) for threads that have a session each ([`threads`], [`pack_job`], [`session`]), pool
//! the token vectors ([`pooling`]), put the answers back into the order of the texts. [`provider`] holds it together;
//! [`model_file`] reads the model's files, [`whole_model`] looks at them; [`runtime`] loads the C library,
//! [`shared_library`] looks at it before.

mod model_file;
mod pack_job;
mod pooling;
mod provider;
mod request;
mod runtime;
mod session;
mod shared_library;
mod threads;
mod tokenize;
mod whole_model;

pub use provider::{OnnxProvider, PACK_LIMITS};
