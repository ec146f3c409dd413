//! A reader: a process that makes one long look at a source, so that the worker goes on with everything else meanwhile. It
//! writes nothing to the database, and sees all of it as it was at one moment, since the worker records batches meanwhile.

use std::collections::HashSet;
use std::time::Duration;

use pgrx::pg_sys::Oid;
use uuid::Uuid;
use vb_engine::priority::Priority;

use super::look;
use super::look_order::{Answer, Order, Place};
use crate::catalog::installation::{self, Installation};
use crate::error::{Result, VbError};
use crate::pg::{lock, process, signal, spi, time_limit, transaction};
use crate::settings::Settings;
use crate::source::describe::describe;

/// There are few readers: whatever takes longer never ends. Hundreds of millions of rows take less.
const LONGEST_LOOK: Duration = Duration::from_secs(3_600);

/// Makes the look with this name and ends.
pub(crate) fn run(database: Oid, name: &str) {
    signal::end_at_once_when_asked();
    process::connect(database);
    if let Err(error) = make(database, name) {
        pgrx::warning!("a reader of vector_backfill gives up: {}", error.message);
    }
}

fn make(database: Oid, name: &str) -> Result<()> {
    let name = Uuid::parse_str(name).map_err(|error| VbError::internal(format!("no name of a look: {error}")))?;
    transaction::run(|| {
        spi::run(
            include_str!("../../sql/query/worker_session.sql"),
            &[process::READER_TYPE.into(), "repeatable read".into()],
        )
    })?;
    let settings = Settings::current();
    Priority::Nice(settings.nice).take_on();
    let place = Place::new(&settings.database_directory(database), name);
    let order = place.take_order()?;
    process::show_activity(true, &format!("looking for work of job {}", order.job));
    let answer = installation::transact(order.installation, |installation| look(installation, database, &order));
    place.leave_answer(&match answer {
        Ok(answer) => answer.unwrap_or(Answer::Outdated),
        Err(error) => Answer::Failed(error.into()),
    })
}

fn look(installation: &Installation, database: Oid, order: &Order) -> Result<Answer> {
    let source = describe(installation, order.source, &order.vector_type)?;
    let scope = order.scope()?;
    if !order.is_for(&source, &scope) {
        return Ok(Answer::Outdated);
    }
    let skip: HashSet<String> = order.skip.iter().cloned().collect();
    // A job that is stopped takes its reader along.
    let go_on = || {
        signal::check_interrupts();
        if lock::has_worker(database) && !lock::is_database_wanted(database) {
            return Ok(());
        }
        Err(VbError::interrupted("the worker has ended, or will"))
    };
    let find = || {
        look::find(
            installation,
            &source,
            &scope,
            order.asked_by,
            order.window,
            &skip,
            &go_on,
        )
    };
    time_limit::reading(&source.name, LONGEST_LOOK, find).map(Answer::Found)
}
