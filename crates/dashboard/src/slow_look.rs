//! Looks that may take seconds run beside the others, one at a time, in a session of their own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot::{self, error::TryRecvError};

use crate::database::Database;
use crate::looks::coverage::COVERAGE;
use crate::looks::providers::COLLECTIONS;
use crate::looks::{Look, Object, Troubles};
use crate::role::Role;
use crate::schedule::Kind;

pub(crate) struct SlowLook {
    database: Arc<Database>,
    running: Option<oneshot::Receiver<Seen>>,
}

/// What a look saw.
pub(crate) struct Seen {
    pub(crate) kind: Kind,
    pub(crate) beat: Instant,
    pub(crate) took: Duration,
    /// None when the database went away.
    pub(crate) rows: Option<Vec<Object>>,
    pub(crate) troubles: Troubles,
}

impl SlowLook {
    pub(crate) fn new(database: Arc<Database>) -> Self {
        Self {
            database,
            running: None,
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Begins a look, unless there is one.
    pub(crate) fn begin(&mut self, kind: Kind, role: &Role, beat: Instant) {
        if self.is_running() {
            return;
        }
        let (seen, running) = oneshot::channel();
        self.running = Some(running);
        let (database, role) = (Arc::clone(&self.database), role.clone());
        tokio::spawn(async move {
            // Nobody waits any more when the server ends.
            let _ = seen.send(look(&database, &role, kind, beat).await);
        });
    }

    /// What was seen, once.
    pub(crate) fn take(&mut self) -> Option<Seen> {
        match self.running.as_mut()?.try_recv() {
            Ok(seen) => {
                self.running = None;
                Some(seen)
            }
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Closed) => {
                self.running = None;
                None
            }
        }
    }
}

async fn look(database: &Database, role: &Role, kind: Kind, beat: Instant) -> Seen {
    let statement = if kind == Kind::Coverage { COVERAGE } else { COLLECTIONS };
    let began = Instant::now();
    let mut troubles = Troubles::new();
    let rows = match database.session().await {
        Ok(client) => {
            let mut look = Look {
                client: &client,
                role,
                troubles: &mut troubles,
            };
            look.objects(statement, &[]).await.ok()
        }
        Err(_) => None,
    };
    Seen {
        kind,
        beat,
        took: began.elapsed(),
        rows,
        troubles,
    }
}
