//! The trigger function `vb_sync_trigger()`: for a row, or for a statement with or without transition tables.

use std::rc::Rc;

use super::noted;
use super::watch::{self, Columns, Identity, Named, Watch, Watched};
use pgrx::pg_sys::Oid;

use crate::catalog::installation::Installation;
use crate::error::Result;
use crate::pg::trigger::{Fired, TriggerRow};

/// The second argument of a trigger whose table has the key of the source that the first one names.
const SAME_KEY: &str = "same key";

/// Notes what the trigger fires for.
pub(crate) fn fire(fired: &Fired) -> Result<()> {
    let named = fired.argument(0).map(|source| Named {
        source,
        has_same_key: fired.argument(1).as_deref() == Some(SAME_KEY),
    });
    let watched = watch::watched(fired.relation(), named)?;
    if watched.watches.is_empty() {
        return Ok(());
    }
    let installation = &watched.installation;
    let has_rows = fired.each_row(&mut |before, after| {
        for watch in &watched.watches {
            note(&watched, watch, before.as_ref(), after.as_ref());
        }
        Ok(())
    })?;
    if !has_rows {
        for watch in &watched.watches {
            noted::everybody(installation, watch.source);
        }
    }
    Ok(())
}

fn note(watched: &Watched, watch: &Watch, before: Option<&TriggerRow>, after: Option<&TriggerRow>) {
    let installation = &watched.installation;
    let Some(columns) = &watch.columns else {
        noted::everybody(installation, watch.source);
        return;
    };
    if let (Some(before), Some(after)) = (before, after)
        && !watched.passing
        && !columns.differ(before, after)
    {
        return;
    }
    for row in [before, after].into_iter().flatten() {
        note_row(installation, watch, columns, row);
    }
}

fn note_row(installation: &Rc<(Installation, Oid)>, watch: &Watch, columns: &Columns, row: &TriggerRow) {
    let Some(client) = columns.client(row) else { return };
    if noted::has_all(watch.source, client) {
        return;
    }
    if watch.by_client {
        noted::client(installation, watch.source, client);
        return;
    }
    match columns.identity(client, row) {
        Identity::Record(client, record_id) => noted::row(installation, watch.source, client, record_id),
        Identity::Unnamed(client) => noted::client(installation, watch.source, client),
    }
}
