//! Which database, and how sessions with it are opened: over a socket, or over TCP with TLS where the server speaks it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Where Debian's packages have the server's socket; libpq's default there.
const DEFAULT_SOCKET: &str = "/var/run/postgresql";

/// Said of each new session, so that none of them can hold up the database.
pub(crate) const SESSION: &str = include_str!("../sql/session.sql");

/// A database and how to reach it.
#[derive(Clone)]
pub(crate) struct Target {
    config: Config,
    tls: MakeRustlsConnect,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("--database: {0}")]
    Url(#[source] tokio_postgres::Error),
    #[error("--ca-file {0}: {1}")]
    Certificates(PathBuf, #[source] pem::Error),
    #[error("--ca-file {0} has no certificate")]
    NoCertificate(PathBuf),
    #[error("TLS cannot be used: {0}")]
    Tls(#[source] rustls::Error),
}

impl Target {
    pub(crate) fn new(url: &str, ca_file: Option<&Path>) -> Result<Self, TargetError> {
        Ok(Self {
            config: config(url)?,
            tls: tls(ca_file)?,
        })
    }

    pub(crate) fn config(&self) -> Config {
        self.config.clone()
    }

    pub(crate) fn tls(&self) -> MakeRustlsConnect {
        self.tls.clone()
    }

    /// A session of its own. It ends when the client is dropped.
    pub(crate) async fn connect(&self) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        // Why it ended, the next query of the client will say.
        tokio::spawn(async move { drop(connection.await) });
        client.batch_execute(SESSION).await?;
        Ok(client)
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // It has the password.
        f.write_str("Target(…)")
    }
}

fn config(url: &str) -> Result<Config, TargetError> {
    // We never connect without verifying, so libpq's stricter words mean what `require` means here.
    let url = ["verify-full", "verify-ca"].iter().fold(url.to_owned(), |url, word| {
        url.replace(&format!("sslmode={word}"), "sslmode=require")
    });
    let mut config: Config = url.parse().map_err(TargetError::Url)?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        config.host_path(DEFAULT_SOCKET);
    }
    if config.get_password().is_none()
        && let Ok(password) = std::env::var("PGPASSWORD")
    {
        config.password(password);
    }
    // A server's certificate is made for its name elsewhere, and nobody listens between us and it here.
    if config.get_ssl_mode() == SslMode::Prefer && config.get_hosts().iter().all(is_here) {
        config.ssl_mode(SslMode::Disable);
    }
    config
        .application_name("vb-dashboard")
        .connect_timeout(Duration::from_secs(5))
        .tcp_user_timeout(Duration::from_secs(15))
        .keepalives_idle(Duration::from_secs(30));
    Ok(config)
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback()),
    }
}

fn tls(ca_file: Option<&Path>) -> Result<MakeRustlsConnect, TargetError> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        None => {
            // Certificates of this machine that cannot be read verify nothing, and are missed by name when they are needed.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Some(path) => {
            let certificates = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| TargetError::Certificates(path.to_owned(), error))?;
            if roots.add_parsable_certificates(certificates).0 == 0 {
                return Err(TargetError::NoCertificate(path.to_owned()));
            }
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TargetError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// What went wrong, in one line: the server's words if it said any, else all causes.
pub(crate) fn plain(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return said.message().to_owned();
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> SslMode {
        config(url).expect("a database").get_ssl_mode()
    }

    #[test]
    fn tls_is_for_other_machines() {
        assert_eq!(mode("postgres://dash@localhost/shop"), SslMode::Disable);
        assert_eq!(mode("postgres://dash@%2Frun%2Fpostgresql/shop"), SslMode::Disable);
        assert_eq!(mode("host=/run/postgresql dbname=shop user=dash"), SslMode::Disable);
        assert_eq!(mode("postgres://dash@db.example/shop"), SslMode::Prefer);
        assert_eq!(
            mode("postgres://dash@db.example/shop?sslmode=verify-full"),
            SslMode::Require
        );
        assert_eq!(mode("postgres://dash@localhost/shop?sslmode=require"), SslMode::Require);
    }

    #[test]
    fn without_a_host_the_socket_of_this_machine_is_meant() {
        let config = config("dbname=shop user=dash").expect("a database");
        assert_eq!(config.get_hosts(), [Host::Unix(DEFAULT_SOCKET.into())]);
    }

    #[test]
    fn a_password_is_not_written_to_logs() {
        let target = Target::new("postgres://dash:sesame@localhost/shop", None).expect("a database");
        assert!(!format!("{target:?}").contains("sesame"));
    }
}
