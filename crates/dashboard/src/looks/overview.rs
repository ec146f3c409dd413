//! The first page: what is wrong, what runs, how fast, for whom.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use tokio_postgres::Error;

use crate::json;
use crate::looks::{Look, Object, Statement, amount, whole};
use crate::schedule::Kind;

pub(crate) const HEALTH: Statement = Statement {
    sql: include_str!("../../sql/health.sql"),
    reads: &["vb_health"],
};
pub(crate) const WORKER: Statement = Statement {
    sql: include_str!("../../sql/worker.sql"),
    reads: &["vb_worker_status"],
};
const COUNTS: Statement = Statement {
    sql: include_str!("../../sql/job_counts.sql"),
    reads: &["vb_job_status"],
};
const NOW: Statement = Statement {
    sql: include_str!("../../sql/speed_now.sql"),
    reads: &["vb_throughput", "vb_job_status"],
};
const LAST_HOUR: Statement = Statement {
    sql: include_str!("../../sql/last_hour.sql"),
    reads: &["vb_throughput", "vb_job_status"],
};
const MINUTES: Statement = Statement {
    sql: include_str!("../../sql/minutes.sql"),
    reads: &["vb_throughput", "vb_job_status"],
};
pub(crate) const SPENDING: Statement = Statement {
    sql: include_str!("../../sql/spending_today.sql"),
    reads: &["vb_client_spending"],
};
const OPEN_JOBS: Statement = Statement {
    sql: include_str!("../../sql/open_jobs.sql"),
    reads: &["vb_job_status"],
};
const JOBS: Statement = Statement {
    sql: include_str!("../../sql/overview_jobs.sql"),
    reads: &["vb_job_status"],
};

/// Those with the most to do come first.
const MOST_CLIENTS: usize = 200;

/// The worst come first.
const MOST_FINDINGS: usize = 100;

const STATES: [&str; 6] = ["queued", "running", "paused", "completed", "failed", "cancelled"];

/// Columns of a client that are empty where nothing is known.
const CLIENT_COLUMNS: [&str; 12] = [
    "records_today",
    "tokens_today",
    "cost_today",
    "max_tokens_per_day",
    "max_cost_per_day",
    "max_records_per_day",
    "records",
    "embedded",
    "stale",
    "failed",
    "pending",
    "oldest_pending",
];

/// What the last looks saw.
#[derive(Debug, Default)]
pub(crate) struct Overview {
    health: Vec<Object>,
    worker: Option<Object>,
    counts: Vec<Object>,
    now: Option<Object>,
    last_hour: Option<Object>,
    minutes: Vec<Object>,
    spending: Vec<Object>,
    open_jobs: Vec<Object>,
    jobs: Vec<Object>,
    /// Whether all but the slow look were made.
    pub(crate) is_complete: bool,
    /// Sums over what is covered, from the slow look.
    pub(crate) coverage: HashMap<i64, Object>,
}

impl Overview {
    pub(crate) const KINDS: [Kind; 4] = [Kind::Work, Kind::Health, Kind::Hour, Kind::Clients];

    pub(crate) async fn look(&mut self, kind: Kind, look: &mut Look<'_>) -> Result<(), Error> {
        match kind {
            Kind::Work => {
                self.worker = look.objects(WORKER, &[]).await?.pop();
                self.counts = look.objects(COUNTS, &[]).await?;
                self.now = look.objects(NOW, &[]).await?.pop();
                let jobs = look.objects(JOBS, &[]).await?;
                self.jobs = jobs.into_iter().map(|job| look.with_control(job)).collect();
            }
            Kind::Health => {
                self.health = look.objects(HEALTH, &[]).await?;
                self.health.sort_by_key(severity);
            }
            Kind::Hour => {
                self.last_hour = look.objects(LAST_HOUR, &[]).await?.pop();
                self.minutes = look.objects(MINUTES, &[]).await?;
            }
            Kind::Clients => {
                self.spending = look.objects(SPENDING, &[]).await?;
                self.open_jobs = look.objects(OPEN_JOBS, &[]).await?;
                self.is_complete = true;
            }
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn payload(&self) -> Value {
        let mut clients = self.clients();
        let total = clients.len();
        clients.truncate(MOST_CLIENTS);
        let spent = |name| json::float(self.spending.iter().fold(0.0, |sum, client| sum + amount(client, name)));
        json!({
            "health": self.health.iter().take(MOST_FINDINGS).collect::<Vec<_>>(),
            "health_total": self.health.len(),
            "worker": self.worker,
            "counts": self.counts(),
            "now": self.now.clone().unwrap_or_else(|| zeros(&["records_per_second", "tokens_per_second"])),
            "last_hour": self.last_hour.clone().unwrap_or_else(|| zeros(&["records", "tokens", "failed"])),
            "minutes": self.minutes,
            "today": {
                "tokens": spent("tokens_today"), "cost": spent("cost_today"), "records": spent("records_today"),
            },
            "clients": clients,
            "clients_total": total,
            "jobs": self.jobs,
        })
    }

    fn counts(&self) -> Object {
        let mut counts = zeros(&STATES);
        for row in &self.counts {
            if let (Some(state), Some(jobs)) = (row.get("state").and_then(Value::as_str), row.get("jobs")) {
                counts.insert(state.to_owned(), jobs.clone());
            }
        }
        counts
    }

    /// All clients that have jobs, spent anything today or have vectors.
    fn clients(&self) -> Vec<Object> {
        let mut clients: BTreeMap<i64, Object> = BTreeMap::new();
        let of_client = |row: &Object| row.get("client_id").and_then(whole);
        for row in self.spending.iter().chain(&self.open_jobs) {
            if let Some(client) = of_client(row) {
                clients.entry(client).or_default().extend(row.clone());
            }
        }
        for (client, sums) in &self.coverage {
            clients.entry(*client).or_default().extend(sums.clone());
        }
        let mut clients: Vec<_> = clients
            .into_iter()
            .map(|(client, mut row)| {
                row.insert("client_id".to_owned(), json::integer(client));
                row.entry("open_jobs").or_insert(Value::from(0));
                for name in CLIENT_COLUMNS {
                    row.entry(name).or_insert(Value::Null);
                }
                row
            })
            .collect();
        let most_to_do = |row: &Object| {
            [
                amount(row, "open_jobs"),
                amount(row, "pending"),
                amount(row, "tokens_today"),
            ]
        };
        clients.sort_by(|one, other| {
            most_to_do(other)
                .partial_cmp(&most_to_do(one))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        clients
    }
}

fn severity(finding: &Object) -> usize {
    let order = ["error", "warning", "info"];
    let severity = finding.get("severity").and_then(Value::as_str).unwrap_or_default();
    order.iter().position(|name| *name == severity).unwrap_or(order.len())
}

fn zeros(names: &[&str]) -> Object {
    names.iter().map(|&name| (name.to_owned(), Value::from(0))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(rows: &[Value]) -> Vec<Object> {
        rows.iter().filter_map(|row| row.as_object().cloned()).collect()
    }

    #[test]
    fn clients_are_joined_and_those_with_the_most_to_do_come_first() {
        let overview = Overview {
            spending: objects(&[
                json!({ "client_id": 1, "tokens_today": 5, "cost_today": 0.5, "records_today": 2 }),
                json!({ "client_id": "9007199254740993", "tokens_today": 7, "cost_today": 0.25, "records_today": 3 }),
            ]),
            open_jobs: objects(&[json!({ "client_id": 3, "open_jobs": 2 })]),
            ..Overview::default()
        };
        let payload = overview.payload();
        let ids: Vec<_> = payload["clients"]
            .as_array()
            .expect("clients")
            .iter()
            .map(|row| &row["client_id"])
            .collect();
        assert_eq!(ids, [&json!(3), &json!("9007199254740993"), &json!(1)]);
        assert_eq!(payload["clients_total"], 3);
        assert_eq!(payload["clients"][0]["tokens_today"], Value::Null);
        assert_eq!(payload["today"], json!({ "tokens": 12, "cost": 0.75, "records": 5 }));
        assert_eq!(payload["counts"]["paused"], 0);
    }
}
