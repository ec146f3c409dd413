//! Hours in which no backfill works.

use pgrx::datum::Time;
use serde_json::json;

use super::access::{self, Level};
use super::audit::Deed;
use super::installation::Installation;
use super::local_time;
use crate::error::{Result, VbError};
use crate::pg::{role, spi, transaction};

/// Whose hours are closed at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Closed {
    /// Those of all clients.
    pub(crate) everybody: bool,
    /// Those of these clients.
    pub(crate) clients: Vec<i64>,
}

impl Closed {
    /// Whether a client's are.
    pub(crate) fn is_for(&self, client: i64) -> bool {
        self.everybody || self.clients.contains(&client)
    }
}

/// Whose are closed now.
pub(crate) fn closed(installation: &Installation) -> Result<Closed> {
    let mut closed = Closed::default();
    for (client, _) in closed_until(installation)? {
        match client {
            Some(client) => closed.clients.push(client),
            None => closed.everybody = true,
        }
    }
    Ok(closed)
}

/// Whose are closed now, without a client those of all, and until when.
pub(crate) fn closed_until(installation: &Installation) -> Result<Vec<(Option<i64>, String)>> {
    let windows = spi::read(
        &installation.sql(include_str!("../../sql/query/windows.sql")),
        &[],
        |row| Ok((row.optional::<i64>(1)?, row.get::<String>(2)?)),
    )?;
    let statement = installation.sql(include_str!("../../sql/query/windows_closed.sql"));
    let mut closed = Vec::new();
    for (client, time_zone) in windows {
        // A time zone may have gone with an update of the system: that is no reason to stop everything.
        let until =
            transaction::attempt(|| spi::read_first(&statement, &[client.into()], |row| row.optional::<String>(1)));
        match until {
            Ok(Some(until)) => closed.push((client, format!("{} ({time_zone})", until.unwrap_or_default()))),
            Ok(None) => {}
            Err(error) => pgrx::log!(
                "vector_backfill takes hours in time zone {time_zone:?} for open: {}",
                error.message
            ),
        }
    }
    Ok(closed)
}

/// Closes hours of a client, or of all. To be called as the user.
pub(crate) fn close(
    installation: &Installation,
    client: Option<i64>,
    (from, until): (Time, Time),
    days: Vec<i32>,
    time_zone: Option<String>,
) -> Result<()> {
    check_client(installation, client)?;
    if from == until {
        return Err(VbError::invalid("closed_from and closed_until are the same")
            .hint("vb_pause and vector_backfill.paused hold work up at all hours."));
    }
    if days.is_empty() || !days.iter().all(|day| (1..=7).contains(day)) {
        return Err(
            VbError::invalid("days must be numbers from 1 (Monday) to 7 (Sunday), at least one")
                .hint("Leave days out for all of them."),
        );
    }
    let time_zone = local_time::now(time_zone)?.time_zone;
    let detail = json!({
        "closed_from": from.to_string(), "closed_until": until.to_string(), "days": days, "time_zone": time_zone,
    });
    Deed::new("set_window")
        .client(client)
        .detail(detail)
        .note(installation)?;
    role::as_owner(installation.owner, || {
        spi::run(
            &installation.sql(include_str!("../../sql/query/window_set.sql")),
            &[client.into(), from.into(), until.into(), days.into(), time_zone.into()],
        )
        .map(|_| ())
    })
}

/// Opens all hours of a client, or those that are closed for all.
pub(crate) fn open(installation: &Installation, client: Option<i64>) -> Result<()> {
    check_client(installation, client)?;
    Deed::new("drop_window").client(client).note(installation)?;
    role::as_owner(installation.owner, || {
        spi::run(
            &installation.sql(include_str!("../../sql/query/window_drop.sql")),
            &[client.into()],
        )
        .map(|_| ())
    })
}

fn check_client(installation: &Installation, client: Option<i64>) -> Result<()> {
    match client {
        Some(client) if client < 0 => Err(
            VbError::invalid(format!("client_id is {client} and must not be negative"))
                .hint("Clients are numbered from 0; NULL means all of them."),
        ),
        Some(client) => access::require(installation, client, Level::Write),
        None => access::require_all(installation, Level::Admin, "say when all backfills work"),
    }
}
