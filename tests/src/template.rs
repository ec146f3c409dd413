//! A cluster that is made once and copied for each test.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::folder::Folder;
use crate::server_user::program;

/// The superuser of every cluster.
pub const SUPERUSER: &str = "postgres";

/// The copies hold on to the template, so it is removed with the last cluster.
static TEMPLATE: Mutex<Weak<Folder>> = Mutex::new(Weak::new());

/// The folder that holds the template in `data`.
pub fn template() -> Arc<Folder> {
    let mut kept = TEMPLATE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(template) = kept.upgrade() {
        return template;
    }
    let template = Arc::new(Folder::new());
    let mut initdb = program("initdb", template.path());
    initdb.args([
        "-D",
        "data",
        "-U",
        SUPERUSER,
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]);
    run(&mut initdb);
    *kept = Arc::downgrade(&template);
    template
}

/// Copies the template's `data` into the folder.
pub fn copy(template: &Folder, folder: &Path) {
    run(Command::new("cp")
        .arg("-a")
        .arg(template.path().join("data"))
        .arg(folder));
}

/// Runs a command that has to succeed.
pub fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = || String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{}", said());
}
