//! Search: the collection that answers, the provider that embeds the question, and the hits that the caller may see.

use std::borrow::Cow;
use std::collections::HashSet;

use pgrx::pg_sys::Oid;
use serde_json::Value;
use uuid::Uuid;
use vb_engine::client_budgets::Payer;
use vb_engine::provider::config::ProviderConfig;
use vb_engine::service::protocol::{Answer, Request, SearchHit, SearchMode};
use vb_engine::store::share::Condition;

use super::request::{ask, ask_anew, unexpected};
use crate::catalog::access::{self, Level};
use crate::catalog::collections::{self, Collection};
use crate::catalog::installation::Installation;
use crate::catalog::job_request::check_range;
use crate::catalog::providers::{self, Provider};
use crate::catalog::references::{self, Owner};
use crate::catalog::source_access;
use crate::catalog::spending;
use crate::error::{Result, VbError};
use crate::pg::{notice, role};
use crate::settings::Settings;
use crate::source::columns::Relation;
use crate::source::describe::{self, Source};
use crate::source::filter;
use crate::source::key::Matching;
use crate::source::live;

/// The most hits asked for at a time: with the longest snippets they still fit into one answer.
const MOST_HITS: usize = 5_000;

/// Bytes of a question.
const LONGEST_QUERY: usize = 64 << 10;

/// How much more is asked for when chunks of the same records, or records that the caller may not see, took the places.
const GROWTH: usize = 4;

/// What somebody searches for.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    /// Whose rows.
    pub(crate) client_id: i64,
    /// Of which table.
    pub(crate) source: Oid,
    /// Which text.
    pub(crate) vector_type: &'a str,
    /// In words.
    pub(crate) query: &'a str,
    /// Records wanted.
    pub(crate) k: i32,
    /// How to compare.
    pub(crate) mode: SearchMode,
    /// What the payload columns have to be, as JSON.
    pub(crate) filter: Option<&'a Value>,
}

/// How texts are compared, by the name that users give it.
pub(crate) fn mode(name: &str) -> Result<SearchMode> {
    match name {
        "dense" => Ok(SearchMode::Dense),
        "keyword" => Ok(SearchMode::Keyword),
        "hybrid" => Ok(SearchMode::Hybrid),
        _ => Err(VbError::invalid(format!("unknown search mode {name:?}"))
            .hint("Modes are 'dense' (by meaning), 'keyword' (by words) and 'hybrid' (by both).")),
    }
}

/// The records nearest to the question, best first, each with its best chunk. None when nothing was embedded yet.
pub(crate) fn search(installation: &Installation, question: &Question<'_>) -> Result<Vec<SearchHit>> {
    check_range("k", Some(question.k), 1, 1_000)?;
    if question.query.len() > LONGEST_QUERY {
        return Err(VbError::invalid(format!(
            "query has {} bytes; at most {LONGEST_QUERY} are taken",
            question.query.len()
        ))
        .hint("Models see a few thousand words of it: ask in fewer."));
    }
    if question.query.trim().is_empty() {
        return Err(VbError::invalid("query is empty").hint("Say in words what to look for."));
    }
    access::require(installation, question.client_id, Level::Read)?;
    let relation = Relation::read(question.source)?;
    source_access::require_select(question.source, &relation.qualified)?;
    let source = describe::describe(installation, question.source, question.vector_type)?;
    source_access::keep(source.oid, &source.name)?;
    let conditions = match question.filter {
        Some(wanted) => filter::conditions(&source, wanted)?,
        None => Vec::new(),
    };
    let owner = Owner {
        client_id: question.client_id,
        source: question.source,
        vector_type: question.vector_type,
    };
    let collection = role::as_owner(installation.owner, || collections::active(installation, owner))?;
    let Some(collection) = collection else {
        return Ok(Vec::new());
    };
    let embedder = match question.mode {
        SearchMode::Keyword => None,
        SearchMode::Dense | SearchMode::Hybrid => Some(embedder(installation, question.client_id, &collection)?),
    };
    let asked = Asked {
        installation,
        question,
        collection: &collection,
        conditions,
        embedder,
        id: Uuid::new_v4(),
    };

    let wanted = question.k as usize;
    let mut limit = wanted;
    let mut matching = Matching::Values;
    loop {
        let hits = asked.nearest(limit)?;
        if hits.is_empty()
            && role::as_owner(installation.owner, || references::any(installation, owner))?
            && is_empty(question, &collection)?
        {
            notice::warn(gone(&collection));
        }
        let is_all = hits.len() < limit || limit >= MOST_HITS;
        let mut found = visible(&source, question.client_id, best_chunks(hits), &mut matching)?;
        found.truncate(wanted);
        if found.len() == wanted || is_all {
            return Ok(found);
        }
        limit = (limit * GROWTH).min(MOST_HITS);
    }
}

/// Whether a collection in which a search found nothing has nothing: words, or what the filter wants, may just not be there.
fn is_empty(question: &Question<'_>, collection: &Collection) -> Result<bool> {
    if question.mode != SearchMode::Keyword && question.filter.is_none() {
        return Ok(true);
    }
    let request = Request::Count {
        place: collection.place(question.client_id),
    };
    match ask(&request)? {
        Answer::Count(count) => Ok(count == 0),
        other => Err(unexpected(&other)),
    }
}

/// What to say of a collection that has no vectors though some are recorded.
fn gone(collection: &Collection) -> VbError {
    VbError::wrong_state(format!(
        "collection {} has no vectors in the store, though some are recorded",
        collection.name
    ))
    .hint(
        "In a transaction that began before another collection took its place, begin a new one. Else the store has lost \
         them: vb_verify(…, repair => true) has them made again.",
    )
}

/// A question as it goes to the worker, for as many hits as it takes.
struct Asked<'a> {
    installation: &'a Installation,
    question: &'a Question<'a>,
    collection: &'a Collection,
    conditions: Vec<Condition>,
    /// Who embeds it; nobody where only words are compared.
    embedder: Option<Embedder>,
    /// Tells the worker that it is the same question once more.
    id: Uuid,
}

/// Who embeds a question.
struct Embedder {
    provider: ProviderConfig,
    cost_per_token: f64,
}

impl Asked<'_> {
    /// The best hits, at most so many.
    fn nearest(&self, limit: usize) -> Result<Vec<SearchHit>> {
        match ask_anew(&|| self.request(limit).map(Cow::Owned))? {
            Answer::Hits(hits) => Ok(hits),
            other => Err(unexpected(&other)),
        }
    }

    fn request(&self, limit: usize) -> Result<Request> {
        let (question, collection) = (self.question, self.collection);
        Ok(Request::Search {
            provider: self.embedder.as_ref().map(|embedder| embedder.provider.clone()),
            payer: self
                .embedder
                .as_ref()
                .map(|embedder| self.payer(embedder))
                .transpose()?,
            question: self.id,
            place: collection.place(question.client_id),
            dimensions: usize::try_from(collection.dimensions).ok(),
            query: question.query.to_owned(),
            limit,
            mode: question.mode,
            conditions: self.conditions.clone(),
        })
    }

    /// The client's day, as it is when the question is asked.
    fn payer(&self, embedder: &Embedder) -> Result<Box<Payer>> {
        let day = role::as_owner(self.installation.owner, || {
            spending::day(self.installation, self.question.client_id)
        })?;
        Ok(Box::new(Payer {
            day,
            cost_per_token: embedder.cost_per_token,
        }))
    }
}

/// A provider with the model that the collection is pinned to: the one that made it, or another one of the same model.
fn embedder(installation: &Installation, client_id: i64, collection: &Collection) -> Result<Embedder> {
    let settings = Settings::current();
    let mut candidates: Vec<Provider> = providers::of_client(installation, &settings, client_id)?
        .into_iter()
        .filter(|provider| provider.fits(collection))
        .collect();
    candidates.sort_by_key(|provider| provider.name != collection.provider);
    if candidates.is_empty() {
        return Err(VbError::wrong_state(format!(
            "no provider has the model {:?} of collection {}",
            collection.model, collection.name
        ))
        .hint(format!(
            "Restore provider {}, or enqueue a backfill with reembed => true to embed with another model.",
            collection.provider
        )));
    }
    let (provider, config) = providers::first_available(&candidates)?;
    Ok(Embedder {
        provider: config.clone(),
        cost_per_token: provider.cost_per_token,
    })
}

/// The first hit of each record: hits come best first.
fn best_chunks(hits: Vec<SearchHit>) -> Vec<SearchHit> {
    let mut seen = HashSet::new();
    hits.into_iter()
        .filter(|hit| seen.insert(hit.record_id.clone()))
        .collect()
}

/// Hits whose row the caller sees at this moment: row-level security, the source's filter and rows that are gone since
/// decide as in any query.
fn visible(source: &Source, client_id: i64, hits: Vec<SearchHit>, matching: &mut Matching) -> Result<Vec<SearchHit>> {
    if hits.is_empty() {
        return Ok(hits);
    }
    let record_ids: Vec<String> = hits.iter().map(|hit| hit.record_id.clone()).collect();
    let showing = source_access::showing_role(source, role::current())?;
    let live = role::as_restricted(showing, || {
        live::flags(source, client_id, &record_ids, "true", matching)
    })?;
    Ok(hits
        .into_iter()
        .zip(live)
        .filter(|(_, is_live)| *is_live)
        .map(|(hit, _)| hit)
        .collect())
}
