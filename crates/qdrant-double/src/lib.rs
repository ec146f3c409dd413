//! A Qdrant server for tests: the real protocol on the loopback, over the embedded engine, that misbehaves on command.
//!
//! Nothing it says about points is made up: what is upserted is stored, filtered, searched, scrolled and counted by
//! `qdrant-edge`, one shard a collection. Codes and messages of errors are those of Qdrant 1.19.
//!
//! - [`server`]: start it, stop it, look at what it was asked and what it keeps. [`settings`] is what it starts with.
//! - [`faults`]: everything it can do instead of answering well, and the rules that choose the calls. `serving` obeys.
//! - [`calls`]: what it was asked. [`method`]: what it can be asked.
//! - [`record`]: how a collection was made.
//! - `collections_service`, `points_service` and `health_service` are Qdrant's interfaces; `unserved` answers for the
//!   rest of them.
//! - `catalogue` keeps collections and aliases, `collection` is one of them. `updates` and `reads` are what is done
//!   with its points.
//! - `configuration`, `indexes`, `filters`, `selectors`, `points`, `vectors` and `ids` turn Qdrant's messages into the
//!   engine's types and back, `status` its errors.
//! - `connection` is one that can be cut, `tls` the server's certificate.

// It is part of tests: what cannot happen may panic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod calls;
mod catalogue;
mod collection;
mod collections_service;
mod configuration;
mod connection;
pub mod faults;
mod filters;
mod health_service;
mod ids;
mod indexes;
pub mod method;
mod points;
mod points_service;
mod reads;
pub mod record;
mod selectors;
pub mod server;
mod serving;
pub mod settings;
mod status;
mod tls;
mod unserved;
mod updates;
mod vectors;
