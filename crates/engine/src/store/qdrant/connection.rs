//! Connections to the server: made when they are needed and made again when they break; the key, and whom to trust.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use qdrant_client::qdrant::collections_client::CollectionsClient;
use qdrant_client::qdrant::points_client::PointsClient;
use secrecy::ExposeSecret;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Uri};
use tonic::{Request, Status};

use super::options::QdrantOptions;
use crate::provider::secret;
use crate::regular_file;
use crate::store::error::StoreError;

/// Connections that requests take in turn: one alone would be encrypted and decrypted on a single core.
const CONNECTIONS: usize = 2;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a silent connection is asked whether it still works, and how long the answer may take.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The longest answer: a page of points with large vectors. The library's own limit is 4 MB.
const LONGEST_ANSWER: usize = 256 << 20;

/// The largest file of certificates.
const LARGEST_CA_FILE: u64 = 1024 * 1024;

/// A connection that shows the key with every request.
type Authorized = InterceptedService<Channel, Key>;

/// The way to the server.
pub(super) struct Connection {
    channels: Vec<Channel>,
    next: AtomicUsize,
    options: QdrantOptions,
    /// The address as messages show it.
    shown: String,
}

/// The key, shown with every request.
#[derive(Clone)]
pub(super) struct Key(Option<MetadataValue<Ascii>>);

impl Interceptor for Key {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(key) = &self.0 {
            request.metadata_mut().insert("api-key", key.clone());
        }
        Ok(request)
    }
}

impl Connection {
    /// Prepares connections; none is made yet. Must run inside a tokio runtime.
    pub(super) fn new(options: QdrantOptions) -> Result<Self, StoreError> {
        let wrong = |what: &str| StoreError::Configuration(format!("vector_backfill.qdrant_url {what}"));
        let uri: Uri = options
            .url
            .parse()
            .map_err(|_| wrong("is not an address like http://host:6334"))?;
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(wrong("is not an address like http://host:6334"));
        };
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            return Err(wrong(
                "holds a user name: give a key through vector_backfill.qdrant_api_key_ref",
            ));
        }
        let shown = match uri.port() {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        let endpoint = Endpoint::from(uri.clone())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(options.request_timeout)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE)
            .http2_adaptive_window(true)
            .user_agent(concat!("vector_backfill/", env!("CARGO_PKG_VERSION")))
            .map_err(|error| StoreError::Configuration(error.to_string()))?;
        let endpoint = match scheme {
            "http" => endpoint,
            "https" => endpoint
                .tls_config(trust(options.ca_file.as_deref())?)
                .map_err(|error| {
                    StoreError::Configuration(format!("cannot prepare connections to {shown}: {error}"))
                })?,
            _ => return Err(wrong("has to begin with http:// or https://")),
        };
        Ok(Self {
            channels: (0..CONNECTIONS).map(|_| endpoint.connect_lazy()).collect(),
            next: AtomicUsize::new(0),
            options,
            shown,
        })
    }

    /// How the server is talked to.
    pub(super) fn options(&self) -> &QdrantOptions {
        &self.options
    }

    /// The address, for messages.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// What a request says about how long the server may take, in seconds.
    pub(super) fn patience(&self) -> Option<u64> {
        Some(self.options.request_timeout.as_secs().max(1))
    }

    /// For what concerns collections.
    pub(super) fn collections(&self) -> Result<CollectionsClient<Authorized>, StoreError> {
        let client = CollectionsClient::with_interceptor(self.channel(), self.key()?);
        Ok(client.max_decoding_message_size(LONGEST_ANSWER))
    }

    /// For what concerns points.
    pub(super) fn points(&self) -> Result<PointsClient<Authorized>, StoreError> {
        let client = PointsClient::with_interceptor(self.channel(), self.key()?);
        Ok(client.max_decoding_message_size(LONGEST_ANSWER))
    }

    fn channel(&self) -> Channel {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        self.channels[turn % self.channels.len()].clone()
    }

    /// The key as it is now: one that was replaced counts with the next request.
    fn key(&self) -> Result<Key, StoreError> {
        let Some(reference) = &self.options.api_key else {
            return Ok(Key(None));
        };
        let wrong = |what: String| StoreError::Configuration(format!("vector_backfill.qdrant_api_key_ref: {what}"));
        let key = secret::read(reference, self.options.secret_directory.as_deref()).map_err(wrong)?;
        let mut value: MetadataValue<Ascii> = key
            .expose_secret()
            .parse()
            .map_err(|_| wrong(format!("{reference} holds bytes that no key has")))?;
        value.set_sensitive(true);
        Ok(Key(Some(value)))
    }
}

/// Whom to trust: those in the file alone, or else those that the system trusts.
fn trust(ca_file: Option<&Path>) -> Result<ClientTlsConfig, StoreError> {
    let Some(path) = ca_file else {
        return Ok(ClientTlsConfig::new().with_native_roots());
    };
    let wrong =
        |what: String| StoreError::Configuration(format!("vector_backfill.qdrant_ca_file {}: {what}", path.display()));
    let pem = regular_file::read(path, LARGEST_CA_FILE).map_err(|error| wrong(error.to_string()))?;
    Ok(ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)))
}
