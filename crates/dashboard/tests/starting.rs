//! The program as it is started, without a database: what it refuses, and what it answers while the database is away.

#![allow(clippy::expect_used, reason = "a test that meets something unexpected fails")]

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// Cargo says where the program is. When the test runs, not when it is built: the shell of our compiler's wrapper does not
/// pass on names with a hyphen.
const PROGRAM: &str = "CARGO_BIN_EXE_vb-dashboard";

/// Nobody answers there.
const NO_DATABASE: &str = "host=/nowhere dbname=shop user=dash";

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var(PROGRAM).expect("cargo runs this test"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VB_DASHBOARD_")) {
        command.env_remove(name);
    }
    command.args(["--database", NO_DATABASE]).args(arguments);
    command
}

fn refused(arguments: &[&str]) -> String {
    let output: Output = program(arguments).output().expect("it can be started");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).expect("it speaks plainly")
}

/// A program that listens; it is ended with this.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut command = program(arguments);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it can be started");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is ours"))
            .read_line(&mut line)
            .expect("it says where it listens");
        let address = line
            .trim()
            .strip_prefix("listening on http://")
            .expect("it listens")
            .to_owned();
        Self { child, address }
    }

    fn port(&self) -> &str {
        self.address.rsplit(':').next().expect("there is a port")
    }

    fn send(&self, head: &str, host: &str) -> TcpStream {
        let mut stream =
            TcpStream::connect(("127.0.0.1", self.port().parse::<u16>().expect("a port"))).expect("it listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("there are timeouts");
        write!(stream, "{head}\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("it reads");
        stream
    }

    fn ask_as(&self, head: &str, host: &str) -> Answer {
        let mut text = String::new();
        self.send(head, host).read_to_string(&mut text).expect("it answers");
        Answer(text)
    }

    /// The first line of a request, and more if there is more.
    fn ask(&self, head: &str) -> Answer {
        self.ask_as(head, &self.address)
    }

    fn csrf(&self) -> String {
        let page = self.ask("GET / HTTP/1.1").0;
        let rest = page
            .split("name=\"vb-csrf\" content=\"")
            .nth(1)
            .expect("the page has a token");
        rest.split('"').next().expect("it ends").to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Answer(String);

impl Answer {
    fn status(&self) -> u16 {
        let status = self.0.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.unwrap_or_else(|| panic!("no answer: {}", self.0))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.0.split("\r\n\r\n").next()?.lines();
        lines
            .filter_map(|line| line.split_once(": "))
            .find(|(other, _)| *other == name)
            .map(|(_, value)| value)
    }
}

struct TokenFile(PathBuf);

impl TokenFile {
    fn new(name: &str, mode: u32) -> Self {
        let path = std::env::temp_dir().join(format!("vb-dashboard-{}-{name}", std::process::id()));
        fs::write(&path, format!("{TOKEN}\n")).expect("it can be written");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("it is ours");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("it can be said")
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn without_a_token_it_listens_only_on_the_loopback() {
    let said = refused(&["--listen", "0.0.0.0:0"]);
    assert!(said.contains("0.0.0.0:0") && said.contains("--token-file"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_token_that_others_can_read_is_refused() {
    let file = TokenFile::new("open", 0o644);
    let said = refused(&["--token-file", file.path()]);
    assert!(said.contains("chmod 600"), "{said}");
    assert!(!said.contains(TOKEN), "{said}");
    assert!(refused(&["--token-file", "/nowhere/token"]).contains("/nowhere/token"));
}

#[test]
fn a_database_that_cannot_be_understood_is_refused_without_saying_its_password() {
    let said = refused(&["--database", "postgres://dash:sesame@host:port/shop"]);
    assert!(!said.contains("sesame"), "{said}");
}

#[test]
fn the_page_is_there_while_the_database_is_away() {
    let running = Running::start(&[]);
    for path in ["/", "/jobs", "/jobs/12", "/coverage", "/errors", "/providers"] {
        let page = running.ask(&format!("GET {path} HTTP/1.1"));
        assert_eq!(page.status(), 200, "{path}");
        assert!(
            page.0.contains("<meta name=\"vb-control\" content=\"false\">"),
            "{path}"
        );
        assert!(!page.0.contains("{{"), "{path}");
    }
    assert_eq!(running.ask("GET /healthz HTTP/1.1").status(), 503);
    let metrics = running.ask("GET /metrics HTTP/1.1");
    assert!(
        metrics.status() == 200 && metrics.0.contains("\nvb_up 0\n"),
        "{}",
        metrics.0
    );
    let errors = running.ask("GET /api/errors HTTP/1.1");
    assert!(
        errors.status() == 503 && errors.0.contains("database_away"),
        "{}",
        errors.0
    );
    assert_eq!(running.ask("GET /nothing HTTP/1.1").status(), 404);
    assert_eq!(running.ask("GET /api/events?topic=nothing HTTP/1.1").status(), 400);
}

#[test]
fn a_stream_says_that_the_database_is_away_and_ends_with_the_program() {
    let mut running = Running::start(&[]);
    let mut lines = BufReader::new(running.send("GET /api/events?topic=overview HTTP/1.1", &running.address)).lines();
    let state = lines
        .find(|line| line.as_ref().is_ok_and(|line| line.starts_with("data: ")))
        .expect("it says something");
    let state = state.expect("it can be read");
    assert!(state.contains("\"connected\":false"), "{state}");
    let pid = rustix::process::Pid::from_child(&running.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
    assert!(lines.all(|line| line.is_ok()), "the stream ends as it should");
    assert!(running.child.wait().expect("it is ours").success());
}

#[test]
fn every_answer_tells_the_browser_what_to_refuse() {
    let running = Running::start(&[]);
    for path in ["/", "/assets/main.js", "/nothing", "/healthz", "/api/errors"] {
        let answer = running.ask(&format!("GET {path} HTTP/1.1"));
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(
            answer.header("cross-origin-opener-policy"),
            Some("same-origin"),
            "{path}"
        );
        assert_eq!(
            answer.header("cross-origin-resource-policy"),
            Some("same-origin"),
            "{path}"
        );
        assert!(answer.header("access-control-allow-origin").is_none(), "{path}");
    }
    assert_eq!(running.ask("GET / HTTP/1.1").header("cache-control"), Some("no-store"));
    let asset = running.ask("GET /assets/main.js HTTP/1.1");
    let tag = asset.header("etag").expect("assets have tags");
    let again = running.ask(&format!("GET /assets/main.js HTTP/1.1\r\nIf-None-Match: {tag}"));
    assert_eq!(again.status(), 304);
    for path in [
        "/assets/../Cargo.toml",
        "/assets/%2e%2e/Cargo.toml",
        "/assets/..%2f..%2fCargo.toml",
        "/assets//etc/passwd",
    ] {
        assert_eq!(running.ask(&format!("GET {path} HTTP/1.1")).status(), 404, "{path}");
    }
}

#[test]
fn another_host_is_not_answered() {
    let running = Running::start(&["--allowed-host", "dash.example"]);
    let port = running.port();
    for (host, status) in [
        (format!("localhost:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        ("dash.example".to_owned(), 200),
        ("localhost".to_owned(), 421),
        (format!("evil.example:{port}"), 421),
        (String::new(), 421),
    ] {
        assert_eq!(running.ask_as("GET / HTTP/1.1", &host).status(), status, "{host}");
    }
    assert_eq!(running.ask_as("GET /healthz HTTP/1.1", "10.0.0.7:80").status(), 503);
}

#[test]
fn with_a_token_nothing_but_health_is_answered_without_it() {
    let file = TokenFile::new("private", 0o600);
    let running = Running::start(&["--token-file", file.path()]);
    for path in [
        "/",
        "/assets/main.js",
        "/api/errors",
        "/api/events?topic=overview",
        "/errors.csv",
        "/metrics",
        "/nothing",
    ] {
        let answer = running.ask(&format!("GET {path} HTTP/1.1"));
        assert_eq!(answer.status(), 401, "{path}");
        assert!(
            answer
                .header("www-authenticate")
                .is_some_and(|ask| ask.starts_with("Basic ")),
            "{path}"
        );
    }
    assert_eq!(running.ask("GET /healthz HTTP/1.1").status(), 503);
    assert_eq!(
        running
            .ask(&format!("GET / HTTP/1.1\r\nAuthorization: Bearer {TOKEN}"))
            .status(),
        200
    );
    assert_eq!(
        running
            .ask(&format!("GET / HTTP/1.1\r\nAuthorization: Bearer {TOKEN}x"))
            .status(),
        401
    );
}

#[test]
fn elsewhere_it_listens_with_a_token() {
    let file = TokenFile::new("elsewhere", 0o600);
    let running = Running::start(&["--token-file", file.path(), "--listen", "0.0.0.0:0"]);
    let host = format!("127.0.0.1:{}", running.port());
    assert_eq!(running.ask_as("GET / HTTP/1.1", &host).status(), 401);
    let shown = format!("GET / HTTP/1.1\r\nAuthorization: Bearer {TOKEN}");
    assert_eq!(running.ask_as(&shown, &host).status(), 200);
    assert_eq!(
        running
            .ask_as(&shown, &format!("dash.example:{}", running.port()))
            .status(),
        421
    );
}

#[test]
fn without_control_there_is_nothing_to_control() {
    let running = Running::start(&[]);
    for action in ["pause", "resume", "cancel", "retry"] {
        assert_eq!(
            running.ask(&format!("POST /api/jobs/1/{action} HTTP/1.1")).status(),
            404,
            "{action}"
        );
    }
}

#[test]
fn jobs_are_controlled_only_from_the_page() {
    let running = Running::start(&["--control"]);
    let csrf = running.csrf();
    let (same, post) = (&running.address, "POST /api/jobs/1/pause HTTP/1.1");
    for (headers, status) in [
        (String::new(), 403),
        ("\r\nx-vb-csrf: nonsense".to_owned(), 403),
        (format!("\r\nx-vb-csrf: {csrf}\r\nOrigin: http://evil.example"), 403),
        (format!("\r\nx-vb-csrf: {csrf}\r\nSec-Fetch-Site: cross-site"), 403),
        // It is let in; the database is away.
        (format!("\r\nx-vb-csrf: {csrf}"), 503),
        (
            format!("\r\nx-vb-csrf: {csrf}\r\nOrigin: http://{same}\r\nSec-Fetch-Site: same-origin"),
            503,
        ),
    ] {
        assert_eq!(running.ask(&format!("{post}{headers}")).status(), status, "{headers}");
    }
    assert_eq!(
        running
            .ask(&format!("GET /api/jobs/1/pause HTTP/1.1\r\nx-vb-csrf: {csrf}"))
            .status(),
        405
    );
    assert_eq!(
        running
            .ask(&format!("POST /api/jobs/1/forget HTTP/1.1\r\nx-vb-csrf: {csrf}"))
            .status(),
        404
    );
    assert_eq!(
        running
            .ask(&format!("POST /api/jobs/x/pause HTTP/1.1\r\nx-vb-csrf: {csrf}"))
            .status(),
        400
    );
    let long = format!("POST /api/jobs/1/retry HTTP/1.1\r\nx-vb-csrf: {csrf}\r\nContent-Length: 2000000");
    assert_eq!(running.ask(&long).status(), 413);
}
