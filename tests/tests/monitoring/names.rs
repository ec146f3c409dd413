//! The metrics that there are. Those who keep rules and dashboards of their own rely on these names and labels.

use std::collections::{BTreeMap, BTreeSet};

use vb_tests::exposition::Family;

const NONE: &[&str] = &[];
const CLIENT: &[&str] = &["client_id"];
const COLLECTION: &[&str] = &[
    "client_id",
    "collection",
    "model",
    "source",
    "stage",
    "store",
    "vector_type",
];
const COVERAGE: &[&str] = &["client_id", "source", "vector_type"];
const HEALTH: &[&str] = &["cause", "severity"];
const JOB: &[&str] = &["client_id", "job_id", "kind", "source", "vector_type"];
const JOBS: &[&str] = &["client_id", "kind", "state"];
const PROVIDER: &[&str] = &["kind", "model", "provider"];
const SOURCE: &[&str] = &["source"];

/// Names and labels of what both sources show.
pub(crate) const COMMON: [(&str, &[&str]); 37] = [
    ("vb_client_cost_today", CLIENT),
    ("vb_client_records_today", CLIENT),
    ("vb_client_tokens_today", CLIENT),
    ("vb_collection_points", COLLECTION),
    ("vb_coverage_embedded", COVERAGE),
    ("vb_coverage_failed", COVERAGE),
    ("vb_coverage_oldest_pending_seconds", COVERAGE),
    ("vb_coverage_pending", COVERAGE),
    ("vb_coverage_records", COVERAGE),
    ("vb_coverage_stale", COVERAGE),
    ("vb_health_findings", HEALTH),
    ("vb_job_records", JOB),
    ("vb_job_records_failed", JOB),
    ("vb_job_records_per_second", JOB),
    ("vb_job_records_processed", JOB),
    ("vb_job_remaining_seconds", JOB),
    ("vb_job_running", JOB),
    ("vb_job_tokens", JOB),
    ("vb_job_updated_timestamp_seconds", JOB),
    ("vb_jobs", JOBS),
    ("vb_provider_available", PROVIDER),
    ("vb_provider_breaker_open", PROVIDER),
    ("vb_provider_concurrency", PROVIDER),
    ("vb_provider_cost_total", PROVIDER),
    ("vb_provider_errors_total", PROVIDER),
    ("vb_provider_latency_p50_seconds", PROVIDER),
    ("vb_provider_latency_p95_seconds", PROVIDER),
    ("vb_provider_requests_total", PROVIDER),
    ("vb_provider_throttled_total", PROVIDER),
    ("vb_provider_tokens_total", PROVIDER),
    ("vb_sync_applied_total", SOURCE),
    ("vb_sync_latency_p50_seconds", SOURCE),
    ("vb_sync_latency_p95_seconds", SOURCE),
    ("vb_sync_oldest_pending_seconds", SOURCE),
    ("vb_sync_pending", SOURCE),
    ("vb_worker_memory_bytes", NONE),
    ("vb_worker_running", NONE),
];

/// What only the live page shows, since it is about itself.
pub(crate) const OF_THE_PAGE: [(&str, &[&str]); 3] = [
    ("vb_dashboard_event_streams", NONE),
    ("vb_dashboard_looks_total", NONE),
    ("vb_up", NONE),
];

/// What only the exporter adds to each sample.
pub(crate) const OF_THE_EXPORTER: &str = "server";

/// `gauge` or `counter`, which follows from the name.
pub(crate) fn kind(name: &str) -> &'static str {
    if name.ends_with("_total") { "counter" } else { "gauge" }
}

/// A metric's type and labels.
pub(crate) type Shape = (String, BTreeSet<String>);

/// What there has to be.
pub(crate) fn expected(names: &[&[(&str, &[&str])]]) -> BTreeMap<String, Shape> {
    let all = names.iter().copied().flatten();
    all.map(|&(name, labels)| {
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        (name.to_owned(), (kind(name).to_owned(), labels))
    })
    .collect()
}

/// What there is.
pub(crate) fn shapes(families: &BTreeMap<String, Family>) -> BTreeMap<String, Shape> {
    let shape = |family: &Family| {
        let labels = family.label_names().into_iter().map(str::to_owned).collect();
        (family.kind.clone(), labels)
    };
    families
        .iter()
        .map(|(name, family)| (name.clone(), shape(family)))
        .collect()
}
