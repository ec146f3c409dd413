//! What Prometheus asks for, by the names of monitoring/postgres_exporter.yaml, so that the same alerts fit. What is slow is
//! counted once a minute, and seldomer where it takes seconds.

mod family;
mod names;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use parking_lot::Mutex;
use prometheus::{Registry, TEXT_FORMAT, TextEncoder};
use serde_json::{Value, json};

use crate::api::failure::Failure;
use crate::api::once_a_second::OnceASecond;
use crate::database::Unavailable;
use crate::looks::overview::{HEALTH, SPENDING, WORKER};
use crate::looks::providers::{COLLECTIONS, PROVIDERS, SYNCS};
use crate::looks::{Look, Object, Statement, Troubles, coverage::COVERAGE};
use crate::metrics::family::Family;
use crate::role::Role;
use crate::site::Site;

const JOBS: Statement = Statement {
    sql: include_str!("../../sql/metrics_jobs.sql"),
    reads: &["vb_job_status"],
};
const OPEN_JOBS: Statement = Statement {
    sql: include_str!("../../sql/metrics_open_jobs.sql"),
    reads: &["vb_job_status"],
};

/// How long what is slow is kept at least, and how many times as long as it took.
const KEPT: Duration = Duration::from_secs(60);
const KEPT_FACTOR: u32 = 20;

/// What is kept between requests.
pub(crate) struct Metrics {
    texts: OnceASecond<()>,
    slow: Mutex<Slow>,
}

/// What takes long to count.
#[derive(Default)]
struct Slow {
    due: Option<Instant>,
    is_counting: bool,
    coverage: Vec<Object>,
    collections: Vec<Object>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            texts: OnceASecond::new(1),
            slow: Mutex::default(),
        }
    }
}

/// `GET /metrics`
pub(crate) async fn metrics(State(site): State<Arc<Site>>) -> Result<Response, Failure> {
    let text = site.metrics.texts.answer((), ask(&site)).await?;
    Ok(([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response())
}

async fn ask(site: &Arc<Site>) -> Result<Bytes, Failure> {
    let registry = Registry::new();
    let gathered = gather(site, &registry).await;
    let up = !matches!(gathered, Err(Gathering::Away));
    let dashboard = row(json!({ "streams": site.hub.streams(), "looks": site.hub.looks() }));
    let text = names::UP
        .register(&registry, &row(json!({ "up": up })))
        .and_then(|()| names::DASHBOARD.register(&registry, &dashboard))
        .and_then(|()| match gathered {
            Err(Gathering::Unwritable(error)) => Err(error),
            _ => TextEncoder::new().encode_to_string(&registry.gather()),
        });
    text.map(Bytes::from)
        .map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "metrics", error.to_string()))
}

/// Why metrics are missing.
enum Gathering {
    Away,
    /// It answers, but has nothing of ours.
    Missing,
    Unwritable(prometheus::Error),
}

impl From<tokio_postgres::Error> for Gathering {
    fn from(_: tokio_postgres::Error) -> Self {
        Self::Away
    }
}

impl From<prometheus::Error> for Gathering {
    fn from(error: prometheus::Error) -> Self {
        Self::Unwritable(error)
    }
}

async fn gather(site: &Arc<Site>, registry: &Registry) -> Result<(), Gathering> {
    let client = site.database.session().await.map_err(|unavailable| match unavailable {
        Unavailable::Missing => Gathering::Missing,
        Unavailable::Away(_) | Unavailable::Busy => Gathering::Away,
    })?;
    let role = Role::of(&client, false).await?.map_err(|_| Gathering::Missing)?;
    let mut troubles = Troubles::new();
    let mut look = Look {
        client: &client,
        role: &role,
        troubles: &mut troubles,
    };
    for (family, statement) in [
        (names::JOBS, JOBS),
        (names::OPEN_JOBS, OPEN_JOBS),
        (names::SYNCS, SYNCS),
        (names::CLIENTS, SPENDING),
    ] {
        family.register(registry, &look.objects(statement, &[]).await?)?;
    }
    names::PROVIDERS.register(registry, &providers(look.objects(PROVIDERS, &[]).await?))?;
    names::HEALTH.register(registry, &findings(&look.objects(HEALTH, &[]).await?))?;
    let workers = look.objects(WORKER, &[]).await?;
    // A view that did not answer in time does not say that there is none.
    if !role.hides("vb_worker_status") && !troubles.contains_key("vb_worker_status") {
        names::WORKER.register(registry, &worker(workers))?;
    }
    slow(site, registry)
}

/// What was counted last, however old; it is counted anew beside the request, which does not wait for that.
fn slow(site: &Arc<Site>, registry: &Registry) -> Result<(), Gathering> {
    let mut slow = site.metrics.slow.lock();
    if !slow.is_counting && slow.due.is_none_or(|due| Instant::now() >= due) {
        slow.is_counting = true;
        tokio::spawn(count(Arc::clone(site)));
    }
    let families: [(Family, &[Object]); 2] = [
        (names::COVERAGE, &slow.coverage),
        (names::COLLECTIONS, &slow.collections),
    ];
    let registered = families
        .into_iter()
        .try_for_each(|(family, rows)| family.register(registry, rows));
    Ok(registered?)
}

async fn count(site: Arc<Site>) {
    let began = Instant::now();
    let counted = counted(&site).await;
    let mut slow = site.metrics.slow.lock();
    slow.is_counting = false;
    slow.due = Some(Instant::now() + KEPT.max(began.elapsed() * KEPT_FACTOR));
    // What could not be counted is unknown, and not what it was.
    (slow.coverage, slow.collections) = counted.unwrap_or_default();
}

/// `None` when the database is away, or has not answered in time.
async fn counted(site: &Site) -> Option<(Vec<Object>, Vec<Object>)> {
    let client = site.database.session().await.ok()?;
    let role = Role::of(&client, false).await.ok()?.ok()?;
    let mut troubles = Troubles::new();
    let mut look = Look {
        client: &client,
        role: &role,
        troubles: &mut troubles,
    };
    let coverage = look.objects(COVERAGE, &[]).await.ok()?;
    let collections = look.objects(COLLECTIONS, &[]).await.ok()?;
    let collections = collections.into_iter().map(|row| renamed(row, "collection")).collect();
    Some((coverage, collections))
}

fn row(value: Value) -> Vec<Object> {
    value.as_object().cloned().into_iter().collect()
}

/// `name` says what it is the name of.
fn renamed(mut row: Object, to: &str) -> Object {
    let name = row.remove("name").unwrap_or_default();
    row.insert(to.to_owned(), name);
    row
}

fn providers(rows: Vec<Object>) -> Vec<Object> {
    rows.into_iter().map(|row| renamed(row, "provider")).collect()
}

fn worker(mut rows: Vec<Object>) -> Vec<Object> {
    let is_running = !rows.is_empty();
    let mut worker = rows.pop().unwrap_or_default();
    worker.insert("running".to_owned(), Value::from(is_running));
    vec![worker]
}

fn findings(rows: &[Object]) -> Vec<Object> {
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    let text = |row: &Object, name| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    for row in rows {
        *counts.entry((text(row, "severity"), text(row, "cause"))).or_default() += 1;
    }
    let rows = counts.into_iter().flat_map(|((severity, cause), findings)| {
        row(json!({ "severity": severity, "cause": cause, "findings": findings }))
    });
    rows.collect()
}
