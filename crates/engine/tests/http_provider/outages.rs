//! A provider that is out of order is left alone, tried with a text that cannot be at fault, and used again at once.

use std::time::{Duration, Instant};

use vb_engine::batch::FailureClass;
use vb_engine::provider::contract::PLAIN_TEXT;
use vb_provider_double::behaviour::Behaviour;
use vb_provider_double::script;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;

use crate::support::{Owner, assert_right, config};

fn broken() -> script::Script {
    Box::new(|_| Behaviour::error(500, "server_error", "oops"))
}

#[test]
fn after_five_failures_in_a_row_calls_cost_the_provider_nothing() {
    let server = ProviderDouble::start_with(Settings::default(), broken());
    let owner = Owner::new();
    let config = config(&server);
    let classes: Vec<_> = (0..5).map(|_| owner.failure(&config, &["a"]).class()).collect();
    assert_eq!(classes, [Some(FailureClass::Transient); 5]);
    assert_eq!(owner.registry.gate(&config).unwrap().breaker, "open");
    server.forget();
    // From now on only probes get through, with ever longer pauses in between.
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) {
        let error = owner.failure(&config, &["text of a record"]);
        assert_eq!(error.class(), Some(FailureClass::Throttled), "{error}");
        assert!(error.to_string().contains("oops"), "it says what was wrong: {error}");
    }
    let calls = server.calls();
    assert!(calls.len() < 13, "{} calls", calls.len());
    assert!(calls.iter().all(|call| call.texts == [PLAIN_TEXT]));

    server.follow(script::well());
    let found = loop {
        if let Ok(found) = owner.embed(&config, &["a"]) {
            break found;
        }
    };
    assert_right(&found, &["a"]);
    let gate = owner.registry.gate(&config).unwrap();
    assert_eq!((gate.breaker, gate.trouble), ("closed", None));
}

#[test]
fn a_provider_that_answers_in_between_is_not_left_alone() {
    let server = ProviderDouble::start_with(
        Settings::default(),
        Box::new(|call| match call.number % 4 {
            3 => Behaviour::Well,
            _ => Behaviour::error(500, "server_error", "oops"),
        }),
    );
    let owner = Owner::new();
    for _ in 0..10 {
        (0..3).for_each(|_| drop(owner.failure(&config(&server), &["a"])));
        owner.embed(&config(&server), &["a"]).unwrap();
    }
    assert_eq!(server.count(), 40);
}

#[test]
fn one_endpoint_with_a_broken_key_leaves_others_alone() {
    let server = ProviderDouble::start(Settings {
        key: Some("right".into()),
        ..Settings::default()
    });
    let owner = Owner::new();
    let folder = tempfile::tempdir().unwrap();
    let key = |name: &str, value: &str| {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.path().join(name);
        std::fs::write(&path, value).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        format!("file:{}", path.display())
    };
    let mut good = config(&server);
    crate::support::http(&mut good).api_key_ref = Some(key("good", "right"));
    let mut bad = config(&server);
    bad.name = "bad".into();
    crate::support::http(&mut bad).api_key_ref = Some(key("bad", "wrong"));
    for _ in 0..20 {
        let error = owner.failure(&bad, &["a"]);
        assert_eq!(error.class(), Some(FailureClass::Configuration), "{error}");
        assert!(!error.to_string().contains("wrong"), "{error}");
        owner.embed(&good, &["a"]).unwrap();
    }
    // A key that was put right is read without anything being restarted.
    key("bad", "right");
    owner.embed(&bad, &["a"]).unwrap();
}
