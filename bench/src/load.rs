//! What a backfill with the local model takes from a load of short transactions: pgbench with the worker running against
//! without, in turn, and against as many processes as there are processors that do nothing but compute at the lowest priority
//! there is. No work in the background can take less than those.

#![allow(clippy::expect_used, reason = "a measurement that meets something unexpected ends")]

use std::process::{Child, Command};

use serde_json::json;
use vb_tests::cluster::Cluster;
use vb_tests::server_user::program;
use vb_tests::{debian, issues, jobs};

use crate::report::Outcome;
use crate::spread::median;

/// Seconds of each run of pgbench.
const SECONDS: &str = "8";

/// Rows of the backfill: more than the local model embeds meanwhile.
const ROWS: usize = 8_000;

/// Measures in turn, once for each round.
pub(crate) fn run(rounds: usize) -> Outcome {
    let cluster = Cluster::with_store(
        None,
        "shared_preload_libraries = 'vector_backfill'\nshared_buffers = 256MB\nvector_backfill.onnx_threads = 0",
    );
    let mut client = cluster.create_database("bench");
    client.run("set statement_timeout = 0");
    let arguments = [
        "-h",
        &cluster.home().display().to_string(),
        "-p",
        "54321",
        "-U",
        "postgres",
    ]
    .map(str::to_owned);
    let pgbench = |more: &[&str]| -> String {
        let output = program("pgbench", cluster.home())
            .args(&arguments)
            .args(more)
            .arg("bench")
            .output()
            .expect("pgbench can be run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    pgbench(&["-i", "-s", "10", "-q"]);
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, ROWS.min(debian::packages(ROWS).len()), 6);
    let throughput = || {
        let report = pgbench(&["-c", "2", "-j", "1", "-T", SECONDS, "-N"]);
        let tps = report
            .lines()
            .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse::<f64>().ok());
        tps.expect("pgbench reports its throughput")
    };
    let (mut without, mut with, mut floor, mut embedded) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let job = jobs::enqueue(&mut client, 1, "issues");
    jobs::until(&mut client, job, "its first records", |now| now.successful > 0);
    for round in 1..=rounds {
        let before = jobs::progress(&mut client, job).successful;
        with.push(throughput());
        let now = jobs::progress(&mut client, job);
        assert_eq!(
            now.state, "running",
            "the backfill ended too early: this run proves nothing"
        );
        embedded.push((now.successful - before) as f64);
        client.run(&format!("select vb_pause({job})"));
        without.push(throughput());
        let burners = Burners::start();
        floor.push(throughput());
        drop(burners);
        client.run(&format!("select vb_resume({job})"));
        jobs::until(&mut client, job, "more records", |later| {
            later.successful > now.successful
        });
        eprintln!(
            "round {round}: {:.0} with, {:.0} without",
            with[round - 1],
            without[round - 1]
        );
    }
    let ratio = median(&with) / median(&without);
    Outcome {
        name: "load",
        lines: vec![
            (
                "transactions a second, beside a backfill / alone".to_owned(),
                format!("{:.0} / {:.0} = {ratio:.2}", median(&with), median(&without)),
            ),
            (
                "records embedded meanwhile, each run".to_owned(),
                format!("{:.0}", median(&embedded)),
            ),
        ],
        figures: json!({
            "with": with, "without": without, "floor": floor, "ratio_of_medians": ratio, "embedded": embedded, "rounds": rounds,
        }),
    }
}

/// Processes that compute without end at the lowest priority there is.
struct Burners(Vec<Child>);

impl Burners {
    fn start() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let burner = |_| {
            Command::new("chrt")
                .args(["--idle", "0", "sh", "-c", "while :; do :; done"])
                .spawn()
                .expect("chrt can be run")
        };
        Self((0..cores).map(burner).collect())
    }
}

impl Drop for Burners {
    fn drop(&mut self) {
        for burner in &mut self.0 {
            // It is ours and runs for ever.
            let _ = burner.kill().and_then(|()| burner.wait());
        }
    }
}
