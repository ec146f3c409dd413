//! A server of its own for each test, with the installed extension: started, stopped, crashed, and gone at the end.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process};
use vb_engine::store::place::StoreKind;

use crate::client::Client;
use crate::folder::Folder;
use crate::qdrant::Qdrant;
use crate::server_user::program;
use crate::sql_error::CallError;
use crate::template::{SUPERUSER, copy, run, template};
use crate::wait;

/// Names the socket file; no port is opened.
const PORT: u16 = 54_321;

/// Lines of the server's log that a failed test shows.
const SHOWN_LINES: usize = 150;

/// Holds for every cluster. Two tests run at a time, each with its own model: one thread each.
const SETTINGS: &str = "
listen_addresses = ''
fsync = on
shared_buffers = 32MB
max_connections = 40
max_worker_processes = 16
log_line_prefix = '%m [%p] %b %d: '
timezone = 'UTC'
vector_backfill.onnx_threads = 1
";

/// The server is starting, stopping, or recovering from a crash.
const COMES_BACK: [&str; 3] = ["57P01", "57P02", "57P03"];

/// How a server is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Ends sessions, writes a checkpoint.
    Fast,
    /// At once, as in a crash: the next start recovers.
    Immediate,
}

/// A running server in a folder of its own. Dropping it stops the server and removes the folder.
#[derive(Debug)]
pub struct Cluster {
    home: Folder,
    postmaster: Option<Child>,
    /// Where its vectors are kept, if not in itself.
    qdrant: Option<Arc<Qdrant>>,
    /// Kept for the other clusters that are still to be made from it.
    _template: Arc<Folder>,
}

impl Cluster {
    /// Starts a server that preloads the extension.
    pub fn start() -> Self {
        Self::with_settings("shared_preload_libraries = 'vector_backfill'")
    }

    /// Starts a server that loads the extension only when somebody calls it.
    pub fn start_not_preloaded() -> Self {
        Self::with_settings("")
    }

    /// Starts a server with more lines in its configuration file; nothing is preloaded unless they say so.
    pub fn with_settings(settings: &str) -> Self {
        Self::with_store(Qdrant::when_wanted(), settings)
    }

    /// The same with this store; the embedded one when there is none.
    pub fn with_store(qdrant: Option<Qdrant>, settings: &str) -> Self {
        let store = qdrant.as_ref().map(Qdrant::settings).unwrap_or_default();
        let template = template();
        let home = Folder::new();
        copy(&template, home.path());
        let mut cluster = Self {
            home,
            postmaster: None,
            qdrant: qdrant.map(Arc::new),
            _template: template,
        };
        cluster.configure(&format!("{SETTINGS}{store}{settings}"));
        cluster.launch();
        cluster
    }

    /// Adds lines to the configuration file, with the place of the socket.
    fn configure(&self, settings: &str) {
        let file = self.data().join("postgresql.conf");
        let mut file = OpenOptions::new()
            .append(true)
            .open(&file)
            .expect("a cluster has its configuration file");
        let socket = format!(
            "port = {PORT}\nunix_socket_directories = '{}'",
            self.home.path().display()
        );
        writeln!(file, "\n{settings}\n{socket}").expect("the configuration file can be written");
    }

    /// Starts a server that follows this one.
    pub fn start_standby(&self) -> Self {
        let home = Folder::new();
        let mut backup = program("pg_basebackup", home.path());
        backup.args([
            "--pgdata=data",
            "--write-recovery-conf",
            "--no-sync",
            "--checkpoint=fast",
            "--wal-method=stream",
        ]);
        backup
            .args(["--username", SUPERUSER, "--port", &PORT.to_string(), "--host"])
            .arg(self.home.path());
        run(&mut backup);
        let mut standby = Self {
            home,
            postmaster: None,
            qdrant: self.qdrant.clone(),
            _template: Arc::clone(&self._template),
        };
        standby.configure("");
        standby.launch();
        standby
    }

    /// The store that this server's new collections are in.
    pub fn store_kind(&self) -> StoreKind {
        match self.qdrant {
            Some(_) => StoreKind::Qdrant,
            None => StoreKind::Embedded,
        }
    }

    /// The Qdrant server that keeps its vectors.
    pub fn qdrant(&self) -> &Qdrant {
        self.qdrant.as_ref().expect("this cluster has a Qdrant server")
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// A folder that the server may read and write, beside its data.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    fn log_file(&self) -> PathBuf {
        self.home.path().join("log")
    }

    /// What the server has logged since the cluster was made.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_file()).unwrap_or_default()).into_owned()
    }

    /// Starts the server after [`Cluster::stop`] and waits until it accepts sessions.
    pub fn launch(&mut self) {
        assert!(self.postmaster.is_none(), "the server runs already");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_file())
            .expect("a log can be made");
        let mut command = program("postgres", self.home.path());
        command
            .arg("-D")
            .arg(self.data())
            .stdout(log.try_clone().expect("a log can be shared"))
            .stderr(log);
        self.postmaster = Some(command.spawn().expect("PostgreSQL's server can be started"));
        wait::until("the server's start", || {
            let postmaster = self.postmaster.as_mut()?;
            if let Some(status) = postmaster.try_wait().expect("the server is our child") {
                panic!("the server ended as soon as it started: {status}");
            }
            Client::connect(self.home.path(), PORT, "postgres", SUPERUSER).ok()
        });
    }

    /// Stops the server and waits until all of its processes have ended.
    pub fn stop(&mut self, how: Stop) {
        let mut postmaster = self.postmaster.take().expect("the server runs");
        let signal = match how {
            Stop::Fast => Signal::INT,
            Stop::Immediate => Signal::QUIT,
        };
        kill_process(Pid::from_child(&postmaster), signal).expect("the server can be signalled");
        wait::until("the server's end", || {
            postmaster.try_wait().expect("the server is our child")
        });
    }

    /// Stops the server and starts it again.
    pub fn restart(&mut self, how: Stop) {
        self.stop(how);
        self.launch();
    }

    /// A superuser's session, as soon as the server accepts one.
    pub fn connect(&self, database: &str) -> Client {
        self.connect_as(database, SUPERUSER)
    }

    /// A role's session, as soon as the server accepts one.
    pub fn connect_as(&self, database: &str, role: &str) -> Client {
        wait::until(
            &format!("a session with {database} as {role}"),
            || match Client::connect(self.home.path(), PORT, database, role) {
                Ok(client) => Some(client),
                Err(CallError::Lost(_)) => None,
                Err(CallError::Sql(error)) if COMES_BACK.contains(&error.code.as_str()) => None,
                Err(error) => panic!("no session with {database} as {role}: {error}"),
            },
        )
    }

    /// What a program of its own connects with, as libpq reads it.
    pub fn connection_string(&self, database: &str, role: &str) -> String {
        let folder = self.home.path().display();
        format!("host={folder} port={PORT} user={role} dbname={database}")
    }

    /// A superuser's session in a new database with the extension.
    pub fn create_database(&self, name: &str) -> Client {
        self.connect("postgres").run(&format!("create database {name}"));
        let mut client = self.connect(name);
        client.run("create extension vector_backfill");
        client
    }

    /// A database as `pg_dump` writes it.
    pub fn dump(&self, database: &str) -> String {
        let mut dump = self.client_program("pg_dump", database);
        let output = dump.output().expect("pg_dump can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs what `pg_dump` wrote in a database.
    pub fn restore(&self, database: &str, script: &str) {
        let mut psql = self.client_program("psql", database);
        psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]);
        let mut psql = psql.stdin(Stdio::piped()).spawn().expect("psql can be started");
        let mut input = psql.stdin.take().expect("its input is ours");
        input.write_all(script.as_bytes()).expect("psql reads");
        drop(input);
        assert!(
            psql.wait().expect("psql ends").success(),
            "the dump cannot be read back"
        );
    }

    fn client_program(&self, name: &str, database: &str) -> Command {
        let mut command = program(name, self.home.path());
        command
            .args(["--username", SUPERUSER, "--port", &PORT.to_string(), "--host"])
            .arg(self.home.path())
            .arg(database);
        command
    }

    /// Kills a process of this server as the kernel would when it runs out of memory; the server then restarts all of
    /// its processes.
    pub fn kill(&self, pid: i32) {
        let process = Pid::from_raw(pid).expect("a process id is not 0");
        kill_process(process, Signal::KILL).expect("the server's processes can be signalled");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut postmaster) = self.postmaster.take() {
            // Nobody needs what a checkpoint would save.
            let _ = kill_process(Pid::from_child(&postmaster), Signal::QUIT);
            let _ = postmaster.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            println!("--- the end of the server's log ---");
            println!("{}", lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n"));
            println!("--- end ---");
        }
    }
}
