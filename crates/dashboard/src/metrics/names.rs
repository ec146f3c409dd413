//! The names of all metrics: those of monitoring/postgres_exporter.yaml, and what is only known here.

use crate::metrics::family::Family;

/// Where nothing is known of these, nothing waits or moves.
pub(crate) const ZERO_WHEN_UNKNOWN: [&str; 4] = [
    "vb_job_records_per_second",
    "vb_coverage_oldest_pending_seconds",
    "vb_sync_oldest_pending_seconds",
    "vb_provider_concurrency",
];

pub(crate) const UP: Family = Family {
    labels: &[],
    metrics: &[("vb_up", "up", "Whether the database answers")],
};

pub(crate) const DASHBOARD: Family = Family {
    labels: &[],
    metrics: &[
        (
            "vb_dashboard_event_streams",
            "streams",
            "Event streams of pages that are open",
        ),
        (
            "vb_dashboard_looks_total",
            "looks",
            "Sets of queries that were run for pages that are open",
        ),
    ],
};

pub(crate) const WORKER: Family = Family {
    labels: &[],
    metrics: &[
        (
            "vb_worker_running",
            "running",
            "Whether the worker of this database runs",
        ),
        ("vb_worker_memory_bytes", "memory_bytes", "Memory of the worker"),
    ],
};

pub(crate) const HEALTH: Family = Family {
    labels: &["severity", "cause"],
    metrics: &[("vb_health_findings", "findings", "Findings of vb_health()")],
};

pub(crate) const JOBS: Family = Family {
    labels: &["client_id", "kind", "state"],
    metrics: &[("vb_jobs", "jobs", "Jobs in each state")],
};

pub(crate) const OPEN_JOBS: Family = Family {
    labels: &["job_id", "client_id", "source", "vector_type", "kind"],
    metrics: &[
        (
            "vb_job_records",
            "total_records",
            "Records that an unfinished job is about",
        ),
        (
            "vb_job_records_processed",
            "processed_records",
            "Records that an unfinished job has done, failed and skipped ones too",
        ),
        (
            "vb_job_records_failed",
            "failed_records",
            "Records that an unfinished job could not embed",
        ),
        (
            "vb_job_records_per_second",
            "records_per_second",
            "Speed of an unfinished job",
        ),
        ("vb_job_tokens", "tokens", "Tokens that an unfinished job has spent"),
        (
            "vb_job_remaining_seconds",
            "remaining",
            "Estimated time that a running job still takes",
        ),
        (
            "vb_job_updated_timestamp_seconds",
            "updated",
            "When an unfinished job last moved",
        ),
        ("vb_job_running", "running", "Whether an unfinished job is worked at"),
    ],
};

pub(crate) const COVERAGE: Family = Family {
    labels: &["client_id", "source", "vector_type"],
    metrics: &[
        ("vb_coverage_records", "records", "Rows with text"),
        ("vb_coverage_embedded", "embedded", "Rows that have a vector"),
        (
            "vb_coverage_stale",
            "stale",
            "Rows that changed and whose vectors do not say so yet",
        ),
        ("vb_coverage_failed", "failed", "Rows that could not be embedded"),
        ("vb_coverage_pending", "pending", "Rows that have no vector yet"),
        (
            "vb_coverage_oldest_pending_seconds",
            "oldest_pending",
            "For how long the oldest change has waited",
        ),
    ],
};

pub(crate) const SYNCS: Family = Family {
    labels: &["source"],
    metrics: &[
        ("vb_sync_pending", "pending", "Changes of a source that wait"),
        (
            "vb_sync_oldest_pending_seconds",
            "oldest_pending",
            "For how long the oldest change of a source has waited",
        ),
        (
            "vb_sync_applied_total",
            "applied",
            "Changes of a source that were applied",
        ),
        (
            "vb_sync_latency_p50_seconds",
            "latency_p50",
            "Median time from a change's commit to its vector, of the latest",
        ),
        (
            "vb_sync_latency_p95_seconds",
            "latency_p95",
            "95th percentile of the time from a change's commit to its vector",
        ),
    ],
};

pub(crate) const PROVIDERS: Family = Family {
    labels: &["provider", "kind", "model"],
    metrics: &[
        ("vb_provider_available", "available", "Whether a provider can be used"),
        (
            "vb_provider_concurrency",
            "concurrency",
            "Requests that a provider is sent at a time",
        ),
        (
            "vb_provider_breaker_open",
            "breaker_open",
            "Whether a provider is left alone since it does not answer",
        ),
        ("vb_provider_requests_total", "requests", "Requests to a provider"),
        (
            "vb_provider_errors_total",
            "errors",
            "Requests to a provider that failed",
        ),
        (
            "vb_provider_throttled_total",
            "throttled",
            "Requests that a provider put off",
        ),
        ("vb_provider_tokens_total", "tokens", "Tokens that a provider embedded"),
        (
            "vb_provider_cost_total",
            "cost",
            "What a provider cost, in the currency of its price",
        ),
        (
            "vb_provider_latency_p50_seconds",
            "latency_p50",
            "Median time of a request to a provider",
        ),
        (
            "vb_provider_latency_p95_seconds",
            "latency_p95",
            "95th percentile of the time of a request to a provider",
        ),
    ],
};

pub(crate) const CLIENTS: Family = Family {
    labels: &["client_id"],
    metrics: &[
        (
            "vb_client_records_today",
            "records_today",
            "Records of a client that were embedded in this day of UTC",
        ),
        (
            "vb_client_tokens_today",
            "tokens_today",
            "Tokens that a client spent in this day of UTC",
        ),
        (
            "vb_client_cost_today",
            "cost_today",
            "What a client spent in this day of UTC",
        ),
    ],
};

pub(crate) const COLLECTIONS: Family = Family {
    labels: &[
        "collection",
        "client_id",
        "source",
        "vector_type",
        "model",
        "store",
        "stage",
    ],
    metrics: &[("vb_collection_points", "points", "Points of a collection")],
};
