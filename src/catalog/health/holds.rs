//! What somebody holds up on purpose, and schedules that could not begin.

use super::finding::{Cause, Finding, Severity};
use crate::catalog::access::Sight;
use crate::catalog::hours;
use crate::catalog::installation::Installation;
use crate::error::Result;
use crate::pg::{role, spi};
use crate::settings::Settings;

/// Work that somebody holds up on purpose: all of it, or backfills at this hour.
pub(super) fn findings(installation: &Installation, sight: &Sight) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    if Settings::current().paused {
        found.push(Finding::new(
            Severity::Warning,
            Cause::AllPaused,
            "vector_backfill.paused is on: nothing new is begun in any database",
            "alter system set vector_backfill.paused = off; select pg_reload_conf();",
        ));
    }
    let statement = installation.sql(include_str!("../../../sql/query/health_schedules.sql"));
    let schedules = role::as_owner(installation.owner, || {
        spi::read(&statement, &[], |row| {
            let (id, client, source) = (row.get::<i64>(1)?, row.get::<i64>(2)?, row.get::<String>(3)?);
            let (error, next) = (row.get::<String>(4)?, row.optional::<String>(5)?.unwrap_or_default());
            let error = match sight.reads(client) {
                true => error,
                false => "see vb_schedules".to_owned(),
            };
            let finding = Finding::new(
                Severity::Warning,
                Cause::ScheduleFailed,
                format!("schedule {id} (client {client}, {source}) did not begin: {error}"),
                format!("It is tried again at {next}; select vb_unschedule_backfill({id}) ends it."),
            );
            Ok(finding.of_client(Some(client)))
        })
    })?;
    found.extend(
        schedules
            .into_iter()
            .filter(|finding| finding.client.is_none_or(|client| sight.sees(client))),
    );
    for (client, until) in role::as_owner(installation.owner, || hours::closed_until(installation))? {
        if !client.is_none_or(|client| sight.sees(client)) {
            continue;
        }
        let (whose, argument) = match client {
            Some(client) => (format!("client {client}"), format!(", client_id => {client}")),
            None => ("all clients".to_owned(), String::new()),
        };
        let finding = Finding::new(
            Severity::Info,
            Cause::HoursClosed,
            format!("backfills of {whose} are closed until {until}"),
            format!("They go on by themselves then; select vb_set_window(null, null{argument}) opens them now."),
        );
        found.push(finding.of_client(client));
    }
    Ok(found)
}
