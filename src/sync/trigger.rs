//! The trigger function `vb_sync_trigger()`: for a row, or for a statement with or without transition tables.

use std::rc::Rc;

use super::noted;
use super::watch::{self, Columns, Identity, Named, NotedIn, Watch, Watched};
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
    let noted_in = &watched.noted_in;
    let has_rows = fired.each_row(&mut |before, after| {
        for watch in &watched.watches {
            note(&watched, watch, before.as_ref(), after.as_ref());
        }
        Ok(())
    })?;
    if !has_rows {
        for watch in &watched.watches {
            noted::everybody(noted_in, watch.source);
        }
    }
    Ok(())
}

fn note(watched: &Watched, watch: &Watch, before: Option<&TriggerRow>, after: Option<&TriggerRow>) {
    let noted_in = &watched.noted_in;
    let Some(columns) = &watch.columns else {
        noted::everybody(noted_in, watch.source);
        return;
    };
    if let (Some(before), Some(after)) = (before, after)
        && !watched.passing
        && !columns.differ(before, after)
    {
        return;
    }
    for row in [before, after].into_iter().flatten() {
        note_row(noted_in, watch, columns, row);
    }
}

fn note_row(noted_in: &Rc<NotedIn>, watch: &Watch, columns: &Columns, row: &TriggerRow) {
    let Some(client) = columns.client(row) else { return };
    if noted::has_all(watch.source, client) {
        return;
    }
    if watch.by_client {
        noted::client(noted_in, watch.source, client);
        return;
    }
    match columns.identity(client, row) {
        Identity::Record(client, record_id) => noted::row(noted_in, watch.source, client, record_id),
        Identity::Unnamed(client) => noted::client(noted_in, watch.source, client),
    }
}
