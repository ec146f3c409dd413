//! Jobs: enqueued, watched through `vb_progress()`, waited for.

use crate::client::Client;
use crate::row::Row;
use crate::wait;

/// What `vb_progress()` says of a job.
#[derive(Debug, Clone)]
pub struct Progress {
    /// `queued`, `running`, `paused`, `completed`, `failed` or `cancelled`.
    pub state: String,
    /// Rows that the job found to do.
    pub total: i64,
    /// Those that are done, one way or another.
    pub processed: i64,
    /// Those that have their vectors.
    pub successful: i64,
    /// Those that were set aside.
    pub failed: i64,
    /// Those without text.
    pub skipped: i64,
    /// References whose row was gone.
    pub removed: i64,
    /// Records longer than the model's window.
    pub truncated: i64,
    /// Tokens that the provider saw.
    pub tokens: i64,
    /// In percent.
    pub percent: f64,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// Why this provider, or why it is paused.
    pub reason: Option<String>,
}

impl Progress {
    fn read(row: &Row) -> Self {
        Self {
            state: row.get("state"),
            total: row.get("total_records"),
            processed: row.get("processed_records"),
            successful: row.get("successful_records"),
            failed: row.get("failed_records"),
            skipped: row.get("skipped_records"),
            removed: row.get("removed_records"),
            truncated: row.get("truncated_records"),
            tokens: row.get("tokens"),
            percent: row.get("percent_float"),
            last_error: row.get("last_error"),
            reason: row.get("reason"),
        }
    }

    /// Whether it will not change any more.
    pub fn has_ended(&self) -> bool {
        matches!(self.state.as_str(), "completed" | "failed" | "cancelled")
    }
}

/// Enqueues a backfill of the source's content.
pub fn enqueue(client: &mut Client, client_id: i64, source: &str) -> i64 {
    client.value(
        "select vb_enqueue_backfill($1::bigint, $2::text::regclass)",
        &[&client_id, &source],
    )
}

/// The job now.
pub fn progress(client: &mut Client, job: i64) -> Progress {
    let sql = "select *, percent::float8 as percent_float from vb_progress($1::bigint)";
    Progress::read(&client.row(sql, &[&job]))
}

/// Waits until the job looks as wished. Fails as soon as it has ended or is paused without looking so.
pub fn until(client: &mut Client, job: i64, what: &str, mut wished: impl FnMut(&Progress) -> bool) -> Progress {
    let mut last = None;
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        wait::until(what, || {
            let now = progress(client, job);
            let settled = now.has_ended() || now.state == "paused";
            last = Some(now.clone());
            (wished(&now) || settled).then_some(now)
        })
    }));
    match found {
        Ok(now) if wished(&now) => now,
        _ => panic!(
            "job {job} should have come to: {what}. It is {last:#?}\n{}",
            health(client)
        ),
    }
}

/// Waits until the job has ended, however.
pub fn ended(client: &mut Client, job: i64) -> Progress {
    until(client, job, "its end", Progress::has_ended)
}

/// Waits until the job is completed.
pub fn completed(client: &mut Client, job: i64) -> Progress {
    until(client, job, "completion", |now| now.state == "completed")
}

/// Enqueues a backfill of the source's content and waits until it is completed.
pub fn backfill(client: &mut Client, client_id: i64, source: &str) -> Progress {
    let job = enqueue(client, client_id, source);
    completed(client, job)
}

/// What `vb_health()` finds, for people.
fn health(client: &mut Client) -> String {
    let findings = client.rows(
        "select concat_ws(' | ', severity, finding, hint) as line from vb_health()",
        &[],
    );
    findings
        .iter()
        .map(|row| row.get::<String>("line"))
        .collect::<Vec<_>>()
        .join("\n")
}
