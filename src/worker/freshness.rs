//! How long it takes from the commit of a change until its vector says what the row says.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use pgrx::pg_sys::Oid;

use crate::catalog::changes::Numbered;
use crate::catalog::installation::Installation;
use crate::catalog::sync_status::{self, Applied};
use crate::error::Result;
use crate::pg::clock;

/// Latest changes that the distribution is of.
const WINDOW: usize = 1_000;

/// Changes that were applied, source by source.
#[derive(Debug, Default)]
pub(super) struct Freshness {
    sources: HashMap<Oid, Latest>,
}

#[derive(Debug, Default)]
struct Latest {
    took: VecDeque<Duration>,
    /// Those that are not written down yet.
    unwritten: i64,
}

impl Freshness {
    /// Notes changes that are done now.
    pub(super) fn note(&mut self, source: Oid, done: Vec<Numbered>) {
        if done.is_empty() {
            return;
        }
        let latest = self.sources.entry(source).or_default();
        latest.unwritten += done.len() as i64;
        let now = clock::now();
        for Numbered { changed_at, .. } in done {
            latest.took.push_back(clock::between(changed_at, now));
        }
        let surplus = latest.took.len().saturating_sub(WINDOW);
        latest.took.drain(..surplus);
    }

    /// Whether something is not written down yet.
    pub(super) fn has_news(&self) -> bool {
        self.sources.values().any(|latest| latest.unwritten > 0)
    }

    /// Writes down what is not.
    pub(super) fn write(&self, installation: &Installation) -> Result<()> {
        let news = self.sources.iter().filter(|(_, latest)| latest.unwritten > 0);
        for (source, latest) in news {
            sync_status::applied(installation, *source, &latest.applied())?;
        }
        Ok(())
    }

    /// It was written down.
    pub(super) fn written(&mut self) {
        self.sources.values_mut().for_each(|latest| latest.unwritten = 0);
    }

    /// Forgets sources that are not kept in step any more.
    pub(super) fn retain(&mut self, is_kept: impl Fn(Oid) -> bool) {
        self.sources.retain(|source, _| is_kept(*source));
    }
}

impl Latest {
    fn applied(&self) -> Applied {
        let mut took: Vec<Duration> = self.took.iter().copied().collect();
        took.sort_unstable();
        let at = |part: usize| took.get((took.len() * part / 100).min(took.len().saturating_sub(1)));
        let at = |part| at(part).copied().unwrap_or_default();
        Applied {
            records: self.unwritten,
            p50: at(50),
            p95: at(95),
            max: at(100),
        }
    }
}
