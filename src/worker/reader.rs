//! A reader: a process that makes one long look at a source, so that the worker goes on with everything else meanwhile. It
//! changes nothing but what a look changes.

use std::collections::HashSet;

use pgrx::pg_sys::Oid;
use uuid::Uuid;
use vb_engine::priority::Priority;

use super::look::{self, Found};
use super::look_order::{Answer, Order, Place};
use crate::catalog::installation::{self, Installation};
use crate::error::{Result, VbError};
use crate::pg::{lock, process, signal, spi, transaction};
use crate::settings::Settings;
use crate::source::describe::describe;

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
            &[process::READER_TYPE.into()],
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
    // Whoever holds the client waits for this look, as for all that is begun for it.
    if !lock::begin_for_client(database, order.client_id) {
        return Ok(Answer::Held);
    }
    let source = describe(installation, order.source, &order.vector_type)?;
    let scope = order.scope()?;
    if !order.is_for(&source, &scope) {
        return Ok(Answer::Outdated);
    }
    let skip: HashSet<String> = order.skip.iter().cloned().collect();
    let go_on = || {
        if !lock::has_worker(database) {
            return Err(VbError::interrupted("the worker has ended"));
        }
        look::go_on(installation, database, order.job)
    };
    let Found { work_list, gone } = look::look(
        installation,
        &source,
        &scope,
        order.asked_by,
        order.window,
        &skip,
        &go_on,
    )?;
    Ok(Answer::Found { work_list, gone })
}
