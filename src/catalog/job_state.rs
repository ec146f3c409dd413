//! The states of a job and how one leads to another. The CHECKs of `vb_jobs` know the same states; nothing else decides
//! about them.
//!
//! | event        | queued    | running   | paused    | completed | failed  | cancelled |
//! |--------------|-----------|-----------|-----------|-----------|---------|-----------|
//! | `Start`      | running   | running   | –         | –         | –       | –         |
//! | `Pause`      | paused    | paused    | paused    | –         | –       | –         |
//! | `Resume`     | queued    | running   | queued    | –         | –       | –         |
//! | `Cancel`     | cancelled | cancelled | cancelled | –         | –       | cancelled |
//! | `Complete`   | –         | completed | –         | –         | –       | –         |
//! | `Fail`       | failed    | failed    | –         | –         | –       | –         |
//! | `Retry`      | queued    | running   | paused    | queued    | queued  | queued    |
//! | `Forget`     | –         | –         | –         | completed | failed  | cancelled |
//!
//! A dash is a refusal. What a user may say twice (pause, resume, cancel) changes nothing the second time. A pause wins
//! over a worker that completes or fails the job at the same moment: the next run finds out again.

use std::fmt;
use std::str::FromStr;

use crate::error::VbError;

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobState {
    /// Waits for a worker.
    Queued,
    /// A worker is at it, or was when it ended and its successor goes on.
    Running,
    /// Waits for somebody to resume it.
    Paused,
    /// Every row has been looked after.
    Completed,
    /// Cannot go on.
    Failed,
    /// Somebody ended it.
    Cancelled,
}

/// What happens to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobEvent {
    /// A worker begins or goes on with it.
    Start,
    /// Somebody, or a configuration fault, stops it for now.
    Pause,
    /// Somebody lets it go on.
    Resume,
    /// Somebody ends it.
    Cancel,
    /// The worker finds nothing left to do.
    Complete,
    /// The worker finds that it cannot go on.
    Fail,
    /// Somebody puts its failed records back to work.
    Retry,
    /// Somebody deletes it.
    Forget,
}

impl JobEvent {
    /// What somebody did who brought it about.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
            Self::Complete => "complete",
            Self::Fail => "fail",
            Self::Retry => "retry",
            Self::Forget => "forget",
        }
    }
}

/// An event that makes no sense in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    state: JobState,
    event: JobEvent,
}

impl JobState {
    /// The state that follows an event.
    pub(crate) fn after(self, event: JobEvent) -> Result<Self, Refusal> {
        use JobState::{Cancelled, Completed, Failed, Paused, Queued, Running};

        match (event, self) {
            (JobEvent::Start, Queued | Running) => Ok(Running),
            (JobEvent::Pause, Queued | Running | Paused) => Ok(Paused),
            (JobEvent::Resume, Queued | Paused) => Ok(Queued),
            (JobEvent::Resume, Running) => Ok(Running),
            (JobEvent::Cancel, Queued | Running | Paused | Cancelled) => Ok(Cancelled),
            (JobEvent::Complete, Running) => Ok(Completed),
            (JobEvent::Fail, Queued | Running) => Ok(Failed),
            (JobEvent::Retry, Queued | Running | Paused) => Ok(self),
            (JobEvent::Retry, Completed | Failed | Cancelled) => Ok(Queued),
            (JobEvent::Forget, Completed | Failed | Cancelled) => Ok(self),
            _ => Err(Refusal { state: self, event }),
        }
    }

    /// Whether the job is over.
    pub(crate) fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Whether a worker goes on with the job by itself.
    pub(crate) fn is_runnable(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }

    /// The state as the table has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for JobState {
    type Err = VbError;

    fn from_str(text: &str) -> Result<Self, VbError> {
        match text {
            "queued" => Ok(Self::Queued),
            "running" => Ok(Self::Running),
            "paused" => Ok(Self::Paused),
            "completed" => Ok(Self::Completed),
            "failed" => Ok(Self::Failed),
            "cancelled" => Ok(Self::Cancelled),
            other => Err(VbError::internal(format!(
                "vb_jobs has a job in the unknown state {other:?}"
            ))),
        }
    }
}

impl Refusal {
    /// The refusal for users: which job, its state, and what can be done instead.
    pub(crate) fn of_job(self, job_id: i64) -> VbError {
        let verb = match self.event {
            JobEvent::Start => "started",
            JobEvent::Pause => "paused",
            JobEvent::Resume => "resumed",
            JobEvent::Cancel => "cancelled",
            JobEvent::Complete => "completed",
            JobEvent::Fail => "set to failed",
            JobEvent::Retry => "retried",
            JobEvent::Forget => "forgotten",
        };
        let error = VbError::wrong_state(format!("job {job_id} is {} and cannot be {verb}", self.state));
        error.hint(match self.event {
            JobEvent::Forget => "Cancel it first, or wait until it has ended.",
            JobEvent::Resume => "Call vb_enqueue_backfill again, or vb_retry_failed for its failed records.",
            _ if self.state.has_ended() => "It has ended; vb_enqueue_backfill begins a new one.",
            _ => "Call vb_resume to let it go on.",
        })
    }
}
