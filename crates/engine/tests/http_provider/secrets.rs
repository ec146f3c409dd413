//! Keys are read where they are, and are nowhere else.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use vb_engine::batch::FailureClass;
use vb_engine::provider::config::Dialect;
use vb_provider_double::behaviour::Behaviour;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;

use crate::support::{Owner, config, http};

#[test]
fn a_key_that_cannot_be_read_is_a_fault_of_the_configuration_that_names_where_it_should_be() {
    let server = ProviderDouble::start(Settings::default());
    let owner = Owner::new();
    let folder = tempfile::tempdir().unwrap();
    let open_to_all = folder.path().join("open");
    fs::write(&open_to_all, "sk-very-secret").unwrap();
    fs::set_permissions(&open_to_all, fs::Permissions::from_mode(0o644)).unwrap();
    let table = [
        ("env:VB_TEST_NO_SUCH_KEY".to_owned(), "VB_TEST_NO_SUCH_KEY"),
        ("file:/no/such/key".to_owned(), "/no/such/key"),
        (format!("file:{}", open_to_all.display()), "0600"),
        ("sk-very-secret".to_owned(), "env:NAME"),
    ];
    for (reference, words) in table {
        let mut config = config(&server);
        http(&mut config).api_key_ref = Some(reference);
        let error = owner.failure(&config, &["a"]);
        assert_eq!(error.class(), Some(FailureClass::Configuration));
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.to_string().contains("very-secret"), "{error}");
    }
    let mut without = config(&server);
    http(&mut without).dialect = Dialect::Openai;
    assert!(owner.failure(&without, &["a"]).to_string().contains("api_key_ref"));
    assert_eq!(server.count(), 0, "nobody was asked");
}

#[test]
fn secrets_of_headers_are_taken_out_of_what_a_service_says_and_out_of_what_is_printed() {
    let echo = Box::new(|call: &vb_provider_double::call::Call| {
        let secret = call.header("x-tenant-secret").unwrap_or_default().to_owned();
        Behaviour::error(
            400,
            "invalid_request_error",
            &format!("you are \u{201c}{secret}\u{201d} anyway"),
        )
    });
    let server = ProviderDouble::start_with(Settings::default(), echo);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    fs::write(&file, "two words7").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let mut config = config(&server);
    let reference = format!("file:{}", file.display());
    http(&mut config)
        .options
        .headers
        .insert("x-tenant-secret".into(), reference);
    let error = Owner::new().failure(&config, &["a"]);
    let message = format!("{error} {error:?} {config:?}");
    assert!(message.contains("anyway") && !message.contains("words7"), "{message}");
}

#[test]
fn a_service_that_repeats_the_key_has_it_taken_out_of_its_words() {
    let echo = Box::new(|call: &vb_provider_double::call::Call| {
        let key = call.header("authorization").unwrap_or_default().to_owned();
        Behaviour::error(400, "invalid_request_error", &format!("who is {key} anyway"))
    });
    let server = ProviderDouble::start_with(Settings::default(), echo);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    fs::write(&file, "short1").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let mut config = config(&server);
    http(&mut config).api_key_ref = Some(format!("file:{}", file.display()));
    let error = Owner::new().failure(&config, &["a"]);
    let message = format!("{error} {error:?}");
    assert!(message.contains("anyway") && !message.contains("short1"), "{message}");
}
