//! What following changes costs the sessions that make them: the same statements on a table that is kept in step and on one that
//! is not, in turn. The worker is paused meanwhile, so that only the sessions' own work counts.

use std::time::Instant;

use serde_json::json;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;

use crate::report::Outcome;
use crate::spread::median;

/// Rows of a bulk statement.
const ROWS: usize = 100_000;

/// Statements about a single row, each its own transaction.
const SINGLE: usize = 3_000;

const SETTINGS: &str = "
shared_preload_libraries = 'vector_backfill'
shared_buffers = 512MB
max_wal_size = 8GB
autovacuum = off
synchronous_commit = off
vector_backfill.paused = on
";

/// Work and how it is done.
type Work = (&'static str, fn(&mut Client, &str));

const WORK: [Work; 5] = [
    ("bulk insert", |client, table| {
        client.run(&format!(
            "insert into {table} select g, g % 10, 'title ' || g, repeat('some words ' || g || ' ', 20), 'open', 0
             from generate_series(1, {ROWS}) g"
        ));
    }),
    ("bulk update, column that is embedded", |client, table| {
        client.run(&format!("update {table} set title = title || 'x'"));
    }),
    ("bulk update, other column", |client, table| {
        client.run(&format!("update {table} set points = points + 1"));
    }),
    ("single update, column that is embedded", |client, table| {
        singles(
            client,
            &format!("update {table} set title = title || 'y' where id = $1"),
        );
    }),
    ("single update, other column", |client, table| {
        singles(client, &format!("update {table} set points = points + 1 where id = $1"));
    }),
];

fn singles(client: &mut Client, sql: &str) {
    for number in 0..SINGLE {
        let id = (number * 7919 % ROWS) as i64 + 1;
        client.rows(sql, &[&id]);
    }
}

/// Measures in turn, once for each round.
pub(crate) fn run(rounds: usize) -> Outcome {
    let cluster = Cluster::with_store(None, SETTINGS);
    let mut client = cluster.create_database("bench");
    client.run("set statement_timeout = 0");
    let mut took = vec![(Vec::new(), Vec::new()); WORK.len()];
    for round in 1..=rounds {
        for in_step in [round % 2 == 0, round % 2 == 1] {
            let table = if in_step { "followed" } else { "plain" };
            client.run(&format!(
                "drop table if exists {table};
                 create table {table} (id bigint primary key, client_id int not null, title text, description text, status text,
                                       points int, created_at timestamptz not null default now())"
            ));
            client.run("checkpoint");
            if in_step {
                client.run(&format!("select vb_enable_sync('{table}')"));
            }
            for (number, (name, work)) in WORK.iter().enumerate() {
                let started = Instant::now();
                work(&mut client, table);
                let elapsed = started.elapsed().as_secs_f64();
                let (plain, followed) = &mut took[number];
                if in_step {
                    followed.push(elapsed)
                } else {
                    plain.push(elapsed)
                }
                eprintln!("round {round}, {table}: {name} {elapsed:.3} s");
                client.run(&format!("vacuum analyze {table}"));
                client.run("truncate vb_changes");
                client.run("checkpoint");
            }
        }
    }
    let mut lines = Vec::new();
    let mut figures = serde_json::Map::new();
    for ((name, _), (plain, followed)) in WORK.iter().zip(&took) {
        let ratio = median(followed) / median(plain);
        lines.push((
            format!("{name}: in step / plain"),
            format!("{:.3} s / {:.3} s = {ratio:.2}", median(followed), median(plain)),
        ));
        figures.insert(
            (*name).to_owned(),
            json!({ "in_step_seconds": followed, "plain_seconds": plain, "ratio_of_medians": ratio }),
        );
    }
    figures.insert("rows".to_owned(), json!(ROWS));
    figures.insert("single_statements".to_owned(), json!(SINGLE));
    figures.insert("rounds".to_owned(), json!(rounds));
    Outcome {
        name: "triggers",
        lines,
        figures: figures.into(),
    }
}
