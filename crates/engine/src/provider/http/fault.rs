//! Finds out what went wrong with a connection, from the chain of an error.

use std::error::Error;

use vb_formats::refusal;

use super::address::Forbidden;
use crate::policy::verdict::Fault;

/// What a connection's error is.
pub(super) fn of_transport(error: &reqwest::Error) -> Fault {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if find::<Forbidden>(current).is_some() {
            return Fault::ForbiddenAddress;
        }
        if find::<rustls::Error>(current).is_some_and(is_about_trust) {
            return Fault::Certificate;
        }
        cause = current.source();
    }
    if error.is_timeout() {
        Fault::TimedOut
    } else if error.is_connect() {
        Fault::Unreachable
    } else {
        Fault::Broken
    }
}

/// An error of that type, also when errors of the system are wrapped around it, whose sources leave out what they wrap.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    find(error.downcast_ref::<std::io::Error>()?.get_ref()?)
}

/// Whether somebody has to change something; other errors of TLS come with restarts and broken connections.
fn is_about_trust(error: &rustls::Error) -> bool {
    matches!(
        error,
        rustls::Error::InvalidCertificate(_)
            | rustls::Error::NoCertificatesPresented
            | rustls::Error::UnsupportedNameType
            | rustls::Error::PeerIncompatible(_)
    )
}

/// The innermost reason of an error, which says most.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    refusal::cleaned(&cause.to_string(), &[])
}
