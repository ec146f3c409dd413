//! Jobs that do not move, and those that set many records aside.

use pgrx::datum::DatumWithOid;

use super::finding::{Cause, Finding, Severity};
use crate::catalog::access::Sight;
use crate::catalog::installation::Installation;
use crate::catalog::{hours, worker_list};
use crate::error::Result;
use crate::pg::spi::{self, Row};
use crate::settings::Settings;

/// Jobs that the caller sees. To be called as the owner of the extension.
pub(super) fn findings(installation: &Installation, sight: &Sight) -> Result<Vec<Finding>> {
    let seen: [DatumWithOid<'_>; 3] = [
        sight.sees_all().into(),
        sight.reads_all.into(),
        sight.reads.clone().into(),
    ];
    let statement = installation.sql(include_str!("../../../sql/query/health_jobs.sql"));
    let mut found = spi::read(&statement, &seen, of_row)?;
    found.extend(stalled(installation, sight)?);
    found.extend(many_failed(installation, sight)?);
    Ok(found)
}

fn of_row(row: &Row<'_>) -> Result<Finding> {
    let (severity, cause) = match row.get::<String>(1)?.as_str() {
        "job_failed" => (Severity::Error, Cause::JobFailed),
        "budget_spent" => (Severity::Warning, Cause::BudgetSpent),
        "job_paused" => (Severity::Warning, Cause::JobPaused),
        "job_stopped" => (Severity::Warning, Cause::JobStopped),
        "job_waiting" => (Severity::Warning, Cause::JobWaiting),
        _ => (Severity::Warning, Cause::JobHeldUp),
    };
    let finding = Finding::new(severity, cause, row.get::<String>(2)?, row.get::<String>(3)?);
    Ok(finding.of_job(row.get(4)?, row.get(5)?))
}

/// Running jobs that nothing is known to hold up. Where there is no worker, or nothing may be begun, that is the finding.
fn stalled(installation: &Installation, sight: &Sight) -> Result<Vec<Finding>> {
    let workers = worker_list::list(installation)?;
    if Settings::current().paused || workers.is_empty() {
        return Ok(Vec::new());
    }
    let mut doing = workers.iter().filter_map(|worker| worker.waiting_for.as_deref());
    let is_looking = doing.any(|text| text.starts_with("looking for"));
    let closed = hours::closed(installation)?;
    spi::read(
        &installation.sql(include_str!("../../../sql/query/health_stalled.sql")),
        &[
            sight.sees_all().into(),
            sight.reads.clone().into(),
            closed.everybody.into(),
            closed.clients.into(),
            is_looking.into(),
        ],
        |row| {
            let job = row.get::<i64>(1)?;
            let of_batch = match row.optional::<String>(5)? {
                Some(age) => format!("; its oldest batch has been in flight for {age}"),
                None => String::new(),
            };
            let finding = Finding::new(
                Severity::Warning,
                Cause::JobStalled,
                format!(
                    "job {job} (client {}, {}) has not moved since {}{of_batch}",
                    row.get::<i64>(2)?,
                    row.get::<String>(3)?,
                    row.get::<String>(4)?,
                ),
                format!(
                    "vb_worker_status says what the worker is at; select * from vb_check_provider('{}') tries the provider; \
                     select vb_pause({job}), then vb_resume({job}), begins anew what it has in flight.",
                    row.optional::<String>(6)?.unwrap_or_default()
                ),
            );
            Ok(finding.of_job(job, row.get(2)?))
        },
    )
}

/// Jobs of the last day that set ten records and more than one in twenty aside.
fn many_failed(installation: &Installation, sight: &Sight) -> Result<Vec<Finding>> {
    spi::read(
        &installation.sql(include_str!("../../../sql/query/health_failed_records.sql")),
        &[sight.sees_all().into(), sight.reads.clone().into()],
        |row| {
            let job = row.get::<i64>(1)?;
            let finding = Finding::new(
                Severity::Warning,
                Cause::ManyFailedRecords,
                format!(
                    "job {job} (client {}, {}) set {} of {} records aside",
                    row.get::<i64>(2)?,
                    row.get::<String>(3)?,
                    row.get::<i64>(4)?,
                    row.get::<i64>(5)?,
                ),
                format!(
                    "select error_class, message, count(*) from vb_error_report where job_id = {job} group by 1, 2 order by 3 \
                     desc; says why. Put that right, then: select vb_retry_failed({job});"
                ),
            );
            Ok(finding.of_job(job, row.get(2)?))
        },
    )
}
