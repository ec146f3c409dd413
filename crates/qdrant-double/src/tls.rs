//! A certificate authority of its own, and a certificate of that.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tonic::transport::Identity;

/// Names the certificate is for.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// What a TLS server needs, and what its clients have to trust.
pub(crate) struct Certified {
    pub(crate) server: Identity,
    /// In PEM.
    pub(crate) authority: String,
}

/// An identity for the loopback.
pub(crate) fn certify() -> Certified {
    let mut params = CertificateParams::new(Vec::new()).expect("no name is a valid set of names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("keys can be made")).expect("it can be signed");
    let key = KeyPair::generate().expect("keys can be made");
    let certificate = CertificateParams::new(NAMES.map(str::to_owned))
        .expect("the names are valid")
        .signed_by(&key, &authority)
        .expect("it can be signed");
    Certified {
        server: Identity::from_pem(certificate.pem(), key.serialize_pem()),
        authority: authority.pem(),
    }
}
