//! From changes that transactions noted to changes that are pending for somebody.

use std::collections::{HashMap, HashSet};

use pgrx::pg_sys::Oid;

use crate::catalog::changes::{self, NotedChange, PendingChange};
use crate::catalog::installation::Installation;
use crate::catalog::jobs;
use crate::catalog::syncs::{self, Recorded};
use crate::error::Result;
use crate::pg::transaction;

/// Changes of one client, source and vector type that were taken over.
pub(super) struct TakenOver {
    /// Whose.
    pub(super) client_id: i64,
    /// Of which source.
    pub(super) source: Oid,
    /// For which vectors.
    pub(super) vector_type: String,
    /// Records to look at.
    pub(super) record_ids: Vec<String>,
    /// All of them are to be looked at.
    pub(super) everything: bool,
}

/// Makes noted changes pending for each vector type that is kept in step, and opens jobs for them.
pub(super) fn take_over(
    installation: &Installation,
    sources: &[Recorded],
    noted: Vec<NotedChange>,
) -> Result<Vec<TakenOver>> {
    let mut pending: HashMap<(i64, Oid, &str, Option<String>), PendingChange> = HashMap::new();
    let mut of_all: HashSet<Oid> = HashSet::new();
    for change in noted {
        let Some(recorded) = sources.iter().find(|recorded| recorded.synced.source == change.source) else {
            continue;
        };
        let Some(client_id) = change.client_id else {
            of_all.insert(change.source);
            continue;
        };
        for vector_type in &recorded.synced.vector_types {
            let at = (client_id, change.source, vector_type.as_str(), change.record_id.clone());
            let folded = pending.entry(at).or_insert_with(|| PendingChange {
                client_id,
                source: change.source,
                vector_type: vector_type.clone(),
                record_id: change.record_id.clone(),
                changed_at: change.changed_at,
            });
            if change.changed_at < folded.changed_at {
                folded.changed_at = change.changed_at;
            }
        }
    }
    let mut pending: Vec<PendingChange> = pending.into_values().collect();
    pending.sort_by(|one, other| {
        one.changed_at
            .partial_cmp(&other.changed_at)
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    changes::add(installation, &pending)?;
    let mut taken: HashMap<(i64, Oid, String), TakenOver> = HashMap::new();
    for change in pending {
        let at = (change.client_id, change.source, change.vector_type.clone());
        let of_one = taken.entry(at).or_insert_with(|| TakenOver {
            client_id: change.client_id,
            source: change.source,
            vector_type: change.vector_type,
            record_ids: Vec::new(),
            everything: false,
        });
        match change.record_id {
            Some(record_id) => of_one.record_ids.push(record_id),
            None => of_one.everything = true,
        }
    }
    let owners: Vec<(i64, Oid, String)> = taken.keys().cloned().collect();
    // One that somebody has locked is opened by a later look; its changes are written down.
    if let Err(error) = transaction::attempt(|| jobs::open_for_changes(installation, &owners)) {
        pgrx::log!("vector_backfill opens jobs of changes later: {}", error.message);
    }
    for recorded in sources
        .iter()
        .filter(|recorded| of_all.contains(&recorded.synced.source))
    {
        syncs::mark(installation, &recorded.synced)?;
        let of_source = changes::owners(installation, Some(recorded.synced.source))?;
        for (client_id, source, vector_type) in of_source {
            taken
                .entry((client_id, source, vector_type.clone()))
                .and_modify(|of_one| of_one.everything = true)
                .or_insert(TakenOver {
                    client_id,
                    source,
                    vector_type,
                    record_ids: Vec::new(),
                    everything: true,
                });
        }
    }
    Ok(taken.into_values().collect())
}
