//! A look at the source of a job: what is to embed, what is gone, and whether there is a reason to end the look.

use std::collections::{HashMap, HashSet};

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vb_engine::client_budgets::ClientBudgets;

use super::active_job::JobContext;
use super::look_order::Order;
use super::provider_choice::Ask;
use crate::catalog::counted;
use crate::catalog::errors::{self, DeadLetter, ErrorClass};
use crate::catalog::installation::Installation;
use crate::catalog::jobs;
use crate::catalog::references::Owner;
use crate::catalog::source_access;
use crate::error::{Result, VbError};
use crate::pg::{lock, signal, time_limit, transaction};
use crate::settings::Settings;
use crate::source::describe::{Source, describe};
use crate::source::gone;
use crate::source::pages::{self, LONGEST_RECORD_ID};
use crate::source::work_list::{self, Comparison, Scope, WorkList};

/// Parts of the memory limit that the record ids of one job may take.
const WINDOW_SHARE: usize = 64;

/// From so many rows on, or from so much work on, as the planner counts it, others do not wait for a look: a million short rows
/// take two seconds to ten, so these are some 50 to 200 ms.
const MANY_ROWS: f64 = 20_000.0;
const HIGH_COST: f64 = 20_000.0;

/// Gone records kept at a time.
const GONE_WINDOW: usize = 100_000;

/// What looking at a source needs besides the job.
pub(crate) struct Surroundings<'a> {
    /// The database of this worker.
    pub(crate) database: Oid,
    /// Settings of this moment.
    pub(crate) settings: &'a Settings,
    /// Namespace of point ids.
    pub(crate) namespace: Uuid,
    /// What clients may spend.
    pub(crate) budgets: &'a ClientBudgets,
    /// How providers are.
    pub(crate) trouble: Ask<'a>,
}

/// Bytes of record ids that a job may keep.
fn window(settings: &Settings) -> usize {
    settings.memory_limit / WINDOW_SHARE
}

/// An error when there is a reason to end a long look at a source.
fn go_on(installation: &Installation, database: Oid, job: i64) -> Result<()> {
    signal::check_interrupts();
    if signal::termination_requested() {
        return Err(VbError::interrupted("the worker is to end"));
    }
    if lock::is_database_wanted(database) {
        return Err(VbError::interrupted("somebody wants the database without sessions"));
    }
    let standings = jobs::standings(installation, &[job])?;
    if standings.iter().any(|standing| standing.state.is_runnable()) {
        return Ok(());
    }
    Err(stopped(job))
}

/// The error for a job that somebody stopped meanwhile.
pub(super) fn stopped(job: i64) -> VbError {
    VbError::interrupted(format!("job {job} was stopped"))
}

/// Jobs whose source has another name, key, filter or text than they work with. Each source is looked at once.
pub(super) fn changed<'a>(installation: &Installation, contexts: impl Iterator<Item = &'a JobContext>) -> Vec<i64> {
    let mut sources: HashMap<(Oid, &str), Option<Source>> = HashMap::new();
    let mut changed = Vec::new();
    for context in contexts {
        let (source, vector_type) = (context.job.source, context.job.vector_type.as_str());
        let now = sources
            .entry((source, vector_type))
            .or_insert_with(|| describe(installation, source, vector_type).ok());
        if now.as_ref() != Some(&context.source) {
            changed.push(context.job.id);
        }
    }
    changed
}

/// Whether the source of an active job still has the name, key, filter and text that the job works with.
pub(crate) fn is_unchanged(installation: &Installation, context: &JobContext) -> bool {
    describe(installation, context.job.source, &context.job.vector_type).is_ok_and(|source| source == context.source)
}

/// What a look at a source found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    /// The records to embed or to change.
    pub(crate) work_list: WorkList,
    /// Those whose points are to go.
    pub(crate) gone: Vec<String>,
    /// How many records of the job were set aside when the look began.
    pub(crate) failed: i64,
}

/// What came of asking for one.
pub(super) enum Looked {
    /// It was made.
    Found(Found),
    /// It may take long.
    TakesLong(Box<Order>),
}

/// Who makes a look.
pub(crate) enum Look {
    /// This process, unless it may take long.
    IfShort,
    /// This process, since there is nobody else.
    Anyway,
    /// It was made, to this order.
    Made(Box<Found>, Box<Order>),
}

impl Look {
    /// What it finds, unless it may take long. Records that can never be embedded are set aside.
    pub(super) fn make(
        self,
        installation: &Installation,
        surroundings: &Surroundings<'_>,
        source: &Source,
        scope: &Scope,
        asked_by: Oid,
        skip: &HashSet<String>,
    ) -> Result<Looked> {
        let window = window(surroundings.settings);
        let go_on = || go_on(installation, surroundings.database, scope.job_id);
        let look = || find(installation, source, scope, asked_by, window, skip, &go_on);
        let found = match self {
            Self::Made(found, order) if order.is_for(source, scope) => found.without(skip),
            Self::Made(..) => {
                return Err(VbError::interrupted(
                    "the source is not what it was when it was looked at",
                ));
            }
            Self::IfShort => {
                let limit = surroundings.settings.source_timeout;
                let short = || time_limit::reading(&source.name, limit, look);
                let found = match takes_long(installation, source, scope)? {
                    true => None,
                    false => match transaction::attempt(short) {
                        // The planner knows nothing of what functions take.
                        Err(error) if error.code == PgSqlErrorCode::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED => None,
                        found => Some(found?),
                    },
                };
                let Some(found) = found else {
                    let skip = skip.iter().cloned().collect();
                    let order = Order::new(surroundings.namespace, asked_by, source, scope, skip, window);
                    return Ok(Looked::TakesLong(Box::new(order)));
                };
                found
            }
            Self::Anyway => look()?,
        };
        set_aside_too_long(installation, scope.job_id, &found.work_list)?;
        if scope.comparison == Comparison::Texts {
            let with_text = found.work_list.rows.saturating_sub(found.work_list.without_text);
            counted::set(installation, owner(source, scope), with_text)?;
        }
        Ok(Looked::Found(found))
    }
}

fn owner<'a>(source: &Source, scope: &'a Scope) -> Owner<'a> {
    Owner {
        client_id: scope.client_id,
        source: source.oid,
        vector_type: &scope.vector_type,
    }
}

impl Found {
    /// All but records that came into work since.
    fn without(mut self, skip: &HashSet<String>) -> Self {
        let before = self.work_list.record_ids.len();
        self.work_list.record_ids.retain(|record_id| !skip.contains(record_id));
        self.work_list.needed -= (before - self.work_list.record_ids.len()) as u64;
        self
    }
}

/// Whether a look may take so long that others should not wait for it: there are many rows, or many whose references may have
/// to be looked for.
fn takes_long(installation: &Installation, source: &Source, scope: &Scope) -> Result<bool> {
    let expected = pages::expected(source, scope)?;
    let known = counted::known(installation, owner(source, scope))?;
    Ok(expected.rows.max(known as f64) >= MANY_ROWS || expected.cost >= HIGH_COST)
}

/// Finds what is to do for a job, without the records in `skip`, which are in work already, with as many bytes of record ids as
/// the window takes. Writes nothing. `go_on` is asked now and then, and its error ends the look.
pub(super) fn find(
    installation: &Installation,
    source: &Source,
    scope: &Scope,
    asked_by: Oid,
    window: usize,
    skip: &HashSet<String>,
    go_on: &dyn Fn() -> Result<()>,
) -> Result<Found> {
    source_access::keep(source.oid, &source.name)?;
    let failed = jobs::failed(installation, scope.job_id)?;
    let work_list = work_list::scan(installation, source, scope, window, skip, go_on)?;
    let gone = if work_list.has_gone {
        gone::find(installation, source, scope, GONE_WINDOW, go_on)?
    } else {
        Vec::new()
    };
    // The rights with which all this was read.
    source_access::require_rights(installation, source, scope.client_id, asked_by, scope.role)?;
    Ok(Found {
        work_list,
        gone,
        failed,
    })
}

/// Records that can never be embedded.
fn set_aside_too_long(installation: &Installation, job: i64, work_list: &WorkList) -> Result<()> {
    let letter = |record_id: &String| DeadLetter {
        record_id: record_id.clone(),
        content_hash: None,
        message: format!("its key is longer than {LONGEST_RECORD_ID} bytes; declare shorter key columns"),
    };
    let letters = work_list.too_long.iter().map(letter).collect();
    errors::set_aside(installation, job, ErrorClass::Source, 1, letters)
}
