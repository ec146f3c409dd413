//! A cluster that is made once and copied for each test, and who runs the servers.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tempfile::TempDir;

/// The superuser of every cluster.
pub const SUPERUSER: &str = "postgres";

/// Where `pg_config` is when `PG_CONFIG` does not say it.
const PG_CONFIG: &str = "/usr/lib/postgresql/15/bin/pg_config";

/// The copies hold on to the template, so it is removed with the last cluster.
static TEMPLATE: Mutex<Weak<TempDir>> = Mutex::new(Weak::new());

/// What `pg_config` says, for example to `--bindir`.
pub fn pg_config(question: &str) -> PathBuf {
    let program = std::env::var("PG_CONFIG").unwrap_or_else(|_| PG_CONFIG.to_owned());
    let answer = Command::new(&program)
        .arg(question)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim())
}

/// A program of PostgreSQL's, to be run by somebody whom PostgreSQL accepts: not by root.
pub fn program(name: &str, directory: &Path) -> Command {
    let mut command = Command::new(pg_config("--bindir").join(name));
    command.current_dir(directory);
    if let Some((user, group)) = stand_in_for_root() {
        command.uid(user).gid(group);
    }
    command
}

/// User and group that run the servers when the tests run as root.
fn stand_in_for_root() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("/etc/passwd can be read");
    let fields = users
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields[0] == "postgres");
    let fields = fields.expect("root needs the user postgres to run servers, and there is none");
    Some((
        fields[2].parse().expect("a user id is a number"),
        fields[3].parse().expect("a group id is a number"),
    ))
}

/// A new folder that belongs to whoever runs the servers. Its path is short, since the names of sockets have to be.
pub fn folder() -> TempDir {
    let folder = tempfile::Builder::new()
        .prefix("vb")
        .tempdir_in("/tmp")
        .expect("a folder can be made in /tmp");
    if let Some((user, group)) = stand_in_for_root() {
        std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).expect("root may give folders away");
    }
    folder
}

/// The folder that holds the template in `data`.
pub fn template() -> Arc<TempDir> {
    let mut kept = TEMPLATE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(template) = kept.upgrade() {
        return template;
    }
    let template = Arc::new(folder());
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
pub fn copy(template: &TempDir, folder: &Path) {
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
