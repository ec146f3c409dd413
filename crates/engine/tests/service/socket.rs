//! The socket is for the user of the process alone, takes the place of nothing but a dead one, and goes with its engine.

use std::convert::Infallible;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use vb_engine::pipeline::config::StartError;
use vb_engine::service::client::{CallError, Client};
use vb_engine::service::protocol::{Answer, Request};

use crate::doubles::gate::PATIENCE;
use crate::doubles::owner::{Owner, start_on};
use crate::doubles::provider::ScriptedProvider;
use crate::questions::{ask, call};

#[test]
fn only_the_user_of_the_process_can_reach_the_socket() {
    let owner = Owner::start(ScriptedProvider::sound());
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&owner.socket), 0o600);
    assert_eq!(mode(owner.socket.parent().unwrap()), 0o700);
}

#[test]
fn a_folder_that_was_open_to_others_is_closed_before_the_socket_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("home/socket");
    fs::create_dir(socket.parent().unwrap()).unwrap();
    fs::set_permissions(socket.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    let _engine = start_on(socket.clone()).unwrap();
    let mode = fs::metadata(socket.parent().unwrap()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_socket_that_another_user_could_have_made_is_told_nothing() {
    let owner = Owner::start(ScriptedProvider::sound());
    let folder = owner.socket.parent().unwrap().to_owned();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let refusal = Client::connect(&owner.socket).unwrap_err();
    assert_eq!(refusal.kind(), std::io::ErrorKind::PermissionDenied, "{refusal}");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(ask(&owner, &Request::Ping), Ok(Answer::Pong));
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&owner.socket, Some(12_345), None).unwrap();
        let refusal = Client::connect(&owner.socket).unwrap_err();
        assert!(refusal.to_string().contains("12345"), "{refusal}");
    }
}

#[test]
fn the_socket_that_a_crash_left_behind_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists(), "a listener leaves its file");
    let _engine = start_on(socket.clone()).unwrap();
    let answer = call(&mut Client::connect(&socket).unwrap(), &Request::Ping);
    assert_eq!(answer, Ok(Answer::Pong));
}

#[test]
fn a_socket_in_use_and_a_file_that_is_no_socket_are_left_alone() {
    let owner = Owner::start(ScriptedProvider::sound());
    assert!(matches!(
        start_on(owner.socket.clone()),
        Err(StartError::SocketInUse { .. })
    ));
    assert_eq!(ask(&owner, &Request::Ping), Ok(Answer::Pong));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("precious");
    fs::write(&file, "data").unwrap();
    let error = start_on(file.clone()).unwrap_err();
    assert!(matches!(error, StartError::SocketInUse { .. }) && error.hint().is_some());
    assert_eq!(fs::read_to_string(file).unwrap(), "data");
}

#[test]
fn a_path_that_does_not_fit_is_refused_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let error = start_on(folder.path().join("x".repeat(100))).unwrap_err();
    assert!(
        matches!(error, StartError::SocketPathTooLong { limit: 100, .. }),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("relative"));
}

#[test]
fn a_relative_path_is_taken_from_the_working_directory() {
    let folder = tempfile::tempdir_in(".").unwrap();
    let relative = PathBuf::from(folder.path().file_name().unwrap()).join("socket");
    let engine = start_on(relative.clone()).unwrap();
    assert_eq!(
        call(&mut Client::connect(&relative).unwrap(), &Request::Ping),
        Ok(Answer::Pong)
    );
    engine.shutdown(PATIENCE);
    assert!(!relative.exists());
}

#[test]
fn a_service_that_went_away_is_an_error_and_not_an_endless_wait() {
    let owner = Owner::start(ScriptedProvider::sound());
    let mut client = owner.client();
    assert_eq!(call(&mut client, &Request::Ping), Ok(Answer::Pong));
    let Owner { engine, socket, .. } = owner;
    engine.shutdown(PATIENCE);
    assert!(matches!(
        client.call::<Infallible>(&Request::Ping, &mut || Ok(())),
        Err(CallError::Io(_))
    ));
    assert!(Client::connect(&socket).is_err());
}
