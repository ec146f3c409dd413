//! A wish for a backfill: what is right about it, and the job that comes of it.

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;
use serde_json::json;

use super::access::{self, Level};
use super::audit::Deed;
use super::installation::Installation;
use super::job_state::JobState;
use super::references::{self, Owner};
use super::spending::SpendingLimits;
use super::{providers, source_access, source_settings};
use crate::error::{Result, VbError};
use crate::pg::{notice, role, spi};
use crate::settings::Settings;
use crate::source::columns::Relation;
use crate::source::describe::{self, Source};

const PREFERENCES: [&str; 4] = ["auto", "fast", "balanced", "quality"];

/// The highest priority that sources have by the rules; more is more than a client's share.
const MOST_URGENT: i32 = 10;

/// How often a job that another session inserts and ends at the same moment is looked for again.
const TRIES: usize = 10;

/// What somebody asks for.
#[derive(Debug)]
pub(crate) struct JobRequest {
    /// Whose rows.
    pub(crate) client_id: i64,
    /// Of which table.
    pub(crate) source: Oid,
    /// Which text.
    pub(crate) vector_type: String,
    /// How a provider is chosen.
    pub(crate) preference: String,
    /// The provider, if it is to be this one.
    pub(crate) provider: Option<String>,
    /// Records a batch; `None` by the rules.
    pub(crate) batch_size: Option<i32>,
    /// How often a batch may fail for passing reasons.
    pub(crate) max_retries: i32,
    /// Higher goes first; `None` takes the source's.
    pub(crate) priority: Option<i32>,
    /// Whether vectors are made anew where they are up to date.
    pub(crate) reembed: bool,
    /// The most that it may spend.
    pub(crate) limits: SpendingLimits,
}

/// The job that serves a request.
#[derive(Debug)]
pub(crate) struct Enqueued {
    /// Its identity.
    pub(crate) job_id: i64,
    /// Where it is: queued when it is new.
    pub(crate) state: JobState,
    /// Arguments that it has other values of, having been there already.
    pub(crate) differing: Vec<&'static str>,
}

impl JobRequest {
    /// Inserts a job, or finds the unfinished one for the same client, source and vector type; one that makes vectors anew
    /// serves only those who ask for that. Registers the source.
    pub(crate) fn enqueue(&self, installation: &Installation) -> Result<Enqueued> {
        let source = self.check(installation)?;
        let asking = role::current();
        let acting = source_access::acting_role(asking, source.owner);
        source_access::require_readable(self.source, &source.name, asking, acting)?;
        role::as_owner(installation.owner, || {
            source_settings::register(installation, self.source, &self.vector_type)?;
            let owner = Owner {
                client_id: self.client_id,
                source: self.source,
                vector_type: &self.vector_type,
            };
            // Where nothing can be searched yet, nothing has to be kept while it is made anew.
            let reembed = self.reembed && references::any(installation, owner)?;
            for _ in 0..TRIES {
                // Looked for first, since every attempt to insert uses up a job id.
                let unfinished = unfinished(installation, owner, reembed)?;
                if let Some(Unfinished { job_id, state, wish }) = unfinished {
                    return Ok(Enqueued {
                        job_id,
                        state,
                        differing: self.differing(&wish),
                    });
                }
                if let Some(job_id) = self.insert(installation, &source, reembed, asking)? {
                    let detail = json!({
                        "vector_type": self.vector_type, "preference": self.preference, "provider": self.provider,
                        "reembed": reembed, "priority": self.priority,
                    });
                    Deed::new("enqueue")
                        .by(asking)
                        .client(self.client_id)
                        .job(job_id)
                        .subject(&source.name)
                        .detail(detail)
                        .note(installation)?;
                    return Ok(Enqueued {
                        job_id,
                        state: JobState::Queued,
                        differing: Vec::new(),
                    });
                }
            }
            Err(VbError::new(
                PgSqlErrorCode::ERRCODE_T_R_SERIALIZATION_FAILURE,
                format!(
                    "a job for client {} and {} is not visible to this transaction",
                    self.client_id, source.name
                ),
            )
            .hint("Another session enqueued it at the same moment; repeat the transaction."))
        })
    }

    /// Arguments that say something else than those of a job that is there already. What was left out agrees with
    /// everything.
    fn differing(&self, there: &Wish) -> Vec<&'static str> {
        [
            (
                "preference",
                self.preference != there.preference && self.preference != "auto",
            ),
            ("provider", self.provider.is_some() && self.provider != there.provider),
            (
                "batch_size",
                self.batch_size.is_some() && self.batch_size != there.batch_size,
            ),
            (
                "priority",
                self.priority.is_some_and(|priority| priority != there.priority),
            ),
            ("reembed", self.reembed && !there.reembed),
            (
                "max_tokens",
                self.limits.tokens.is_some() && self.limits.tokens != there.limits.tokens,
            ),
            (
                "max_cost",
                self.limits.cost.is_some() && self.limits.cost != there.limits.cost,
            ),
        ]
        .into_iter()
        .filter_map(|(argument, differs)| differs.then_some(argument))
        .collect()
    }

    /// An error that names the first thing that is wrong.
    pub(crate) fn check(&self, installation: &Installation) -> Result<Source> {
        if self.client_id < 0 {
            return Err(
                VbError::invalid(format!("client_id is {} and must not be negative", self.client_id))
                    .hint("Clients are numbered from 0; number 0 has the rows of sources without a client column."),
            );
        }
        access::require(installation, self.client_id, Level::Write)?;
        let relation = Relation::read(self.source)?;
        source_access::require_select(self.source, &relation.qualified)?;
        if !PREFERENCES.contains(&self.preference.as_str()) {
            return Err(VbError::invalid(format!("unknown preference {:?}", self.preference))
                .hint(format!("Use one of: {}.", PREFERENCES.join(", "))));
        }
        check_range("batch_size", self.batch_size, 1, 10_000)?;
        check_range("max_retries", Some(self.max_retries), 0, 100)?;
        check_priority(installation, self.priority)?;
        self.limits.check_job()?;
        self.check_provider(installation)?;
        describe::describe(installation, self.source, &self.vector_type)
    }

    fn check_provider(&self, installation: &Installation) -> Result<()> {
        let Some(name) = &self.provider else { return Ok(()) };
        let provider = providers::require_for(installation, &Settings::current(), name, Some(self.client_id))?;
        if !provider.enabled {
            return Err(VbError::wrong_state(format!("provider {name:?} is not enabled"))
                .hint("Enable it in vb_providers, or leave out the provider to get one by the rules."));
        }
        Ok(())
    }

    fn insert(&self, installation: &Installation, source: &Source, reembed: bool, asking: Oid) -> Result<Option<i64>> {
        spi::first(
            &installation.sql(include_str!("../../sql/query/job_insert.sql")),
            &[
                self.client_id.into(),
                self.source.into(),
                source.name.as_str().into(),
                self.vector_type.as_str().into(),
                self.preference.as_str().into(),
                self.provider.as_deref().into(),
                self.batch_size.into(),
                self.max_retries.into(),
                self.priority.into(),
                reembed.into(),
                asking.into(),
                self.limits.tokens.into(),
                self.limits.cost.clone().into(),
            ],
            |row| row.get(1),
        )
    }
}

/// Tells who enqueues that the unfinished job he gets does not do all that he asks for.
pub(crate) fn tell_of_differing(job_id: i64, differing: &[&str]) {
    notice::notice(
        VbError::new(
            PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
            format!(
                "job {job_id} is there already and keeps its own {}",
                differing.join(", ")
            ),
        )
        .hint(format!(
            "Enqueue again when it has ended, or after select vb_cancel({job_id})."
        )),
    );
}

/// Tells who enqueues that the unfinished job he gets will not move by itself.
pub(crate) fn tell_of_paused(job_id: i64) {
    notice::notice(
        VbError::new(
            PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
            format!("job {job_id} is there already and is paused"),
        )
        .hint(format!(
            "select vb_resume({job_id}) lets it go on; vb_job_status says why it is paused."
        )),
    );
}

/// An error unless the caller may give work this priority: it is a share of what all clients have.
pub(crate) fn check_priority(installation: &Installation, priority: Option<i32>) -> Result<()> {
    check_range("priority", priority, 1, 100)?;
    match priority {
        Some(priority) if priority > MOST_URGENT && !access::has_all(installation, Level::Write)? => {
            Err(VbError::denied(format!(
                "priority {priority} is for roles with write access to all clients"
            ))
            .hint(format!("Give at most {MOST_URGENT}, the most urgent by the rules.")))
        }
        _ => Ok(()),
    }
}

/// An error unless a value, when there is one, is within bounds.
pub(crate) fn check_range(argument: &str, value: Option<i32>, least: i32, most: i32) -> Result<()> {
    match value {
        Some(value) if !(least..=most).contains(&value) => Err(VbError::invalid(format!(
            "{argument} is {value} and must be between {least} and {most}"
        ))
        .hint(format!("Give a value in that range, or leave {argument} out."))),
        _ => Ok(()),
    }
}

/// What somebody wished for with a job that is there.
#[derive(Debug)]
pub(crate) struct Wish {
    preference: String,
    provider: Option<String>,
    batch_size: Option<i32>,
    priority: i32,
    reembed: bool,
    limits: SpendingLimits,
}

/// A job that has not ended.
#[derive(Debug)]
pub(crate) struct Unfinished {
    /// Its identity.
    pub(crate) job_id: i64,
    /// Where it is.
    pub(crate) state: JobState,
    /// What it was made for.
    wish: Wish,
}

/// The unfinished job that keeps a client's vectors of a source and type true, or with `reembed` the one that makes them anew.
/// To be called as the owner of the extension.
pub(crate) fn unfinished(installation: &Installation, owner: Owner<'_>, reembed: bool) -> Result<Option<Unfinished>> {
    spi::read_first(
        &installation.sql(include_str!("../../sql/query/job_unfinished.sql")),
        &[
            owner.client_id.into(),
            owner.source.into(),
            owner.vector_type.into(),
            reembed.into(),
        ],
        |row| {
            Ok(Unfinished {
                job_id: row.get(1)?,
                state: row.get::<String>(2)?.parse()?,
                wish: Wish {
                    preference: row.get(3)?,
                    provider: row.optional(4)?,
                    batch_size: row.optional(5)?,
                    priority: row.get(6)?,
                    reembed: row.get(7)?,
                    limits: SpendingLimits {
                        tokens: row.optional(8)?,
                        cost: row.optional(9)?,
                    },
                },
            })
        },
    )
}
