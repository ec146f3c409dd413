//! Names under which the page may be asked for. A foreign page can make its own name point to this machine and would then
//! read what the browser may read here; its requests carry that name.

use std::net::{IpAddr, SocketAddr};

/// Names that were allowed on the command line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    pub(crate) fn new(names: Vec<String>) -> Self {
        Self(names.into_iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    /// Whether a request for this host is meant for a server that listens there.
    ///
    /// On the loopback that is `localhost` or a loopback address with the port; elsewhere the address with the port, any
    /// address where it listens on all. A name of the command line stands for each port if it has none of its own.
    pub(crate) fn allows(&self, host: &str, listening: SocketAddr) -> bool {
        let host = host.to_ascii_lowercase();
        let Some((name, port)) = parts(&host) else {
            return false;
        };
        if self
            .0
            .iter()
            .any(|allowed| *allowed == host || (allowed == name && !has_port(allowed)))
        {
            return true;
        }
        if port.unwrap_or(80) != listening.port() {
            return false;
        }
        let here = listening.ip();
        match address(name) {
            Some(asked) if here.is_loopback() => asked.is_loopback(),
            // A page cannot make an address point elsewhere.
            Some(asked) => here.is_unspecified() || asked == here,
            None => here.is_loopback() && name == "localhost",
        }
    }
}

/// `name`, `name:port`, `[address]`, `[address]:port`.
fn parts(host: &str) -> Option<(&str, Option<u16>)> {
    let end = if host.starts_with('[') {
        host.find(']')? + 1
    } else {
        host.find(':').unwrap_or(host.len())
    };
    let (name, rest) = host.split_at(end);
    if name.is_empty() {
        return None;
    }
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Some((name, None)),
        None => None,
        Some(port) if port.bytes().all(|digit| digit.is_ascii_digit()) => Some((name, Some(port.parse().ok()?))),
        Some(_) => None,
    }
}

fn has_port(allowed: &str) -> bool {
    parts(allowed).is_some_and(|(_, port)| port.is_some())
}

fn address(name: &str) -> Option<IpAddr> {
    match name.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => name.parse().ok().map(IpAddr::V4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(allowed: &[&str], host: &str, listening: &str) -> bool {
        let hosts = Hosts::new(allowed.iter().map(|&name| name.to_owned()).collect());
        hosts.allows(host, listening.parse().expect("an address"))
    }

    #[test]
    fn on_the_loopback_only_its_own_names_are_answered() {
        for host in ["localhost:8088", "LOCALHOST:8088", "127.0.0.1:8088", "[::1]:8088"] {
            assert!(allows(&[], host, "127.0.0.1:8088"), "{host}");
        }
        for host in [
            "",
            ":8088",
            "localhost",
            "localhost:8089",
            "localhost:",
            "localhost.evil.example:8088",
            "evil.example:8088",
            "192.0.2.1:8088",
            "127.0.0.1.evil.example:8088",
            "[::1]x:8088",
            "[::1:8088",
            "localhost:8088:8088",
            "localhost:+8088",
        ] {
            assert!(!allows(&[], host, "127.0.0.1:8088"), "{host}");
        }
        assert!(allows(&[], "localhost", "127.0.0.1:80"));
    }

    #[test]
    fn elsewhere_the_address_is_answered_and_names_that_were_allowed() {
        assert!(allows(&[], "192.0.2.1:8088", "192.0.2.1:8088"));
        assert!(!allows(&[], "192.0.2.2:8088", "192.0.2.1:8088"));
        assert!(!allows(&[], "localhost:8088", "192.0.2.1:8088"));
        assert!(allows(&[], "192.0.2.2:8088", "0.0.0.0:8088"));
        assert!(!allows(&[], "dash.example:8088", "0.0.0.0:8088"));
        assert!(allows(&["Dash.example"], "dash.example", "0.0.0.0:8088"));
        assert!(allows(&["dash.example"], "dash.example:9443", "127.0.0.1:8088"));
        assert!(allows(&["dash.example:9443"], "dash.example:9443", "0.0.0.0:8088"));
        assert!(!allows(&["dash.example:9443"], "dash.example:8088", "0.0.0.0:8088"));
        assert!(!allows(&["dash.example"], "x.dash.example", "0.0.0.0:8088"));
    }
}
