//! Where the server is and how collections are made.

use std::path::PathBuf;
use std::time::Duration;

use vb_formats::secret_ref::SecretRef;

/// Where the server is, and how it is talked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QdrantOptions {
    /// The address of its gRPC port, `http://host:6334` or `https://…`.
    pub url: String,
    /// Where the key is to be found, if it wants one.
    pub api_key: Option<SecretRef>,
    /// Folder that a file with the key has to be in; `None` for any.
    pub secret_directory: Option<PathBuf>,
    /// Certificates in PEM of who may vouch for the server; `None` for those that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// How new collections are made.
    pub collections: CollectionOptions,
}

/// How new collections are made; those that exist stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CollectionOptions {
    /// Parts that a collection is divided into; `None` leaves it to the server.
    pub shard_number: Option<u32>,
    /// Copies of each part; `None` leaves it to the server.
    pub replication_factor: Option<u32>,
    /// Copies that have to confirm a write; `None` leaves it to the server.
    pub write_consistency_factor: Option<u32>,
    /// Whether vectors and index are read from disk rather than kept in memory.
    pub on_disk: bool,
    /// How vectors are made smaller for searching.
    pub quantization: Option<Quantization>,
}

/// How vectors are made smaller for searching; the whole ones are kept as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantization {
    /// Eight bits a number.
    Scalar,
    /// One bit a number: for models made for it.
    Binary,
}
