//! Folders that are gone at the end, with the servers in them, also when the tests are killed.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::server_user;

/// Waits for the end of its input, which comes when the program that holds it ends, however it ends.
const CARETAKER: &str = r#"
trap '' HUP INT TERM
read -r _
pid=$(head -n 1 "$1/data/postmaster.pid") && kill -QUIT "$pid" && while kill -0 "$pid"; do sleep 0.1; done
rm -rf "$1"
"#;

/// A folder that belongs to whoever runs the servers. Dropping it removes it; a server in it must have stopped before.
#[derive(Debug)]
pub struct Folder {
    folder: TempDir,
    caretaker: Child,
}

impl Folder {
    /// Makes a folder. Its path is short, since the names of sockets have to be.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("vb")
            .tempdir_in("/tmp")
            .expect("a folder can be made in /tmp");
        server_user::give(folder.path());
        let mut caretaker = Command::new("sh");
        caretaker.args(["-c", CARETAKER, "caretaker"]).arg(folder.path());
        caretaker
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let caretaker = caretaker.spawn().expect("there is a shell");
        Self { folder, caretaker }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The folder is removed next; a caretaker that has ended needs no signal.
        let _ = self.caretaker.kill();
        let _ = self.caretaker.wait();
    }
}
