//! What a backfill of several sources would do and what it would cost: nothing is written, no provider is called.

use std::collections::HashSet;

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;
use vb_engine::policy::choice::{self, Preference};
use vb_engine::policy::estimate::{Sample, tokens};
use vb_engine::provider::config::ProviderConfig;
use vb_engine::service::protocol::{Answer, Request};

use super::request::{ask, unexpected};
use crate::catalog::access::{self, Level};
use crate::catalog::collections;
use crate::catalog::installation::Installation;
use crate::catalog::plan::{self, Price};
use crate::catalog::references::Owner;
use crate::catalog::source_access;
use crate::error::{Result, VbError};
use crate::fault::Fault;
use crate::pg::{notice, role, signal, transaction};
use crate::settings::Settings;
use crate::source::columns::Relation;
use crate::source::describe::{Source, describe};
use crate::source::reader::{self, RowText};
use crate::source::work_list::{self, Comparison, Scope, WorkList};
use crate::worker::provider_choice::{self, ProviderChoice, Wish};

/// Records whose tokens are counted.
const SAMPLE: usize = 400;

/// Bytes of their texts together, so that they fit into one question to the worker.
const SAMPLE_BYTES: usize = 2 * 1024 * 1024;

/// Bytes of record ids among which the sample is chosen.
const WINDOW: usize = 16 * 1024 * 1024;

/// What a backfill of one source would do.
#[derive(Debug)]
pub(crate) struct Planned {
    /// The source.
    pub(crate) source: Oid,
    /// Higher goes first.
    pub(crate) priority: i32,
    /// Rows of the client.
    pub(crate) records: u64,
    /// Those that have no vector of their present text, or other payload columns.
    pub(crate) needed: u64,
    /// What `auto` means for so many.
    pub(crate) preference: Preference,
    /// The provider; `None` when none is available.
    pub(crate) provider: Option<String>,
    /// Records a batch.
    pub(crate) batch_size: u32,
    /// Tokens of what is needed; `None` when nobody could count them.
    pub(crate) tokens: Option<f64>,
    /// What the provider takes for them.
    pub(crate) cost: Option<f64>,
    /// How long it takes, in seconds.
    pub(crate) seconds: Option<f64>,
    /// Why this provider, or why none.
    pub(crate) reason: String,
}

/// Plans a client's backfill: of the given sources, or of all registered ones that the caller may read. Those without
/// rows of the client are left out; the most urgent comes first.
pub(crate) fn plan(
    installation: &Installation,
    client_id: i64,
    sources: Option<Vec<Oid>>,
    vector_type: &str,
) -> Result<Vec<Planned>> {
    if client_id < 0 {
        return Err(
            VbError::invalid(format!("client_id is {client_id} and must not be negative"))
                .hint("Clients are numbered from 0."),
        );
    }
    access::require(installation, client_id, Level::Read)?;
    let mut planned = Vec::new();
    for listed in plan::sources(installation, sources.as_deref())? {
        let relation = Relation::read(listed.source)?;
        if let Err(error) = source_access::require_select(listed.source, &relation.qualified) {
            if sources.is_none() {
                continue;
            }
            return Err(error);
        }
        let source = match describe(installation, listed.source, vector_type) {
            // Not every source has every kind of text.
            Err(_) if sources.is_none() => continue,
            described => described?,
        };
        match plan_source(installation, client_id, &source, vector_type, listed.priority) {
            Ok(one) => planned.extend(one),
            // One that the caller did not name keeps none from him.
            Err(error) if sources.is_none() && error.code == PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE => {
                notice::warn(
                    VbError::denied(format!("{} is left out: {}", source.name, error.message))
                        .hint(error.hint.unwrap_or_default()),
                );
            }
            Err(error) => return Err(error),
        }
    }
    planned.sort_by_key(|one| std::cmp::Reverse(one.priority));
    Ok(planned)
}

/// `None` when the client has no rows there.
fn plan_source(
    installation: &Installation,
    client_id: i64,
    source: &Source,
    vector_type: &str,
    priority: i32,
) -> Result<Option<Planned>> {
    let settings = Settings::current();
    let asking = role::current();
    let acting = source_access::acting_role(asking, source.owner);
    source_access::require_readable(source.oid, &source.name, asking, acting)?;
    let owner = Owner {
        client_id,
        source: source.oid,
        vector_type,
    };
    let collection = role::as_owner(installation.owner, || collections::active(installation, owner))?;
    let mut scope = Scope::of_serving(acting, owner, collection.as_ref());
    let go_on = || {
        signal::check_interrupts();
        Ok(())
    };
    let scan = |scope: &Scope| {
        role::as_owner(installation.owner, || {
            work_list::scan(installation, source, scope, WINDOW, &HashSet::new(), &go_on)
        })
    };
    // As a job does when the text of some row cannot be computed.
    let (found, unreadable) = match transaction::attempt(|| scan(&scope)) {
        Err(error) if Fault::of(&error) == Fault::Record => {
            scope.comparison = Comparison::Keys;
            (scan(&scope)?, Some(error.message))
        }
        found => (found?, None),
    };
    if found.rows == 0 {
        return Ok(None);
    }
    let preference = Preference::Auto.resolve(found.rows);
    let wish = Wish {
        client_id,
        requested: None,
        preference: Preference::Auto,
    };
    let pinned = collection.as_ref().filter(|_| found.references > 0);
    let chosen = provider_choice::choose(installation, &settings, &|_| None, &wish, pinned, found.rows);
    let mut planned = Planned {
        source: source.oid,
        priority,
        records: found.rows,
        needed: found.needed,
        preference,
        provider: None,
        batch_size: choice::batch_size(found.rows),
        tokens: None,
        cost: None,
        seconds: None,
        reason: String::new(),
    };
    match chosen {
        Err(error) if Fault::of(&error) == Fault::Pause => planned.reason = error.message,
        Err(error) => return Err(error),
        Ok(ProviderChoice { provider, reason }) => {
            planned.reason = match &unreadable {
                Some(message) => format!("{reason}; tokens cannot be estimated: {message}"),
                None => reason,
            };
            if let (Ok(config), None) = (provider.available(), unreadable) {
                let sample = sample(source, acting, client_id, &found)?;
                let price = plan::price(installation, &provider.name)?;
                estimate(&mut planned, &found, sample, config, source, &price)?;
            }
            planned.provider = Some(provider.name);
        }
    }
    Ok(Some(planned))
}

/// Texts of records spread evenly over all that need work.
fn sample(source: &Source, acting: Oid, client_id: i64, found: &WorkList) -> Result<Vec<String>> {
    let count = found.record_ids.len().min(SAMPLE);
    let record_ids: Vec<String> = (0..count)
        .map(|number| found.record_ids[number * found.record_ids.len() / count].clone())
        .collect();
    if record_ids.is_empty() {
        return Ok(Vec::new());
    }
    let read = reader::read(source, acting, client_id, &record_ids, SAMPLE_BYTES)?;
    let texts = read.rows.into_iter().filter_map(|row| match row.text {
        RowText::Text(text, _) => Some(text),
        RowText::Missing | RowText::TooLong(_) | RowText::PayloadTooLong(_) => None,
    });
    Ok(texts.collect())
}

/// Fills in tokens, cost and time.
fn estimate(
    planned: &mut Planned,
    found: &WorkList,
    texts: Vec<String>,
    config: &ProviderConfig,
    source: &Source,
    price: &Price,
) -> Result<()> {
    let lengths: Vec<usize> = texts.iter().map(String::len).collect();
    let estimated = if texts.is_empty() {
        0.0
    } else {
        let request = Request::CountTokens {
            provider: config.clone(),
            texts,
        };
        let (counts, window) = match ask(&request)? {
            Answer::Tokens { counts, window } => (counts, window),
            other => return Err(unexpected(&other)),
        };
        tokens(&Sample {
            lengths: &lengths,
            counts: &counts,
            window,
            chunking: source.chunking,
            records: found.to_embed,
            bytes: found.embed_bytes,
        })
    };
    planned.tokens = Some(estimated);
    planned.cost = Some(estimated * price.per_million_tokens / 1e6);
    planned.seconds = match (price.tokens_per_second, price.records_per_second) {
        (Some(rate), _) if rate > 0.0 => Some(estimated / rate),
        (_, Some(rate)) if rate > 0.0 => Some(found.needed as f64 / rate),
        _ => None,
    };
    Ok(())
}
