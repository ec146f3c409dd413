//! What the present transaction has changed, and writing it down before it commits.
//!
//! Keys are remembered up to a number; beyond it a client, or everybody, is to be looked at as a whole, which costs one row
//! and one pass instead of a hundred thousand rows. What a rolled back savepoint changed is written down as well: its rows
//! turn out to be as they were.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::{Duration, Instant};

use pgrx::pg_sys::Oid;

use super::watch::{self, NotedIn};
use crate::catalog::changes::{self, NewChanges};
use crate::error::Result;
use crate::pg::end_of_transaction::{self, AtEnd};
use crate::pg::{lock, process, role, spi};

/// Keys of a client that are remembered one by one.
const MOST_KEYS_OF_CLIENT: usize = 5_000;

/// Keys of all clients that are.
const MOST_KEYS: usize = 10_000;

/// How often a session makes sure that somebody takes its changes over.
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);

thread_local! {
    static NOTED: RefCell<Noted> = RefCell::new(Noted::default());
    static NEXT_LOOK: RefCell<Option<Instant>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Noted {
    noted_in: Option<Rc<NotedIn>>,
    sources: HashMap<Oid, OfSource>,
    keys: usize,
}

#[derive(Default)]
struct OfSource {
    everybody: bool,
    clients: HashMap<i64, OfClient>,
}

enum OfClient {
    /// These rows.
    Keys(HashSet<String>),
    /// All of them.
    All,
}

/// Notes a row of a client.
pub(super) fn row(noted_in: &Rc<NotedIn>, source: Oid, client: i64, record_id: String) {
    with(noted_in, |noted| {
        let of_source = noted.sources.entry(source).or_default();
        let everybody = of_source.everybody;
        let of_client = of_source.clients.entry(client);
        // Beside everybody, clients of whom nothing is known yet are still to be named.
        let of_client = of_client.or_insert_with(|| match everybody {
            true => OfClient::All,
            false => OfClient::Keys(HashSet::new()),
        });
        let OfClient::Keys(keys) = of_client else { return };
        if keys.len() >= MOST_KEYS_OF_CLIENT || noted.keys >= MOST_KEYS {
            noted.keys -= keys.len();
            *of_client = OfClient::All;
        } else if keys.insert(record_id) {
            noted.keys += 1;
        }
    });
}

/// Notes all rows of a client.
pub(super) fn client(noted_in: &Rc<NotedIn>, source: Oid, client: i64) {
    with(noted_in, |noted| {
        let of_source = noted.sources.entry(source).or_default();
        if let Some(OfClient::Keys(keys)) = of_source.clients.insert(client, OfClient::All) {
            noted.keys -= keys.len();
        }
    });
}

/// Whether all rows of the client are noted already.
pub(super) fn has_all(source: Oid, client: i64) -> bool {
    NOTED.with(|noted| {
        let noted = noted.borrow();
        let Some(of_source) = noted.sources.get(&source) else {
            return false;
        };
        matches!(of_source.clients.get(&client), Some(OfClient::All))
    })
}

/// Notes all rows of all clients.
pub(super) fn everybody(noted_in: &Rc<NotedIn>, source: Oid) {
    with(noted_in, |noted| {
        let of_source = noted.sources.entry(source).or_default();
        of_source.everybody = true;
        for of_client in of_source.clients.values_mut() {
            if let OfClient::Keys(keys) = of_client {
                noted.keys -= keys.len();
                *of_client = OfClient::All;
            }
        }
    });
}

/// What was looked up is forgotten at the end of the transaction.
pub(super) fn forget_at_the_end() {
    end_of_transaction::register::<Noted>();
}

fn with(noted_in: &Rc<NotedIn>, change: impl FnOnce(&mut Noted)) {
    end_of_transaction::register::<Noted>();
    NOTED.with(|noted| {
        let mut noted = noted.borrow_mut();
        if noted.noted_in.is_none() {
            noted.noted_in = Some(Rc::clone(noted_in));
        }
        change(&mut noted);
    });
}

impl AtEnd for Noted {
    fn before_commit() -> Result<()> {
        let noted = NOTED.with(RefCell::take);
        let Some(noted_in) = &noted.noted_in else {
            return Ok(());
        };
        // This transaction may have dropped the extension, and another one have renamed its schema.
        let Some(installation) = noted_in.installation.moved_with(noted_in.table) else {
            return Ok(());
        };
        let new = noted.changes();
        end_of_transaction::writing(|| {
            role::as_owner(installation.owner, || {
                spi::seeing_now(|| changes::note(&installation, new))
            })
        })?;
        see_to_worker();
        Ok(())
    }

    fn after() {
        watch::forget_passing();
        NOTED.with(|noted| {
            // Usually there is nothing.
            if noted.borrow().noted_in.is_some() {
                noted.take();
            }
        });
    }
}

impl Noted {
    fn changes(&self) -> NewChanges {
        let mut new = NewChanges::default();
        for (source, of_source) in &self.sources {
            if of_source.everybody {
                new.add(*source, None, None);
            }
            for (client, of_client) in &of_source.clients {
                match of_client {
                    OfClient::All => new.add(*source, Some(*client), None),
                    OfClient::Keys(keys) => {
                        for key in keys {
                            new.add(*source, Some(*client), Some(key));
                        }
                    }
                }
            }
        }
        new
    }
}

/// Without a worker, changes would wait for the next call of somebody; it may have ended with the server. What cannot be
/// started now is tried again later, and keeps nobody from committing.
fn see_to_worker() {
    let now = Instant::now();
    let is_due = NEXT_LOOK.with(|next| next.borrow().is_none_or(|next| now >= next));
    if !is_due {
        return;
    }
    NEXT_LOOK.with(|next| *next.borrow_mut() = Some(now + BETWEEN_LOOKS));
    let database = process::database();
    if lock::has_worker(database) || !lock::begin_starting(database) {
        return;
    }
    if process::start_worker(database).is_err() {
        pgrx::log!("vector_backfill has no worker for the changes of this session, and none can be started now");
    }
    lock::end_starting(database);
}
