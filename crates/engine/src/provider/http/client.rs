//! Connections, shared by all who may use the same ones: kept alive, HTTP/2 where the server has it, no redirects.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::{Certificate, Client, ClientBuilder, redirect};

use super::address::PublicOnly;
use crate::provider::contract::Purpose;
use crate::regular_file;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(90);

/// The largest file of certificates.
const LARGEST_CA_FILE: u64 = 1024 * 1024;

/// Clients by what they are allowed and whom they trust. Connections of queries are not those of passages: they are driven
/// by threads of another priority.
#[derive(Default)]
pub(in crate::provider) struct Clients {
    made: Mutex<HashMap<Trust, Client>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Trust {
    local: bool,
    /// Certificates that are trusted besides those of the system.
    ca: Option<Vec<u8>>,
    for_queries: bool,
}

impl Clients {
    /// A client. The file is read anew, so that another one is made when it has changed.
    pub(super) fn get(&self, local: bool, ca_file: Option<&Path>, purpose: Purpose) -> Result<Client, String> {
        let trust = Trust {
            local,
            ca: ca_file.map(read_ca).transpose()?,
            for_queries: purpose == Purpose::Query,
        };
        let mut made = self.made.lock();
        if let Some(client) = made.get(&trust) {
            return Ok(client.clone());
        }
        let client = make(&trust, ca_file)?;
        made.insert(trust, client.clone());
        Ok(client)
    }
}

fn make(trust: &Trust, ca_file: Option<&Path>) -> Result<Client, String> {
    // The first one stays; others have installed the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificates = match &trust.ca {
        Some(pem) => certificates(pem, ca_file)?,
        None => Vec::new(),
    };
    let with_systems = builder(trust).tls_certs_merge(certificates.clone()).build();
    let client = with_systems.or_else(|error| {
        log::warn!("certificates of the system are not to be had, so only those of ca_file are trusted: {error}");
        builder(trust).tls_certs_only(certificates).build()
    });
    client.map_err(|error| format!("could not prepare connections: {error}"))
}

/// Everything but whom to trust.
fn builder(trust: &Trust) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(concat!("vector_backfill/", env!("CARGO_PKG_VERSION")))
        // They would carry the key elsewhere.
        .redirect(redirect::Policy::none())
        .referer(false)
        // One that the server's environment names would go around the check of addresses.
        .no_proxy()
        // A small answer could become any number of bytes; the limit is on what is read.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE)
        .tcp_nodelay(true)
        .http2_adaptive_window(true)
        .retry(reqwest::retry::never());
    if trust.local {
        builder
    } else {
        builder.dns_resolver(Arc::new(PublicOnly))
    }
}

fn certificates(pem: &[u8], ca_file: Option<&Path>) -> Result<Vec<Certificate>, String> {
    let shown = ca_file.map(PathBuf::from).unwrap_or_default();
    let found = Certificate::from_pem_bundle(pem).unwrap_or_default();
    if found.is_empty() {
        return Err(format!("ca_file {} holds no certificates", shown.display()));
    }
    Ok(found)
}

fn read_ca(path: &Path) -> Result<Vec<u8>, String> {
    regular_file::read(path, LARGEST_CA_FILE).map_err(|error| format!("ca_file {}: {error}", path.display()))
}
