//! Backfills that come again and again.

use std::str::FromStr;
use std::time::Duration;

use croner::Cron;
use jiff::civil::DateTime;
use pgrx::pg_sys::Oid;
use serde_json::json;

use super::access::{self, Level};
use super::audit::Deed;
use super::installation::Installation;
use super::job_request::JobRequest;
use super::job_state::JobState;
use super::local_time::{self, LocalTime};
use super::spending::SpendingLimits;
use crate::error::{Result, VbError};
use crate::fault::Fault;
use crate::pg::lock::Patience;
use crate::pg::{role, spi, transaction};
use crate::source::columns::Relation;

/// Tries of a batch that fails for passing reasons, as those of a backfill that somebody enqueues.
const MAX_RETRIES: i32 = 3;

/// How long a schedule that is due waits for locks.
const PATIENCE: Duration = Duration::from_millis(10);

/// What is to come again and again.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    /// Whose rows.
    pub(crate) client_id: i64,
    /// Of which table.
    pub(crate) source: Oid,
    /// Which text.
    pub(crate) vector_type: String,
    /// When, as cron writes it.
    pub(crate) pattern: String,
    /// In which time zone; `None` for that of the session.
    pub(crate) time_zone: Option<String>,
    /// How a provider is chosen.
    pub(crate) preference: String,
    /// The provider, if it is to be this one.
    pub(crate) provider: Option<String>,
    /// Higher goes first; `None` takes the source's.
    pub(crate) priority: Option<i32>,
}

impl Schedule {
    fn request(&self) -> JobRequest {
        JobRequest {
            client_id: self.client_id,
            source: self.source,
            vector_type: self.vector_type.clone(),
            preference: self.preference.clone(),
            provider: self.provider.clone(),
            batch_size: None,
            max_retries: MAX_RETRIES,
            priority: self.priority,
            reembed: false,
            limits: SpendingLimits::default(),
        }
    }

    /// Makes it, or changes the one for the same client, source and vector type; gives its id.
    pub(crate) fn set(&self, installation: &Installation) -> Result<i64> {
        self.request().check(installation)?;
        let now = local_time::now(self.time_zone.clone())?;
        let next = next(&self.pattern, &now)?.ok_or_else(|| {
            VbError::invalid(format!(
                "schedule {:?} names no moment that is still to come",
                self.pattern
            ))
            .hint("Its fields are minute, hour, day of the month, month and day of the week.")
        })?;
        let asked_by = role::current();
        let id = role::as_owner(installation.owner, || {
            spi::first(
                &installation.sql(include_str!("../../sql/query/schedule_set.sql")),
                &[
                    self.client_id.into(),
                    self.source.into(),
                    self.vector_type.as_str().into(),
                    self.pattern.as_str().into(),
                    now.time_zone.as_str().into(),
                    self.preference.as_str().into(),
                    self.provider.as_deref().into(),
                    self.priority.into(),
                    asked_by.into(),
                    next.into(),
                ],
                |row| row.get(1),
            )?
            .ok_or_else(|| VbError::internal("a schedule was not recorded"))
        })?;
        let detail = json!({ "schedule_id": id, "schedule": self.pattern, "vector_type": self.vector_type });
        let name = Relation::read(self.source)?.qualified;
        Deed::new("schedule")
            .by(asked_by)
            .client(self.client_id)
            .subject(&name)
            .detail(detail)
            .note(installation)?;
        Ok(id)
    }
}

/// Ends a schedule; false when there is none with this id.
pub(crate) fn end(installation: &Installation, schedule: i64) -> Result<bool> {
    let caller = role::current();
    role::as_owner(installation.owner, || {
        let statement = installation.sql(include_str!("../../sql/query/schedule_client.sql"));
        let client = spi::read_first(&statement, &[schedule.into()], |row| row.get::<i64>(1))?;
        let client = match client {
            Some(client) if access::has(installation, caller, client, Level::Write)? => client,
            // Nobody is told of schedules of others.
            _ => return Ok(false),
        };
        let statement = installation.sql(include_str!("../../sql/query/schedule_drop.sql"));
        spi::run(&statement, &[schedule.into()])?;
        let detail = json!({ "schedule_id": schedule });
        Deed::new("unschedule")
            .by(caller)
            .client(client)
            .detail(detail)
            .note(installation)?;
        Ok(true)
    })
}

/// Enqueues what is due. What cannot be enqueued says so, and is due again at its next moment; moments that passed while no
/// worker ran are made up for once.
pub(crate) fn run_due(installation: &Installation) -> Result<()> {
    let due = spi::rows(
        &installation.sql(include_str!("../../sql/query/schedules_due.sql")),
        &[],
        |row| {
            let schedule = Schedule {
                client_id: row.get(2)?,
                source: row.get(3)?,
                vector_type: row.get(4)?,
                pattern: row.get(5)?,
                time_zone: row.optional(6)?,
                preference: row.get(7)?,
                provider: row.optional(8)?,
                priority: row.optional(9)?,
            };
            Ok((row.get::<i64>(1)?, schedule, row.get::<Oid>(10)?))
        },
    )?;
    for (id, schedule, asked_by) in due {
        if let Err(error) = transaction::attempt(|| run(installation, id, &schedule, asked_by)) {
            let statement = installation.sql(include_str!("../../sql/query/schedule_postpone.sql"));
            let minutes = if Fault::of(&error) == Fault::Later { 1 } else { 60 };
            spi::run(&statement, &[id.into(), minutes.into(), error.message.into()])?;
        }
    }
    Ok(())
}

fn run(installation: &Installation, id: i64, schedule: &Schedule, asked_by: Oid) -> Result<()> {
    // Whatever somebody holds locked of his own, with however many schedules, others do not wait for it.
    let _patience = Patience::of(PATIENCE);
    let (job, error) = if access::find_name(asked_by)?.is_some() {
        let enqueued =
            transaction::attempt(|| role::as_restricted(asked_by, || schedule.request().enqueue(installation)));
        match enqueued {
            Ok(enqueued) if enqueued.state == JobState::Paused => {
                let told = format!("job {} is there already and is paused", enqueued.job_id);
                (Some(enqueued.job_id), Some(told))
            }
            Ok(enqueued) => (Some(enqueued.job_id), None),
            Err(error) if Fault::of(&error) == Fault::Later => return Err(error),
            Err(error) => (None, Some(error.message)),
        }
    } else {
        (None, Some("the role that asked for it is gone".to_owned()))
    };
    let now = local_time::now(schedule.time_zone.clone())?;
    spi::run(
        &installation.sql(include_str!("../../sql/query/schedule_ran.sql")),
        &[
            id.into(),
            next(&schedule.pattern, &now)?.into(),
            job.into(),
            error.into(),
        ],
    )
    .map(|_| ())
}

/// The next moment of a pattern after now, in the same time zone.
fn next(pattern: &str, now: &LocalTime) -> Result<Option<String>> {
    let wrong = |error: &dyn std::fmt::Display| {
        VbError::invalid(format!("schedule {pattern:?} is no pattern of cron: {error}"))
            .hint("Write minute, hour, day of the month, month and day of the week: '0 2 * * *' is every night at two.")
    };
    let cron = Cron::from_str(pattern).map_err(|error| wrong(&error))?;
    let now: DateTime = now
        .text
        .parse()
        .map_err(|error| VbError::internal(format!("the time cannot be read: {error}")))?;
    Ok(cron.find_next_occurrence(&now, false).ok().map(|next| next.to_string()))
}
