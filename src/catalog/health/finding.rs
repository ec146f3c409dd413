//! What can be wrong, and how it is told.

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Something that was asked for is not done.
    Error,
    /// Something waits, or will not work when it is needed.
    Warning,
    /// Worth knowing.
    Info,
}

/// What is wrong, under a name that alerts and dashboards can rely on. `docs/monitoring.md` explains each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    /// No worker runs although there is work.
    WorkerMissing,
    /// There are as many background workers as there may be.
    WorkerSlots,
    /// After a restart of the server jobs wait for the next call.
    NotPreloaded,
    /// This server is a standby.
    Standby,
    /// No provider can be used.
    NoProvider,
    /// A provider cannot be used as it is configured.
    ProviderUnavailable,
    /// A provider's service does not answer.
    ProviderUnreachable,
    /// A provider's service sends requests away.
    ProviderThrottled,
    /// Somebody paused a job.
    JobPaused,
    /// A job paused itself, until somebody puts something right.
    JobStopped,
    /// A job waits for its next attempt.
    JobWaiting,
    /// A running job waits for something that passes.
    JobHeldUp,
    /// A job cannot go on.
    JobFailed,
    /// A running job has not moved for a while, and nothing says why.
    JobStalled,
    /// A job set many records aside.
    ManyFailedRecords,
    /// A client has spent what it may in a day.
    BudgetSpent,
    /// All work is paused by a setting.
    AllPaused,
    /// Backfills are closed at this hour.
    HoursClosed,
    /// A schedule did not begin its job.
    ScheduleFailed,
    /// The table of a source is gone.
    SourceMissing,
    /// Changes of a source that is kept in step are not seen.
    TriggersMissing,
    /// Changes wait for long.
    ChangesLate,
    /// Nothing keeps the vectors of a source in step, and nobody has looked for long.
    CollectionStale,
    /// A collection with references is not in its store.
    CollectionLost,
    /// A store does not answer.
    StoreUnreachable,
    /// This database is a copy of another one.
    DatabaseCopy,
    /// Something that is to be removed from a store is still there.
    RemovalsWaiting,
}

/// Something that is not as it should be.
#[derive(Debug)]
pub(crate) struct Finding {
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What kind of thing.
    pub(crate) cause: Cause,
    /// What is wrong.
    pub(crate) finding: String,
    /// What to do.
    pub(crate) hint: String,
    /// The job that it is about, if it is about one.
    pub(crate) job: Option<i64>,
    /// The client, if it is about one.
    pub(crate) client: Option<i64>,
}

impl Severity {
    /// The name that users see.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl Cause {
    /// The name that users see.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::WorkerMissing => "worker_missing",
            Self::WorkerSlots => "worker_slots",
            Self::NotPreloaded => "not_preloaded",
            Self::Standby => "standby",
            Self::NoProvider => "no_provider",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::ProviderUnreachable => "provider_unreachable",
            Self::ProviderThrottled => "provider_throttled",
            Self::JobPaused => "job_paused",
            Self::JobStopped => "job_stopped",
            Self::JobWaiting => "job_waiting",
            Self::JobHeldUp => "job_held_up",
            Self::JobFailed => "job_failed",
            Self::JobStalled => "job_stalled",
            Self::ManyFailedRecords => "many_failed_records",
            Self::BudgetSpent => "budget_spent",
            Self::AllPaused => "all_paused",
            Self::HoursClosed => "hours_closed",
            Self::ScheduleFailed => "schedule_failed",
            Self::SourceMissing => "source_missing",
            Self::TriggersMissing => "triggers_missing",
            Self::ChangesLate => "changes_late",
            Self::CollectionStale => "collection_stale",
            Self::CollectionLost => "collection_lost",
            Self::StoreUnreachable => "store_unreachable",
            Self::DatabaseCopy => "database_copy",
            Self::RemovalsWaiting => "removals_waiting",
        }
    }
}

impl Finding {
    /// About everything.
    pub(super) fn new(severity: Severity, cause: Cause, finding: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            severity,
            cause,
            finding: finding.into(),
            hint: hint.into(),
            job: None,
            client: None,
        }
    }

    /// About one job of a client.
    pub(super) fn of_job(mut self, job: i64, client: i64) -> Self {
        (self.job, self.client) = (Some(job), Some(client));
        self
    }

    /// About a client, if there is one.
    pub(super) fn of_client(mut self, client: Option<i64>) -> Self {
        self.client = client;
        self
    }
}
