//! News that tables are not what they were: what was remembered of them has to be looked up again.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Once;

use pgrx::pg_guard;
use pgrx::pg_sys::{self, Datum, Oid};

/// Beyond so many all tables are taken for changed.
const MOST_REMEMBERED: usize = 1_000;

static REGISTERED: Once = Once::new();

thread_local! {
    static HEARD: RefCell<News> = RefCell::new(News::default());
}

/// Tables that have changed.
#[derive(Debug, Default)]
pub(crate) struct News {
    everything: bool,
    relations: HashSet<Oid>,
}

impl News {
    /// Whether nothing has changed.
    pub(crate) fn is_empty(&self) -> bool {
        !self.everything && self.relations.is_empty()
    }

    /// Whether this table has.
    pub(crate) fn is_about(&self, relation: Oid) -> bool {
        self.everything || self.relations.contains(&relation)
    }
}

/// What this process has heard since it asked last.
pub(crate) fn news() -> News {
    REGISTERED.call_once(|| {
        // SAFETY: the callback is a plain function that lives as long as the process, registered once.
        unsafe { pg_sys::CacheRegisterRelcacheCallback(Some(heard), Datum::from(0)) };
    });
    HEARD.with(|heard| {
        // Usually there is none, and this is asked for every row.
        let nothing = heard.borrow().is_empty();
        if nothing { News::default() } else { heard.take() }
    })
}

#[pg_guard]
unsafe extern "C-unwind" fn heard(_argument: Datum, relation: Oid) {
    HEARD.with(|heard| {
        let mut heard = heard.borrow_mut();
        if relation == Oid::INVALID || heard.relations.len() >= MOST_REMEMBERED {
            heard.everything = true;
            heard.relations.clear();
        } else {
            heard.relations.insert(relation);
        }
    });
}

/// Tells all processes when this transaction commits that the table, or what we know of it, is not what it was.
pub(crate) fn tell_of_change(relation: Oid) {
    // SAFETY: within a transaction; raises an ERROR when the table is gone.
    unsafe { pg_sys::CacheInvalidateRelcacheByRelid(relation) };
}
