//! When backfills work, and when they come again.

use pgrx::datum::Time;
use pgrx::pg_extern;
use pgrx::pg_sys::Oid;

use super::{announce_work, on_primary, required};
use crate::catalog::hours;
use crate::catalog::schedules::{self, Schedule};
use crate::error::VbError;
use crate::pg::catch::respond;

#[pg_extern(sql = false)]
fn vb_set_window(
    closed_from: Option<Time>,
    closed_until: Option<Time>,
    client_id: Option<i64>,
    days: Option<Vec<Option<i32>>>,
    time_zone: Option<String>,
) {
    respond(|| {
        let installation = on_primary()?;
        match (closed_from, closed_until) {
            (Some(from), Some(until)) => {
                let days = required(days, "days")?;
                let days = days.into_iter().map(|day| day.unwrap_or(0)).collect();
                hours::close(&installation, client_id, (from, until), days, time_zone)?;
            }
            (None, None) => hours::open(&installation, client_id)?,
            _ => {
                return Err(VbError::invalid("one of closed_from and closed_until is NULL")
                    .hint("Give both to close the hours between them, or NULL for both to open them again."));
            }
        }
        announce_work();
        Ok(())
    })
}

#[pg_extern(sql = false)]
#[expect(clippy::too_many_arguments, reason = "the SQL function has as many")]
fn vb_schedule_backfill(
    client_id: Option<i64>,
    source: Option<Oid>,
    schedule: Option<String>,
    vector_type: Option<String>,
    preference: Option<String>,
    provider: Option<String>,
    priority: Option<i32>,
    time_zone: Option<String>,
) -> i64 {
    respond(|| {
        let schedule = Schedule {
            client_id: required(client_id, "client_id")?,
            source: required(source, "source")?,
            vector_type: required(vector_type, "vector_type")?,
            pattern: required(schedule, "schedule")?,
            time_zone,
            preference: required(preference, "preference")?,
            provider,
            priority,
        };
        let id = schedule.set(&on_primary()?)?;
        announce_work();
        Ok(id)
    })
}

#[pg_extern(sql = false)]
fn vb_unschedule_backfill(schedule_id: Option<i64>) -> bool {
    respond(|| schedules::end(&on_primary()?, required(schedule_id, "schedule_id")?))
}
