//! Holding a client: while somebody compares, moves or removes what a client has, the worker writes nothing of it.

use std::time::{Duration, Instant};

use pgrx::PgSqlErrorCode;
use vb_engine::service::protocol::{Answer, Request};

use super::request::{ask, unexpected};
use super::snapshots;
use crate::catalog::installation::Installation;
use crate::error::{Result, VbError};
use crate::pg::catch::catching;
use crate::pg::{latch, lock, process, role, signal, spi};
use crate::settings::Settings;

/// How often it is looked whether batches have ended.
const STEP: Duration = Duration::from_millis(20);

/// Keeps the worker from beginning anything for the client until the end of this transaction, and waits for the end of
/// what it has in flight. Can be interrupted.
pub(super) fn client(installation: &Installation, client_id: i64) -> Result<()> {
    snapshots::require_moving("hold a client: it would not see what the worker has done until then")?;
    // A worker that died may have left batches behind: the next one knows that they are in flight no more.
    match ask(&Request::Ping)? {
        Answer::Pong => {}
        other => return Err(unexpected(&other)),
    }
    let patience = Settings::current().request_timeout;
    catching(|| {
        lock::hold_client(process::database(), client_id, patience);
        Ok(())
    })
    .map_err(|error| match error.code {
        PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE => VbError::new(
            error.code,
            format!("another session has held client {client_id} for {} s", patience.as_secs()),
        )
        .hint("It verifies, imports, moves or purges what the client has, in a transaction that is still open: try again when that has ended."),
        _ => error,
    })?;
    let deadline = Instant::now() + patience;
    while role::as_owner(installation.owner, || is_in_flight(installation, client_id))? {
        if Instant::now() > deadline {
            return Err(VbError::wrong_state(format!(
                "batches of client {client_id} have been in flight for {} s",
                patience.as_secs()
            ))
            .hint("See select * from vb_health(): a provider or a store may not answer. Pause the client's jobs, in a transaction of its own, or try later."));
        }
        latch::wait(None, STEP);
        signal::check_interrupts();
    }
    Ok(())
}

fn is_in_flight(installation: &Installation, client_id: i64) -> Result<bool> {
    let statement = installation.sql(include_str!("../../../sql/query/batches_of_client.sql"));
    Ok(spi::read_first(&statement, &[client_id.into()], |row| row.get(1))?.unwrap_or(false))
}
