//! A certificate authority of its own, and a certificate of that.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

/// What a TLS server needs, and what its clients have to trust.
pub(crate) struct Identity {
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) authority: String,
}

/// An identity for a host of that name.
pub(crate) fn identity(name: &str) -> Identity {
    let mut params = CertificateParams::new(Vec::new()).expect("no name is a valid set of names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("keys can be made")).expect("it can be signed");
    let key = KeyPair::generate().expect("keys can be made");
    let certificate = CertificateParams::new(vec![name.to_owned()])
        .expect("a host has a valid name")
        .signed_by(&key, &authority)
        .expect("it can be signed");
    let mut server = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the usual versions are known")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .expect("certificate and key belong together");
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Identity {
        server: Arc::new(server),
        authority: authority.pem(),
    }
}
