//! Who runs the servers: whoever runs the tests, except that root stands back for the user `postgres`, since PostgreSQL
//! refuses root.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{set_thread_res_gid, set_thread_res_uid};

/// Where `pg_config` is when `PG_CONFIG` does not say it.
const PG_CONFIG: &str = "/usr/lib/postgresql/15/bin/pg_config";

/// What `pg_config` says, for example to `--bindir`.
pub fn pg_config(question: &str) -> PathBuf {
    let program = std::env::var("PG_CONFIG").unwrap_or_else(|_| PG_CONFIG.to_owned());
    let answer = Command::new(&program)
        .arg(question)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim())
}

/// A program of PostgreSQL's, to be run in the folder.
pub fn program(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(pg_config("--bindir").join(name));
    command.current_dir(folder);
    if let Some((user, group)) = stand_in() {
        command.uid(user).gid(group);
    }
    command
}

/// Makes the path belong to whoever runs the servers.
pub(crate) fn give(path: &Path) {
    if let Some((user, group)) = stand_in() {
        std::os::unix::fs::chown(path, Some(user), Some(group)).expect("root may give folders away");
    }
}

/// Does something as the user who runs the servers, on a thread of its own: nobody else gets into their sockets.
pub fn acting<R: Send>(action: impl FnOnce() -> R + Send) -> R {
    let acted = thread::scope(|scope| {
        let actor = scope.spawn(|| {
            if let Some((user, group)) = stand_in() {
                let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
                set_thread_res_gid(group, group, group).expect("root may take any group");
                set_thread_res_uid(user, user, user).expect("root may become anybody");
            }
            action()
        });
        actor.join()
    });
    acted.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// User and group in the place of root.
fn stand_in() -> Option<(u32, u32)> {
    if !geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("/etc/passwd can be read");
    let mut users = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let fields = users.find(|fields| fields[0] == "postgres");
    let fields = fields.expect("root needs the user postgres to run servers, and there is none");
    Some((
        fields[2].parse().expect("a user id is a number"),
        fields[3].parse().expect("a group id is a number"),
    ))
}
