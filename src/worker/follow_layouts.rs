//! Tables that are not what they were: rows may have come and gone with partitions and files, without a trigger.

use std::collections::HashMap;

use pgrx::pg_sys::Oid;

use super::main_loop::Worker;
use crate::catalog::renamed_columns;
use crate::catalog::syncs;
use crate::error::Result;
use crate::pg::relcache;

impl Worker {
    /// Sources that are not what they were when somebody looked last: rows may have come and gone without a trigger, and
    /// texts may be made of something else.
    pub(super) fn look_at_layouts(&mut self) -> Result<()> {
        let found = self.transact(|installation| {
            let recorded = syncs::all(installation)?;
            if recorded.is_empty() {
                return Ok(recorded);
            }
            let layouts: HashMap<Oid, _> = syncs::layouts(installation)?.into_iter().collect();
            let mut kept = Vec::with_capacity(recorded.len());
            for source in recorded {
                let Some(layout) = layouts.get(&source.synced.source) else {
                    continue;
                };
                if !layout.exists {
                    syncs::forget(installation, source.synced.source)?;
                    continue;
                }
                if layout.signature != source.signature {
                    renamed_columns::follow(installation, source.synced.source, &source.columns, &layout.columns)?;
                    // With the settings as they are now.
                    let layout = syncs::layout(installation, &source.synced)?;
                    syncs::relaid(installation, source.synced.source, &layout)?;
                    syncs::mark(installation, &source.synced)?;
                    relcache::tell_of_change(source.synced.source);
                }
                kept.push(source);
            }
            Ok(kept)
        })?;
        self.follow.sources = found.unwrap_or_default();
        let sources = &self.follow.sources;
        self.freshness
            .retain(|source| sources.iter().any(|kept| kept.synced.source == source));
        self.take_marks()?;
        self.take_forgotten()
    }
}
