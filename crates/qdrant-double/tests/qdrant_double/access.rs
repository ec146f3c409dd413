//! Keys, certificates, and a server that goes away and comes back.

use qdrant_client::Qdrant;
use qdrant_client::qdrant::collections_client::CollectionsClient;
use qdrant_client::qdrant::qdrant_client::QdrantClient;
use qdrant_client::qdrant::{HealthCheckRequest, ListCollectionsRequest, QueryPointsBuilder, ScrollPoints};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};
use vb_qdrant_double::faults::{Fault, Rule};
use vb_qdrant_double::method::Method;
use vb_qdrant_double::server::QdrantDouble;
use vb_qdrant_double::settings::Settings;

use crate::client::{COLLECTION, Client, collection, number, numbered, server_with_points, upsert};

async fn list(channel: Channel, key: Option<(&'static str, &'static str)>) -> Result<(), Status> {
    let with_key = move |mut request: Request<()>| {
        if let Some((name, value)) = key {
            request.metadata_mut().insert(name, value.parse().unwrap());
        }
        Ok(request)
    };
    let mut client = CollectionsClient::with_interceptor(channel, with_key);
    client.list(ListCollectionsRequest {}).await.map(|_| ())
}

#[tokio::test]
async fn whoever_lacks_the_key_only_learns_that_the_server_is_well() {
    let double = QdrantDouble::start(Settings {
        api_key: Some("secret".to_owned()),
        ..Settings::default()
    })
    .unwrap();
    let channel = Channel::from_shared(double.url()).unwrap().connect_lazy();
    list(channel.clone(), Some(("api-key", "secret"))).await.unwrap();
    list(channel.clone(), Some(("authorization", "Bearer secret")))
        .await
        .unwrap();
    let wrong = list(channel.clone(), Some(("api-key", "guess"))).await.unwrap_err();
    assert_eq!(
        (wrong.code(), wrong.message()),
        (Code::Unauthenticated, "Invalid API key or JWT")
    );
    let none = list(channel.clone(), None).await.unwrap_err();
    assert_eq!(none.code(), Code::Unauthenticated);

    let health = QdrantClient::new(channel)
        .health_check(HealthCheckRequest {})
        .await
        .unwrap();
    assert_eq!(health.into_inner().version, "1.18.0-double");
    let methods: Vec<_> = double.calls().into_iter().map(|call| call.method).collect();
    assert_eq!(methods[..4], [Method::ListCollections; 4]);
}

#[tokio::test]
async fn over_tls_only_those_who_trust_its_authority_come_in() {
    let double = QdrantDouble::start(Settings {
        tls: true,
        ..Settings::default()
    })
    .unwrap();
    assert!(double.url().starts_with("https://127.0.0.1:"));
    let trusting = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(double.ca_pem().unwrap()));
    let endpoint = || Endpoint::from_shared(double.url()).unwrap();
    let channel = endpoint().tls_config(trusting).unwrap().connect().await.unwrap();
    list(channel, None).await.unwrap();
    let doubting = endpoint().tls_config(ClientTlsConfig::new()).unwrap().connect().await;
    assert!(doubting.is_err());
}

#[tokio::test]
async fn a_server_that_comes_back_has_its_address_and_its_data() {
    let (double, mut client) = server_with_points().await;
    let address = double.url();
    let port = address.trim_start_matches("http://").to_owned();
    double.fault(Rule::new(Fault::Hang).on(Method::Scroll));
    let mut other = Client::of(&double);
    let waiting = tokio::spawn(async move { other.points.scroll(ScrollPoints::default()).await });
    while double.calls().iter().all(|call| call.method != Method::Scroll) {
        tokio::task::yield_now().await;
    }

    double.stop();
    waiting.await.unwrap().unwrap_err();
    // The first call may still meet what is left of the connection.
    client.count(None).await.unwrap_err();
    let gone = client.count(None).await.unwrap_err();
    assert_eq!(gone.code(), Code::Unavailable, "{gone:?}");
    let refused = tokio::net::TcpStream::connect(&port).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);

    double.restart().unwrap();
    assert_eq!(double.url(), address);
    assert_eq!(client.count(None).await.unwrap(), 3);
    double.restart().unwrap();
    let mut client = Client::of(&double);
    client.upsert([numbered(4)]).await.unwrap();
    assert_eq!(double.collection(COLLECTION).unwrap().points, 4);

    double.wipe();
    assert!(double.collections().is_empty());
    assert_eq!(client.count(None).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn qdrants_own_client_takes_it_for_a_server() {
    let double = QdrantDouble::start(Settings {
        api_key: Some("secret".to_owned()),
        ..Settings::default()
    })
    .unwrap();
    let client = Qdrant::from_url(&double.url())
        .api_key("secret")
        .skip_compatibility_check()
        .build()
        .unwrap();
    client.create_collection(collection(COLLECTION)).await.unwrap();
    client.upsert_points(upsert([numbered(1), numbered(2)])).await.unwrap();
    let request = QueryPointsBuilder::new(COLLECTION)
        .query(vec![1.0, 2.0, 0.0, 0.0])
        .limit(1);
    let found = client.query(request).await.unwrap().result;
    assert_eq!(number(found[0].id.clone()), 2);
}

#[test]
fn it_needs_no_runtime_of_whoever_starts_it() {
    let double = QdrantDouble::start(Settings::default()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut client = Client::of(&double);
        client.collections.list(ListCollectionsRequest {}).await.unwrap();
    });
    drop(double);
}
