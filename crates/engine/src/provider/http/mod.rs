//! Embedding services that are asked over HTTP.
//!
//! - [`provider`]: one call, from texts to embeddings. `dialect` says where it goes and what each service wants, [`models`]
//!   what is known of models.
//! - `input` are the texts as they are sent, `body` writes the request, `answer` reads what comes back; [`vb_formats`] takes it apart and believes nothing.
//! - `client` are the connections, `address` where they may go, `headers` what is sent besides the body.
//! - `fault` finds out what went wrong and `failed` says it, for [`verdict`](crate::policy::verdict) to say what it means.
//! - `tokenizer` counts tokens and cuts texts that are too long.

mod address;
mod answer;
mod body;
mod client;
mod dialect;
mod failed;
mod fault;
mod headers;
mod input;
pub mod models;
pub mod provider;
mod tokenizer;

pub(super) use client::Clients;
pub use dialect::{check, check_form};
