//! Addresses, keys and certificates.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use vb_engine::store::contract::VectorStore;
use vb_engine::store::error::StoreError;
use vb_engine::store::qdrant::{QdrantOptions, QdrantStore};
use vb_formats::secret_ref::SecretRef;
use vb_qdrant_double::server::QdrantDouble;
use vb_qdrant_double::settings::Settings;

use super::{double, options};

fn write_key(path: &Path, key: &str) {
    fs::write(path, key).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn a_key_is_read_with_each_request_and_never_shown() {
    let server = QdrantDouble::start(Settings {
        api_key: Some("the right key".to_owned()),
        ..Settings::default()
    })
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let store = QdrantStore::open(QdrantOptions {
        api_key: Some(SecretRef::File(file.clone())),
        ..options(server.url())
    })
    .unwrap();
    let refused = |result: Result<Vec<String>, StoreError>| match result {
        Err(StoreError::Configuration(message)) => message,
        other => panic!("{other:?}"),
    };
    let missing = refused(store.collections().await);
    assert!(missing.contains("qdrant_api_key_ref"), "{missing}");
    write_key(&file, "a wrong key");
    let wrong = refused(store.collections().await);
    assert!(
        wrong.contains("qdrant_api_key_ref") && !wrong.contains("a wrong key"),
        "{wrong}"
    );
    write_key(&file, "the right key\n");
    store.collections().await.unwrap();
}

#[tokio::test]
async fn a_server_with_a_certificate_of_its_own_is_trusted_by_file_only() {
    let server = QdrantDouble::start(Settings {
        tls: true,
        ..Settings::default()
    })
    .unwrap();
    assert!(server.url().starts_with("https://"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let with_file = || QdrantOptions {
        ca_file: Some(file.clone()),
        ..options(server.url())
    };
    let missing = QdrantStore::open(with_file()).err();
    assert!(
        matches!(&missing, Some(StoreError::Configuration(message)) if message.contains("ca.pem")),
        "{missing:?}"
    );
    fs::write(&file, server.ca_pem().unwrap()).unwrap();
    QdrantStore::open(with_file()).unwrap().collections().await.unwrap();
    // Another authority, and none.
    let other = QdrantDouble::start(Settings {
        tls: true,
        ..Settings::default()
    })
    .unwrap();
    fs::write(&file, other.ca_pem().unwrap()).unwrap();
    let distrusted = QdrantStore::open(with_file()).unwrap().collections().await;
    assert!(distrusted.is_err());
    if let Ok(store) = QdrantStore::open(options(server.url())) {
        assert!(store.collections().await.is_err());
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_by_the_name_of_its_setting() {
    for url in [
        "",
        "localhost",
        "localhost:6334",
        "ftp://localhost:6334",
        "http://user:secret@localhost:6334",
        "http://",
    ] {
        match QdrantStore::open(options(url.to_owned())).err() {
            Some(StoreError::Configuration(message)) => {
                assert!(
                    message.contains("qdrant_url") && !message.contains("secret"),
                    "{url}: {message}"
                );
            }
            other => panic!("{url}: {other:?}"),
        }
    }
    let server = double();
    assert!(QdrantStore::open(options(server.url())).is_ok());
}
