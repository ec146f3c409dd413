//! Programs that run beside a test: their words are kept, and they end with it, also when it is killed.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::NamedTempFile;

/// Waits for the end of its input, which comes when the test ends, however it ends.
const CARETAKER: &str = r#"
trap '' HUP INT TERM
read -r _
kill -KILL "$1"
"#;

/// Lines of what a program said that a failed test shows.
const SHOWN_LINES: usize = 40;

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    caretaker: Child,
    words: NamedTempFile,
}

impl Program {
    /// Starts a program.
    pub fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let words = NamedTempFile::new().expect("a file can be made");
        let output = words.reopen().expect("a file can be opened twice");
        // It shares its place in the file with the other, so that neither writes over what the other wrote.
        let errors = output.try_clone().expect("a file can be shared");
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let caretaker = Command::new("sh")
            .args(["-c", CARETAKER, "caretaker", &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a shell");
        Self {
            name,
            child,
            caretaker,
            words,
        }
    }

    /// What it wrote so far, to its output and its errors.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.words.path()).unwrap_or_default()).into_owned()
    }

    /// Fails when it has ended.
    pub fn assert_running(&mut self) {
        if let Some(status) = self.child.try_wait().expect("it is our child") {
            panic!("{} ended: {status}\n{}", self.name, self.said());
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The caretaker first: the process id may be somebody else's as soon as the program was waited for.
        let _ = self.caretaker.kill();
        let _ = self.caretaker.wait();
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let said = self.said();
            let lines: Vec<_> = said.lines().collect();
            println!("--- the end of what {} said ---", self.name);
            println!("{}", lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n"));
            println!("--- end ---");
        }
    }
}

/// A port of this machine that nobody listens on at this moment.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("this machine has a free port");
    listener.local_addr().expect("it is bound").port()
}
