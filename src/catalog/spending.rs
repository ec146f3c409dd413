//! What jobs and clients may spend on embeddings, and what they did.

use std::time::Duration;

use pgrx::{AnyNumeric, PgSqlErrorCode};
use serde::Deserialize;
use serde_json::json;
use vb_engine::budget::{Amount, Limits};
use vb_engine::client_budgets::{Day, SearchSpending};

use super::access::{self, Level};
use super::audit::Deed;
use super::installation::Installation;
use super::job_request::check_range;
use crate::error::{Result, VbError};
use crate::pg::spi::Row;
use crate::pg::{role, spi};

/// The most that may be spent, as users say it; `None` is no limit.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SpendingLimits {
    /// Tokens.
    pub(crate) tokens: Option<i64>,
    /// Money.
    pub(crate) cost: Option<AnyNumeric>,
}

impl SpendingLimits {
    /// An error unless a job with these limits could do anything.
    pub(crate) fn check_job(&self) -> Result<()> {
        self.check("max_tokens", "max_cost", 1)
    }

    fn check(&self, tokens_name: &str, cost_name: &str, least_tokens: i64) -> Result<()> {
        let least = if least_tokens > 0 { "more than 0" } else { "at least 0" };
        let refused = |name: &str, value: &dyn std::fmt::Display| {
            Err(VbError::invalid(format!("{name} is {value} and must be {least}"))
                .hint(format!("Leave {name} out for no limit.")))
        };
        match (self.tokens, &self.cost) {
            (Some(tokens), _) if tokens < least_tokens => refused(tokens_name, &tokens),
            (_, Some(cost)) if !is_amount(cost, least_tokens > 0) => refused(cost_name, cost),
            _ => Ok(()),
        }
    }
}

/// Whether it is a finite sum of money, and one to spend if it has to be.
pub(crate) fn is_amount(cost: &AnyNumeric, positive: bool) -> bool {
    let value = f64::try_from(cost.clone()).unwrap_or(f64::NAN);
    value.is_finite() && (value > 0.0 || (value == 0.0 && !positive))
}

/// After the end of a day, so that the next one has surely begun.
pub(crate) const AFTER_MIDNIGHT: Duration = Duration::from_secs(1);

/// A client's day, as the query gives it.
#[derive(Deserialize)]
struct StoredDay {
    client_id: i64,
    date: String,
    seconds_left: f64,
    max_tokens: Option<u64>,
    max_cost: Option<f64>,
    tokens: u64,
    cost: f64,
}

impl From<StoredDay> for Day {
    fn from(stored: StoredDay) -> Self {
        let StoredDay { client_id, date, .. } = stored;
        Self {
            client_id,
            left: Duration::try_from_secs_f64(stored.seconds_left).unwrap_or_default() + AFTER_MIDNIGHT,
            limits: Limits {
                tokens: stored.max_tokens,
                cost: stored.max_cost,
            },
            spent: Amount {
                tokens: stored.tokens,
                cost: stored.cost,
            },
            name: format!("client {client_id} on {date} (UTC)"),
            remedy: format!("It goes on with the next day, or when vb_set_client_limits({client_id}, …) raises it."),
            date,
        }
    }
}

/// The present day of these clients, as it is at this moment whatever the transaction sees.
pub(crate) fn days(installation: &Installation, clients: &[i64]) -> Result<Vec<Day>> {
    let statement = installation.sql(include_str!("../../sql/query/client_spending.sql"));
    let found = spi::latest_text(&statement, clients)?.unwrap_or_default();
    let stored: Vec<StoredDay> =
        serde_json::from_str(&found).map_err(|error| VbError::internal(format!("no days of clients: {error}")))?;
    Ok(stored.into_iter().map(Day::from).collect())
}

/// The present day of a client.
pub(crate) fn day(installation: &Installation, client_id: i64) -> Result<Day> {
    let day = days(installation, &[client_id])?.into_iter().next();
    day.ok_or_else(|| VbError::internal("a client has no day"))
}

/// What a job may spend, and what it did.
#[derive(Debug)]
pub(crate) struct JobSpending {
    /// The job.
    pub(crate) job: i64,
    /// The most that it may spend.
    pub(crate) limits: Limits,
    /// What is spent already.
    pub(crate) spent: Amount,
    /// What its provider takes for a token.
    pub(crate) cost_per_token: f64,
}

/// What these jobs may spend, and what they did.
pub(crate) fn of_jobs(installation: &Installation, jobs: &[i64]) -> Result<Vec<JobSpending>> {
    spi::read(
        &installation.sql(include_str!("../../sql/query/job_spending.sql")),
        &[jobs.to_vec().into()],
        |row| {
            Ok(JobSpending {
                job: row.get(1)?,
                limits: limits(row, 2)?,
                spent: amount(row, 4)?,
                cost_per_token: row.get(6)?,
            })
        },
    )
}

/// Keeps a client's limits, if it has any, as they are until the transaction has ended.
pub(crate) fn lock_client(installation: &Installation, client_id: i64) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/client_limits_lock.sql")),
        &[client_id.into()],
    )
    .map(|_| ())
}

/// What is left of the records that a client may embed in a day.
#[derive(Debug)]
pub(crate) struct RecordsLeft {
    /// How many it may embed.
    pub(crate) most: i64,
    /// How many of them are left.
    pub(crate) left: i64,
    /// The day in UTC.
    pub(crate) date: String,
    /// Time until it ends.
    pub(crate) renewed_in: Duration,
}

/// What is left of the present day's; `None` when there is no limit.
pub(crate) fn records_left(installation: &Installation, client_id: i64) -> Result<Option<RecordsLeft>> {
    let statement = installation.sql(include_str!("../../sql/query/client_records_left.sql"));
    spi::read_first(&statement, &[client_id.into()], |row| {
        let most: i64 = row.get(1)?;
        Ok(RecordsLeft {
            most,
            left: (most - row.get::<i64>(2)?).max(0),
            date: row.get(4)?,
            renewed_in: Duration::try_from_secs_f64(row.get(3)?).unwrap_or_default(),
        })
    })
}

/// An error when a client has as many collections as it may have.
pub(crate) fn require_room_for_collection(installation: &Installation, client_id: i64) -> Result<()> {
    let statement = installation.sql(include_str!("../../sql/query/client_collections.sql"));
    let limit = spi::read_first(&statement, &[client_id.into()], |row| {
        Ok((row.get::<i32>(1)?, row.get::<i64>(2)?))
    })?;
    match limit {
        Some((most, has)) if has >= i64::from(most) => Err(VbError::new(
            PgSqlErrorCode::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
            format!("client {client_id} has {has} collections and may have {most}"),
        )
        .hint(format!(
            "An administrator raises that with vb_set_client_limits({client_id}, max_collections => …)."
        ))),
        _ => Ok(()),
    }
}

/// Counts what a batch of a client spent and embedded.
pub(crate) fn add(
    installation: &Installation,
    client_id: i64,
    provider: &str,
    tokens: i64,
    records: i64,
) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/client_usage_add.sql")),
        &[client_id.into(), provider.into(), tokens.into(), records.into()],
    )
    .map(|_| ())
}

/// Counts what searches spent for a client, unless nothing is left of it.
pub(crate) fn add_searches(installation: &Installation, spent: &SearchSpending) -> Result<()> {
    let Amount { tokens, cost } = spent.amount;
    spi::run(
        &installation.sql(include_str!("../../sql/query/client_searches_add.sql")),
        &[
            spent.client_id.into(),
            spent.provider.as_str().into(),
            i64::try_from(tokens).unwrap_or(i64::MAX).into(),
            cost.into(),
        ],
    )
    .map(|_| ())
}

/// The most that a client may do; `None` is no limit.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ClientLimits {
    /// What it may spend in a day.
    pub(crate) spending: SpendingLimits,
    /// Records that are embedded in a second.
    pub(crate) records_per_second: Option<i32>,
    /// Backfills that run at a time.
    pub(crate) jobs: Option<i32>,
    /// Records that are embedded in a day.
    pub(crate) records_per_day: Option<i64>,
    /// Collections that it has.
    pub(crate) collections: Option<i32>,
}

/// How many records a second clients may embed that are bounded.
pub(crate) fn paces(installation: &Installation) -> Result<Vec<(i64, u32)>> {
    spi::read(
        &installation.sql(include_str!("../../sql/query/client_paces.sql")),
        &[],
        |row| Ok((row.get(1)?, row.get::<i32>(2)?.unsigned_abs())),
    )
}

/// Says anew what a client may do. Jobs that wait for the next day look again; says whether there are any.
pub(crate) fn set_client_limits(installation: &Installation, client_id: i64, limits: &ClientLimits) -> Result<bool> {
    if client_id < 0 {
        return Err(
            VbError::invalid(format!("client_id is {client_id} and must not be negative"))
                .hint("Clients are numbered from 0."),
        );
    }
    access::require_all(installation, Level::Admin, "set what clients may do")?;
    limits.spending.check("max_tokens_per_day", "max_cost_per_day", 0)?;
    check_range("max_records_per_second", limits.records_per_second, 1, 1_000_000)?;
    check_range("max_jobs", limits.jobs, 1, 8)?;
    check_range("max_collections", limits.collections, 0, i32::MAX)?;
    if let Some(records) = limits.records_per_day.filter(|records| *records < 0) {
        return Err(
            VbError::invalid(format!("max_records_per_day is {records} and must be at least 0"))
                .hint("Leave it out for no limit."),
        );
    }
    let detail = json!({
        "max_tokens_per_day": limits.spending.tokens,
        "max_cost_per_day": limits.spending.cost.as_ref().map(ToString::to_string),
        "max_records_per_second": limits.records_per_second, "max_jobs": limits.jobs,
        "max_records_per_day": limits.records_per_day, "max_collections": limits.collections,
    });
    Deed::new("set_client_limits")
        .client(client_id)
        .detail(detail)
        .note(installation)?;
    role::as_owner(installation.owner, || {
        if *limits == ClientLimits::default() {
            spi::run(
                &installation.sql(include_str!("../../sql/query/client_limits_drop.sql")),
                &[client_id.into()],
            )?;
        } else {
            spi::run(
                &installation.sql(include_str!("../../sql/query/client_limits_set.sql")),
                &[
                    client_id.into(),
                    limits.spending.tokens.into(),
                    limits.spending.cost.clone().into(),
                    limits.records_per_second.into(),
                    limits.jobs.into(),
                    limits.records_per_day.into(),
                    limits.collections.into(),
                ],
            )?;
        }
        let woken = spi::run(
            &installation.sql(include_str!("../../sql/query/jobs_of_client_wake.sql")),
            &[client_id.into()],
        )?;
        Ok(woken > 0)
    })
}

/// Limits in two columns.
fn limits(row: &Row<'_>, column: usize) -> Result<Limits> {
    let tokens: Option<i64> = row.optional(column)?;
    Ok(Limits {
        tokens: tokens.and_then(|tokens| u64::try_from(tokens).ok()),
        cost: row.optional(column + 1)?,
    })
}

/// An amount in two columns.
fn amount(row: &Row<'_>, column: usize) -> Result<Amount> {
    Ok(Amount {
        tokens: u64::try_from(row.get::<i64>(column)?).unwrap_or(0),
        cost: row.get(column + 1)?,
    })
}
