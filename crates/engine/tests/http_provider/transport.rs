//! Connections: kept, shared, checked, and no harm when they break.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use vb_engine::batch::FailureClass;
use vb_provider_double::behaviour::Behaviour;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;

use crate::support::{DIMENSIONS, Owner, assert_right, config, http, passages};

fn secure() -> Settings {
    Settings {
        tls: true,
        ..Settings::default()
    }
}

#[test]
fn tls_with_an_authority_of_ones_own_works_and_speaks_http_2_over_one_connection() {
    let server = ProviderDouble::start(secure());
    let owner = Owner::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), server.authority()).unwrap();
    let mut config = config(&server);
    http(&mut config).options.ca_file = Some(file.path().to_owned());
    let provider = owner.provider(&config).unwrap();
    assert_right(&owner.embed(&config, &["a"]).unwrap(), &["a"]);
    let calls: Vec<_> = (0..4)
        .map(|_| {
            owner.runtime.spawn({
                let provider = provider.clone();
                async move { provider.embed(passages(&["a"])).await }
            })
        })
        .collect();
    calls
        .into_iter()
        .for_each(|call| drop(owner.runtime.block_on(call).unwrap().unwrap()));
    let calls = server.calls();
    assert!(calls.iter().all(|call| call.is_http2));
    let connections: HashSet<usize> = calls.iter().map(|call| call.connection).collect();
    assert_eq!(connections.len(), 1, "one connection carries all");
}

#[test]
fn connections_are_kept_alive_without_http_2_as_well() {
    let server = ProviderDouble::start(Settings::default());
    let owner = Owner::new();
    (0..30).for_each(|_| drop(owner.embed(&config(&server), &["a"]).unwrap()));
    let calls = server.calls();
    assert!(calls.iter().all(|call| !call.is_http2));
    // One that has just been used comes back to the others a moment after its answer: a call that is sooner opens another.
    let connections: HashSet<usize> = calls.iter().map(|call| call.connection).collect();
    assert!(connections.len() <= 3, "{} connections for 30 calls", connections.len());
}

#[test]
fn proxies_that_the_servers_environment_names_are_not_used() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "transport::connections_are_kept_alive_without_http_2_as_well",
        ])
        .envs(
            ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"]
                .map(|name| (name, "http://127.0.0.1:1")),
        )
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn nothing_that_is_compressed_is_asked_for_or_unpacked() {
    let numbers = vb_provider_double::embedding::embedding("a", DIMENSIONS);
    let body = format!(r#"{{"data": [{{"index": 0, "embedding": {numbers:?}}}]}}"#);
    // What calls itself compressed is read as it comes, up to the limit for what comes.
    let server = ProviderDouble::start_with(
        Settings::default(),
        Box::new(move |_| Behaviour::Status(200, Vec::new(), body.clone()).with("content-encoding", "gzip".to_owned())),
    );
    assert_right(&Owner::new().embed(&config(&server), &["a"]).unwrap(), &["a"]);
    assert_eq!(server.calls()[0].header("accept-encoding"), None);
}

#[test]
fn a_certificate_that_nobody_vouches_for_or_for_another_name_is_refused() {
    let server = ProviderDouble::start(secure());
    let error = Owner::new().failure(&config(&server), &["a"]);
    assert_eq!(error.class(), Some(FailureClass::Configuration), "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");

    let server = ProviderDouble::start(Settings {
        certificate_name: "elsewhere.example".into(),
        ..secure()
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), server.authority()).unwrap();
    let mut config = config(&server);
    http(&mut config).options.ca_file = Some(file.path().to_owned());
    let error = Owner::new().failure(&config, &["a"]);
    assert_eq!(error.class(), Some(FailureClass::Configuration), "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!(server.count(), 0, "no key was sent");
}

#[test]
fn a_file_of_certificates_that_is_none_is_named() {
    let server = ProviderDouble::start(secure());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "no certificate").unwrap();
    for path in [file.path().to_owned(), "/no/such/ca".into()] {
        let mut config = config(&server);
        http(&mut config).options.ca_file = Some(path.clone());
        let error = Owner::new().failure(&config, &["a"]);
        assert_eq!(error.class(), Some(FailureClass::Configuration), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

#[test]
fn a_broken_or_refused_connection_may_pass() {
    for behaviour in [Behaviour::Reset, Behaviour::Close] {
        let server = ProviderDouble::start_with(
            Settings::default(),
            Box::new(move |call| match call.number {
                0 => behaviour.clone(),
                _ => Behaviour::Well,
            }),
        );
        let owner = Owner::new();
        let error = owner.failure(&config(&server), &["a"]);
        assert_eq!(error.class(), Some(FailureClass::Transient), "{error}");
        assert_right(&owner.embed(&config(&server), &["a"]).unwrap(), &["a"]);
    }
    let server = ProviderDouble::start(Settings::default());
    let gone = config(&server);
    drop(server);
    let error = Owner::new().failure(&gone, &["a"]);
    assert_eq!(error.class(), Some(FailureClass::Transient), "{error}");
    assert!(error.to_string().contains("cannot be reached"), "{error}");
}

#[test]
fn no_answer_in_time_may_pass() {
    let server = ProviderDouble::start_with(
        Settings::default(),
        Box::new(|_| Behaviour::Late(Duration::from_secs(60))),
    );
    let mut config = config(&server);
    http(&mut config).options.timeout_ms = Some(200);
    let start = Instant::now();
    let error = Owner::new().failure(&config, &["a"]);
    assert_eq!(error.class(), Some(FailureClass::Transient), "{error}");
    assert!(error.to_string().contains("within 0.2 s"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_cancelled_call_ends_within_a_moment() {
    let server = ProviderDouble::start_with(
        Settings::default(),
        Box::new(|_| Behaviour::Late(Duration::from_secs(60))),
    );
    let owner = Owner::new();
    let provider = owner.provider(&config(&server)).unwrap();
    let request = passages(&["a"]);
    let cancel = request.cancel.clone();
    let call = owner.runtime.spawn(async move { provider.embed(request).await });
    while server.count() == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let start = Instant::now();
    cancel.raise();
    assert_eq!(owner.runtime.block_on(call).unwrap().unwrap_err().class(), None);
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn private_addresses_are_refused_unless_marked_as_local_also_behind_a_name() {
    let server = ProviderDouble::start(secure());
    let owner = Owner::new();
    let mut config = config(&server);
    http(&mut config).options.local = false;
    // The name is only looked up when somebody connects.
    let error = owner.failure(&config, &["a"]);
    assert_eq!(error.class(), Some(FailureClass::Configuration), "{error}");
    assert!(error.to_string().contains("private"), "{error}");
    http(&mut config).endpoint = Some("https://169.254.169.254/latest".into());
    let error = owner.failure(&config, &["a"]);
    assert!(error.to_string().contains("169.254.169.254"), "{error}");
    assert_eq!(server.count(), 0);
}
