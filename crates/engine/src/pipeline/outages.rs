//! Stores that do not answer at the moment, as those see it who write to them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::store::error::StoreError;
use crate::store::place::StoreKind;

/// Stores that do not answer.
#[derive(Default)]
pub(crate) struct Outages {
    present: Mutex<HashMap<StoreKind, (Instant, String)>>,
}

/// A store that does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// For how long.
    pub age: Duration,
    /// What was last heard, for people.
    pub message: String,
}

impl Outages {
    /// A store could not be reached, or has sent us away.
    pub(super) fn note(&self, kind: StoreKind, error: &StoreError) {
        let message = error.to_string();
        let mut present = self.present.lock();
        let (_, last) = present.entry(kind).or_insert_with(|| {
            log::warn!("store {kind} does not answer, writes wait for it: {message}");
            (Instant::now(), String::new())
        });
        *last = message;
    }

    /// It has answered.
    pub(super) fn end(&self, kind: StoreKind) {
        if let Some((since, _)) = self.present.lock().remove(&kind) {
            log::info!(
                "store {kind} answers again after {:.1} s",
                since.elapsed().as_secs_f64()
            );
        }
    }

    /// What keeps a store from answering, if something does.
    pub(super) fn of(&self, kind: StoreKind) -> Option<Outage> {
        self.present.lock().get(&kind).map(|(since, message)| Outage {
            age: since.elapsed(),
            message: message.clone(),
        })
    }
}
