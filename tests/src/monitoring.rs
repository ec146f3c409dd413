//! What watches the extension: the folder `monitoring/` of the repository, and the programs that use it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::cluster::Cluster;
use crate::http;
use crate::program::{Program, free_port};
use crate::wait;

/// A program that `scripts/setup/monitoring.sh` provides.
pub fn tool(name: &str) -> PathBuf {
    cached(&format!("tools/monitoring/{name}"))
}

/// A file that the scripts of set-up provide.
pub fn cached(name: &str) -> PathBuf {
    let cache = std::env::var("VB_CACHE").map_or_else(
        |_| PathBuf::from(std::env::var("HOME").expect("there is a home")).join(".cache/vector_backfill"),
        PathBuf::from,
    );
    let tool = cache.join(name);
    assert!(tool.exists(), "{} is missing; run: make setup", tool.display());
    tool
}

/// A file of the repository's folder `monitoring/`.
pub fn file(name: &str) -> PathBuf {
    repository().join("monitoring").join(name)
}

/// The guide to all of it.
pub fn guide() -> String {
    source_file("docs/monitoring.md")
}

/// The causes that `vb_health()` knows.
pub fn causes() -> BTreeSet<String> {
    let source = source_file("src/catalog/health/finding.rs");
    let (_, names) = source.split_once("impl Cause").expect("causes have names");
    let (names, _) = names.split_once("\n}").expect("an implementation ends");
    names.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// A file of the repository.
pub fn source_file(name: &str) -> String {
    fs::read_to_string(repository().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn repository() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests are in a folder of the repository")
}

/// What `promtool` says with these arguments about this input; it has to find nothing wrong.
pub fn promtool(arguments: &[&str], folder: &Path, input: &str) -> String {
    let mut child = Command::new(tool("promtool"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool can be started");
    let mut to = child.stdin.take().expect("its input is ours");
    // It reads no input for most commands, and may have ended.
    let _ = to.write_all(input.as_bytes());
    drop(to);
    let Output { status, stdout, stderr } = child.wait_with_output().expect("promtool ends");
    let said = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    assert!(status.success(), "promtool {arguments:?}: {status}\n{said}");
    said
}

/// A program that shows metrics.
#[derive(Debug)]
pub struct Source {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    program: Program,
}

impl Source {
    /// Prometheus's exporter with the queries of this repository.
    pub fn exporter(cluster: &Cluster, database: &str, role: &str) -> Self {
        let port = free_port();
        let mut command = Command::new(tool("prometheus-postgres-exporter"));
        command
            .arg("--extend.query-path")
            .arg(file("postgres_exporter.yaml"))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--disable-default-metrics", "--disable-settings-metrics"])
            .env("DATA_SOURCE_NAME", cluster.connection_string(database, role));
        Self::started(port, &mut command)
    }

    /// The live page, built beside these tests.
    pub fn page(cluster: &Cluster, database: &str, role: &str) -> Self {
        Self::page_with(cluster, database, role, &[])
    }

    /// The same with more arguments.
    pub fn page_with(cluster: &Cluster, database: &str, role: &str, arguments: &[&str]) -> Self {
        let port = free_port();
        let mut command = Command::new(page_program());
        command
            .args(["--database", &cluster.connection_string(database, role)])
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(arguments);
        Self::started(port, &mut command)
    }

    /// The same for those who know the token in a file.
    pub fn page_with_token(cluster: &Cluster, database: &str, role: &str, file: &str, token: &str) -> Self {
        let port = free_port();
        let mut command = Command::new(page_program());
        command
            .args(["--database", &cluster.connection_string(database, role)])
            .args(["--listen", &format!("127.0.0.1:{port}"), "--token-file", file]);
        let mut source = Self {
            port,
            program: Program::start(&mut command),
        };
        wait::until("metrics", || {
            source.program.assert_running();
            let headers = format!("Authorization: Bearer {token}\r\n");
            http::get_with(source.port, "/metrics", &headers)
                .ok()
                .filter(|(status, _)| *status == 200)
        });
        source
    }

    /// Where it is.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn started(port: u16, command: &mut Command) -> Self {
        let mut source = Self {
            port,
            program: Program::start(command),
        };
        source.metrics();
        source
    }

    /// What it shows, as soon as it answers.
    pub fn metrics(&mut self) -> String {
        wait::until("metrics", || {
            self.program.assert_running();
            http::text(self.port, "/metrics")
        })
    }
}

/// `vb-dashboard` of the same build: beside this program, or beside its folder `deps`.
fn page_program() -> PathBuf {
    let own = std::env::current_exe().expect("a program knows where it is");
    let beside = own
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("vb-dashboard"));
    beside
        .into_iter()
        .find(|page| page.exists())
        .expect("vb-dashboard is missing; run: make install")
}

/// A Prometheus that asks these sources, by the names of their jobs, and follows these rules.
#[derive(Debug)]
pub struct Prometheus {
    port: u16,
    program: Program,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Starts it, and waits until it answers. It asks every three seconds: the exporter takes more than one when the
    /// database is down.
    pub fn start(rules: &str, sources: &[(&str, &Source)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut configuration = String::from(
            "global: {scrape_interval: 3s, scrape_timeout: 3s, evaluation_interval: 1s}\n\
             rule_files: [rules.yaml]\n\
             scrape_configs:\n",
        );
        for (job, source) in sources {
            configuration += &format!(
                "  - job_name: {job}\n    static_configs: [{{targets: ['127.0.0.1:{}']}}]\n",
                source.port
            );
        }
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file can be written");
        write("prometheus.yaml", &configuration);
        write("rules.yaml", rules);
        let port = free_port();
        let mut command = Command::new(tool("prometheus"));
        command
            .current_dir(folder.path())
            .args([
                "--config.file=prometheus.yaml",
                "--storage.tsdb.path=data",
                "--log.level=warn",
            ])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let mut prometheus = Self {
            port,
            program: Program::start(&mut command),
            _folder: folder,
        };
        wait::until("Prometheus", || {
            prometheus.program.assert_running();
            http::text(prometheus.port, "/-/ready")
        });
        prometheus
    }

    /// What its API says under `/api/v1/`.
    pub fn ask(&self, question: &str) -> serde_json::Value {
        let path = format!("/api/v1/{question}");
        let answer = wait::until(&path, || http::json(self.port, &path));
        assert_eq!(answer["status"], "success", "{answer}");
        answer["data"].clone()
    }
}
