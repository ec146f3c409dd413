//! Where connections may go: to public addresses over https, unless the administrator marked the endpoint as local.
//!
//! A name is resolved for each connection, and what it resolves to is looked at then: a name that meant a public address
//! when it was configured cannot lead into the private network later.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A name leads to an address that is not allowed.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("its address {0} is private; options.local => true allows that")]
pub(super) struct Forbidden(IpAddr);

/// What is wrong with the scheme or the literal address of an endpoint.
pub(super) fn check(url: &Url, local: bool) -> Result<(), String> {
    match url.scheme() {
        "https" => {}
        "http" if local => {}
        "http" => {
            return Err("the endpoint is plain http, which options.local => true allows".to_owned());
        }
        other => return Err(format!("the endpoint's scheme {other:?} is not https")),
    }
    let host = url.host_str().unwrap_or_default();
    if host.is_empty() {
        return Err("the endpoint has no host".to_owned());
    }
    // An address of version 6 stands in brackets.
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    match literal {
        Ok(address) if !local && !is_public(address) => Err(Forbidden(address).to_string()),
        _ => Ok(()),
    }
}

/// Resolves names as the system does, and refuses what is not public.
pub(super) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let found = allowed(found)?;
            if found.is_empty() {
                return Err(
                    Box::new(io::Error::from(io::ErrorKind::NotFound)) as Box<dyn std::error::Error + Send + Sync>
                );
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The addresses of a name, all of which have to be public: the connection is made to one of these and no other.
fn allowed(found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Forbidden> {
    match found.iter().find(|address| !is_public(address.ip())) {
        Some(address) => Err(Forbidden(address.ip())),
        None => Ok(found),
    }
}

/// Whether an address is one that anybody in the world could have: not of this machine, of a private network, of a cloud's
/// metadata service, or reserved.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public_v4(mapped),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let shared = first == 100 && (64..128).contains(&second);
    let benchmarking = first == 198 && (18..20).contains(&second);
    let protocol_assignments = address.octets()[..3] == [192, 0, 0];
    let relays_of_6to4 = address.octets()[..3] == [192, 88, 99];
    // Azure's metadata and other services of the machine's host, at an address that looks like any other.
    let host_of_azure = address == Ipv4Addr::new(168, 63, 129, 16);
    !(first == 0
        || first >= 240
        || shared
        || benchmarking
        || protocol_assignments
        || relays_of_6to4
        || host_of_azure
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Addresses of version 4 in other clothes lead wherever those lead: translation, 6to4 and compatible ones.
    let v4_inside = match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0, 0, high, low] => Some((high, low)),
        [0x2002, high, low, ..] => Some((high, low)),
        _ => None,
    };
    if let Some((high, low)) = v4_inside {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    // Global unicast is 2000::/3; of it, 2001::/23 is for protocols and tunnels, and two more are for documentation.
    let is_special = match segments {
        [0x2001, second, ..] => second < 0x0200 || second == 0x0db8,
        [0x3fff, second, ..] => second < 0x1000,
        _ => false,
    };
    segments[0] & 0xe000 == 0x2000 && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_whole_world_are_public() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "192.0.0.192",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "fe80::1",
            "fd00:ec2::254",
            "fc00::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "100.100.100.200",
            "168.63.129.16",
            "192.88.99.1",
            "239.255.255.250",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "::a9fe:a9fe",
            "::ffff:0:a9fe:a9fe",
            "::ffff:169.254.169.254",
            "2001:0:a00:1::1",
            "2001:10::1",
            "3fff::1",
            "fec0::1",
            "100::1",
        ] {
            assert!(!is_public(private.parse().expect("an address")), "{private}");
        }
        for public in ["1.1.1.1", "104.18.6.192", "2606:4700::6812:7c0", "64:ff9b::101:101"] {
            assert!(is_public(public.parse().expect("an address")), "{public}");
        }
    }

    #[test]
    fn plain_http_and_private_addresses_need_to_be_marked_as_local() {
        let check = |url: &str, local| check(&Url::parse(url).expect("an address"), local);
        for url in [
            "http://example.com",
            "https://127.0.0.1",
            "https://[::1]:8080",
            "https://2130706433",
            "https://0x7f.1",
            "https://0177.0.0.1",
            "https://127.1",
            "https://0",
            "https://0.0.0.0",
            "https://127.0.0.1.",
            "https://%31%32%37.0.0.1",
            "https://\u{ff11}\u{ff12}\u{ff17}\u{3002}0\u{3002}0\u{3002}1",
            "https://[::]",
            "https://[::ffff:169.254.169.254]",
            "https://[64:ff9b::169.254.169.254]",
            "https://[2002:a9fe:a9fe::]",
            "https://169.254.169.254:443/v1",
            "https://100.64.0.1",
            "https://224.0.0.1",
        ] {
            assert!(check(url, false).is_err(), "{url}");
            assert!(check(url, true).is_ok(), "{url}");
        }
        assert!(check("https://example.com", false).is_ok());
        assert!(check("https://example.com.:8443", false).is_ok());
        assert!(check("gopher://example.com", true).is_err());
    }

    #[test]
    fn a_name_with_one_private_address_among_others_leads_nowhere() {
        let of = |addresses: &[&str]| {
            let addresses = addresses
                .iter()
                .map(|address| SocketAddr::new(address.parse().expect("an address"), 0));
            allowed(addresses.collect())
        };
        assert_eq!(of(&["1.1.1.1", "2606:4700::1"]).expect("all are public").len(), 2);
        let refusal = of(&["1.1.1.1", "169.254.169.254"]).expect_err("one is private");
        assert!(refusal.to_string().contains("169.254.169.254"), "{refusal}");
    }

    #[tokio::test]
    async fn names_of_this_machine_are_looked_up_and_refused_each_time() {
        for name in ["localhost", "LocalHost", "127.1", "0x7f000001"] {
            for _ in 0..2 {
                let found = PublicOnly.resolve(name.parse().expect("a name")).await;
                let refusal = found.err().unwrap_or_else(|| panic!("{name} leads somewhere"));
                assert!(refusal.to_string().contains("private"), "{name}: {refusal}");
            }
        }
    }
}
