//! What the live page costs and how soon it is there: a backfill with the local model while somebody watches against the same while
//! nobody does, in turn; and the time until each page shows what it is about, with a thousand jobs and ten thousand errors behind it.

#![allow(clippy::expect_used, reason = "a measurement that meets something unexpected ends")]

use std::io::Read;
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use vb_tests::browser::Browser;
use vb_tests::cluster::Cluster;
use vb_tests::http::events;
use vb_tests::monitoring::Source;
use vb_tests::{debian, issues, jobs, wait};

use crate::report::Outcome;
use crate::spread::median;

/// One window of the comparison.
const WINDOW: Duration = Duration::from_secs(20);

/// Rows of the backfill: more than the local model embeds meanwhile.
const ROWS: usize = 60_000;

/// Pages, and what shows that they are there.
const PAGES: [(&str, &str); 5] = [
    ("/", "#jobs tr[data-job]"),
    ("/jobs", "#jobs tr[data-job]"),
    ("/jobs/1", "[data-field=\"successful_records\"]"),
    ("/errors", "tr[data-record]"),
    ("/providers", "#providers tbody tr"),
];

/// Measures in turn, once for each round.
pub(crate) fn run(rounds: usize) -> Outcome {
    let cluster = Cluster::with_store(
        None,
        "shared_preload_libraries = 'vector_backfill'\nshared_buffers = 256MB\nvector_backfill.onnx_threads = 0",
    );
    let mut client = cluster.create_database("bench");
    client.run("create role dashboard login; select vb_grant_access('dashboard', null)");
    issues::create(&mut client);
    let rows = ROWS.min(debian::packages(ROWS).len());
    issues::add_short(&mut client, 1, 1, rows);
    let page = Source::page(&cluster, "bench", "dashboard");
    // Small batches, so that a window does not begin or end with much that is not counted.
    let job: i64 = client.value("select vb_enqueue_backfill(1, 'issues', batch_size => 10)", &[]);
    jobs::until(&mut client, job, "its first records", |now| now.successful > 100);
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        for is_watched in [round % 2 == 0, round % 2 != 0] {
            let streams = is_watched
                .then(|| ["overview".to_owned(), format!("job&job={job}")].map(|topic| watch(page.port, &topic)));
            thread::sleep(Duration::from_secs(1));
            let before = jobs::progress(&mut client, job);
            let begun = Instant::now();
            thread::sleep(WINDOW);
            let after = jobs::progress(&mut client, job);
            assert_eq!(
                after.state, "running",
                "the backfill ended too early: this run proves nothing"
            );
            let rate = (after.tokens - before.tokens) as f64 / begun.elapsed().as_secs_f64();
            match streams {
                Some(streams) => {
                    with.push(rate);
                    streams
                        .into_iter()
                        .for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
                }
                None => without.push(rate),
            }
        }
        eprintln!(
            "round {round}: {:.0} tokens/s watched, {:.0} not",
            with[round - 1],
            without[round - 1]
        );
    }
    client.run(&format!("select vb_cancel({job})"));
    let ratio = median(&with) / median(&without);
    let shown = times_until_shown(&cluster, &page, rounds);
    let mut lines = vec![(
        "tokens a second, while somebody watches / while nobody does".to_owned(),
        format!("{:.0} / {:.0} = {ratio:.3}", median(&with), median(&without)),
    )];
    for (path, milliseconds) in &shown {
        lines.push((
            format!("{path} shows what it is about, of 1,000 jobs and 10,000 errors"),
            format!("{:.0} ms", median(milliseconds)),
        ));
    }
    Outcome {
        name: "page",
        lines,
        figures: json!({
            "with": with, "without": without, "ratio_of_medians": ratio, "milliseconds_until_shown": shown, "rounds": rounds,
        }),
    }
}

/// An open stream of events that somebody reads.
fn watch(port: u16, topic: &str) -> TcpStream {
    let stream = events(port, topic);
    let mut reader = stream.try_clone().expect("a stream can be shared");
    thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while matches!(reader.read(&mut bytes), Ok(count) if count > 0) {}
    });
    stream
}

/// Milliseconds from asking for a page until it shows what it is about, in a browser.
fn times_until_shown(cluster: &Cluster, page: &Source, rounds: usize) -> Vec<(&'static str, Vec<f64>)> {
    let mut client = cluster.connect("bench");
    client.run(
        "insert into vb_jobs (client_id, source, source_name, vector_type, preference, max_retries, priority, job_role, state,
                              finished_at, total_records, successful_records, failed_records)
         select n % 50, 'issues'::regclass, 'issues', 'content', 'auto', 3, 5, current_user::regrole, 'completed', clock_timestamp(),
                1000, 990, 10
         from generate_series(1, 1000) n;
         insert into vb_job_errors (job_id, record_id, error_class, message, attempts)
         select j.job_id, n::text, 'record', 'the provider refuses text number ' || n, 1
         from (select job_id from vb_jobs order by job_id desc limit 1000) j, generate_series(1, 10) n;
         analyze vb_jobs; analyze vb_job_errors",
    );
    let browser = Browser::start();
    let mut shown = Vec::new();
    for (path, sign) in PAGES {
        let mut times = Vec::new();
        for _ in 0..rounds {
            browser.open("about:blank");
            browser.open(&page.url(path));
            let milliseconds = wait::until(sign, || {
                browser
                    .run(&format!(
                        "if (document.querySelector({}) && !window.shownAt) window.shownAt = performance.now();
                     return window.shownAt",
                        json!(sign)
                    ))
                    .as_f64()
            });
            times.push(milliseconds);
        }
        shown.push((path, times));
    }
    shown
}
