//! A look at the source of a job: what is to embed, what is gone, and whether there is a reason to end the look.

use std::collections::{HashMap, HashSet};

use pgrx::pg_sys::Oid;
use uuid::Uuid;

use super::active_job::JobContext;
use super::budgets::ClientBudgets;
use super::provider_choice::Ask;
use crate::catalog::counted;
use crate::catalog::errors::{self, DeadLetter, ErrorClass};
use crate::catalog::installation::Installation;
use crate::catalog::jobs::{self, Job};
use crate::catalog::references::Owner;
use crate::catalog::source_access;
use crate::error::{Result, VbError};
use crate::pg::{lock, signal};
use crate::settings::Settings;
use crate::source::describe::{Source, describe};
use crate::source::gone;
use crate::source::pages::LONGEST_RECORD_ID;
use crate::source::work_list::{self, Comparison, Scope, WorkList};

/// Parts of the memory limit that the record ids of one job may take.
const WINDOW_SHARE: usize = 64;

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

impl Surroundings<'_> {
    /// Bytes of record ids that a job may keep.
    fn window(&self) -> usize {
        self.settings.memory_limit / WINDOW_SHARE
    }

    /// An error when there is a reason to end a long look at a source.
    fn go_on(&self, installation: &Installation, job: i64) -> Result<()> {
        signal::check_interrupts();
        if signal::termination_requested() {
            return Err(VbError::interrupted("the worker is to end"));
        }
        if lock::is_database_wanted(self.database) {
            return Err(VbError::interrupted("somebody wants the database without sessions"));
        }
        let standings = jobs::standings(installation, &[job])?;
        if standings.iter().any(|standing| standing.state.is_runnable()) {
            return Ok(());
        }
        Err(stopped(job))
    }
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
pub(super) struct Found {
    /// The records to embed or to change.
    pub(super) work_list: WorkList,
    /// Those whose points are to go.
    pub(super) gone: Vec<String>,
}

/// Finds what is to do for a job, without the records in `skip`, which are in work already. Records that can never be
/// embedded are set aside.
pub(super) fn look(
    installation: &Installation,
    surroundings: &Surroundings<'_>,
    source: &Source,
    job: &Job,
    scope: &Scope,
    skip: &HashSet<String>,
) -> Result<Found> {
    let go_on = || surroundings.go_on(installation, job.id);
    let work_list = work_list::scan(installation, source, scope, surroundings.window(), skip, &go_on)?;
    let gone = if work_list.has_gone {
        gone::find(installation, source, scope, GONE_WINDOW, &go_on)?
    } else {
        Vec::new()
    };
    // The rights with which all this was read.
    source_access::require_readable(source.oid, &source.name, job.asked_by, job.role)?;
    set_aside_too_long(installation, job.id, &work_list)?;
    if scope.comparison == Comparison::Texts {
        let owner = Owner {
            client_id: job.client_id,
            source: job.source,
            vector_type: &job.vector_type,
        };
        counted::set(
            installation,
            owner,
            work_list.rows.saturating_sub(work_list.without_text),
        )?;
    }
    Ok(Found { work_list, gone })
}

fn set_aside_too_long(installation: &Installation, job: i64, work_list: &WorkList) -> Result<()> {
    let letter = |record_id: &String| DeadLetter {
        record_id: record_id.clone(),
        content_hash: None,
        message: format!("its key is longer than {LONGEST_RECORD_ID} bytes; declare shorter key columns"),
    };
    let letters = work_list.too_long.iter().map(letter).collect();
    errors::set_aside(installation, job, ErrorClass::Source, 1, letters)
}
