//! The command line, and what it refuses before anything is opened.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

use crate::connection::{self, Target};
use crate::safety::host::Hosts;
use crate::safety::token::{Token, TokenError};

/// The live page of vector_backfill: jobs, speed, coverage and errors as they are, and the same as metrics for Prometheus.
///
/// Shows what the database's role may see: pg_monitor sees the progress of all clients, vb_grant_access gives a role those
/// of some.
#[derive(Debug, Parser)]
#[command(name = "vb-dashboard", version)]
pub(crate) struct Arguments {
    /// The database: postgres://user@host/database or "host=/run/postgresql dbname=…". With a password better from the
    /// environment, which other users cannot read.
    #[arg(long, env = "VB_DASHBOARD_DATABASE", hide_env_values = true, value_name = "URL")]
    database: String,

    /// Where to listen; port 0 takes a free one. Other addresses than those of this machine need a token.
    #[arg(
        long,
        env = "VB_DASHBOARD_LISTEN",
        default_value = "127.0.0.1:8088",
        value_name = "ADDRESS:PORT"
    )]
    listen: SocketAddr,

    /// Lets the page pause, resume, cancel and retry jobs, as the database's role.
    #[arg(long)]
    control: bool,

    /// A file with the token that browsers and Prometheus have to show; only its owner may read it.
    #[arg(long, value_name = "PATH")]
    token_file: Option<PathBuf>,

    /// The same from the environment.
    #[arg(
        long = "token",
        env = "VB_DASHBOARD_TOKEN",
        hide = true,
        hide_env_values = true,
        conflicts_with = "token_file"
    )]
    token: Option<String>,

    /// Certificates (PEM) that the database's own must be signed by, instead of those of this machine.
    #[arg(long, value_name = "PATH")]
    ca_file: Option<PathBuf>,

    /// A name under which browsers reach this page, as behind a proxy or a tunnel; with :PORT only that port. Can be
    /// repeated.
    #[arg(long = "allowed-host", value_name = "NAME[:PORT]")]
    allowed_hosts: Vec<String>,
}

/// Arguments that hold together.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) database: Target,
    pub(crate) listen: SocketAddr,
    pub(crate) control: bool,
    pub(crate) token: Option<Token>,
    pub(crate) allowed_hosts: Hosts,
}

/// Why it does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(
        "{0} is not an address of this machine alone, and there is no token: give --token-file PATH (a file that only you \
         can read, as of `openssl rand -hex 32`) or VB_DASHBOARD_TOKEN"
    )]
    NoToken(SocketAddr),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Database(#[from] connection::TargetError),
    #[error("cannot start: {0}")]
    Runtime(#[from] std::io::Error),
}

impl Arguments {
    pub(crate) fn checked(self) -> Result<Setup, Refused> {
        let token = match (self.token_file, self.token) {
            (Some(path), _) => Some(Token::of_file(&path)?),
            (None, Some(text)) => Some(Token::new(&text, "VB_DASHBOARD_TOKEN")?),
            (None, None) => None,
        };
        if token.is_none() && !self.listen.ip().is_loopback() {
            return Err(Refused::NoToken(self.listen));
        }
        Ok(Setup {
            database: Target::new(&self.database, self.ca_file.as_deref())?,
            listen: self.listen,
            control: self.control,
            token,
            allowed_hosts: Hosts::new(self.allowed_hosts),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(arguments: &[&str]) -> Result<Setup, Refused> {
        let fixed = ["vb-dashboard", "--database", "postgres://localhost/shop"];
        let all = fixed.iter().chain(arguments);
        Arguments::try_parse_from(all).expect("they can be parsed").checked()
    }

    #[test]
    fn other_addresses_than_the_loopback_need_a_token() {
        assert!(checked(&[]).is_ok());
        assert!(checked(&["--listen", "127.0.0.9:0"]).is_ok());
        assert!(checked(&["--listen", "[::1]:0"]).is_ok());
        for open in ["0.0.0.0:8088", "[::]:8088", "192.0.2.7:80"] {
            assert!(
                matches!(checked(&["--listen", open]), Err(Refused::NoToken(_))),
                "{open}"
            );
            assert!(
                checked(&["--listen", open, "--token", "0123456789abcdef"]).is_ok(),
                "{open}"
            );
        }
    }

    #[test]
    fn a_token_has_to_be_long() {
        assert!(matches!(
            checked(&["--token", "0123456789abcde"]),
            Err(Refused::Token(_))
        ));
    }
}
