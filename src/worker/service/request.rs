//! One question to the worker and its answer.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use pgrx::PgSqlErrorCode;
use vb_engine::batch::{FailureClass, Origin};
use vb_engine::service::client::{CallError, Client};
use vb_engine::service::protocol::{Answer, Request, ServiceError};

use super::presence;
use crate::error::{Result, VbError};
use crate::pg::catch::catching;
use crate::pg::{latch, process, signal};
use crate::settings::Settings;

/// How long a worker may take until its socket is there.
const CONNECT_PATIENCE: Duration = Duration::from_secs(15);

/// How often a connection is tried meanwhile.
const CONNECT_STEP: Duration = Duration::from_millis(100);

/// Workers started for one question: more would not help when they end at once.
const STARTS: usize = 3;

/// Asks the worker of this database and waits for the answer; starts the worker when there is none. Can be interrupted.
pub(crate) fn ask(request: &Request) -> Result<Answer> {
    ask_anew(&|| Ok(Cow::Borrowed(request)))
}

/// The same with a question that is made when the worker is there to take it.
pub(crate) fn ask_anew<'a>(request: &dyn Fn() -> Result<Cow<'a, Request>>) -> Result<Answer> {
    let settings = Settings::current();
    match call(&settings, request) {
        // A worker that was just ending takes its connections with it. Whatever is asked for may be repeated.
        Err(CallError::Io(_)) => call(&settings, request).map_err(failure),
        other => other.map_err(failure),
    }
}

/// The error for an answer of another kind than the question's.
pub(crate) fn unexpected(answer: &Answer) -> VbError {
    VbError::internal(format!("the worker gave an answer of the wrong kind: {answer:.200?}"))
        .hint("Worker and library are of different versions: restart the server.")
}

fn call<'a>(
    settings: &Settings,
    request: &dyn Fn() -> Result<Cow<'a, Request>>,
) -> std::result::Result<Answer, CallError<VbError>> {
    let mut client = connect(settings).map_err(CallError::Interrupted)?;
    let request = request().map_err(CallError::Interrupted)?;
    let deadline = Instant::now() + settings.request_timeout;
    client.call(&request, &mut || {
        catching(|| {
            signal::check_interrupts();
            Ok(())
        })?;
        if Instant::now() < deadline {
            return Ok(());
        }
        Err(VbError::new(
            PgSqlErrorCode::ERRCODE_SYSTEM_ERROR,
            format!(
                "no answer from the worker within {} s",
                settings.request_timeout.as_secs()
            ),
        )
        .hint("Raise vector_backfill.request_timeout, or see select * from vb_health()."))
    })
}

fn connect(settings: &Settings) -> Result<Client> {
    let socket = settings.socket(process::database());
    let deadline = Instant::now() + CONNECT_PATIENCE;
    let mut starts = 0;
    loop {
        let error = match Client::connect(&socket) {
            Ok(client) => return Ok(client),
            Err(error) => error,
        };
        // No socket yet, or one that a worker left behind when it crashed.
        if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) {
            return Err(VbError::new(
                PgSqlErrorCode::ERRCODE_SYSTEM_ERROR,
                format!("cannot connect to the worker's socket {}: {error}", socket.display()),
            )
            .hint("Look at vector_backfill.data_directory and at who owns that folder."));
        }
        if starts < STARTS && presence::worker_pid()?.is_none() {
            presence::ensure()?;
            starts += 1;
        }
        if Instant::now() >= deadline {
            return Err(VbError::new(
                PgSqlErrorCode::ERRCODE_SYSTEM_ERROR,
                format!("the worker of vector_backfill does not listen on {}", socket.display()),
            )
            .hint("The server's log says why; select * from vb_health() may know as well."));
        }
        latch::wait(None, CONNECT_STEP);
        signal::check_interrupts();
    }
}

fn failure(error: CallError<VbError>) -> VbError {
    match error {
        CallError::Interrupted(error) => error,
        CallError::Service(error) => refusal(error),
        CallError::Io(error) => VbError::new(
            PgSqlErrorCode::ERRCODE_SYSTEM_ERROR,
            format!("the connection to the worker of vector_backfill broke: {error}"),
        )
        .hint("The server's log says why the worker ended; the next call starts it again."),
    }
}

/// What the worker could not do, and whose turn it is.
fn refusal(error: ServiceError) -> VbError {
    match error.class {
        FailureClass::Configuration if error.origin == Origin::Budget => {
            VbError::new(PgSqlErrorCode::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, error.message)
                .hint("A search by words costs nothing: mode => 'keyword'.")
        }
        FailureClass::Throttled => VbError::new(PgSqlErrorCode::ERRCODE_INSUFFICIENT_RESOURCES, error.message)
            .hint("Too many requests for the moment: try again later."),
        FailureClass::Transient => VbError::new(PgSqlErrorCode::ERRCODE_SYSTEM_ERROR, error.message)
            .hint("This may pass by itself: try again."),
        FailureClass::Record => VbError::invalid(error.message).hint("The text itself is at fault: change it."),
        FailureClass::Configuration => VbError::wrong_state(error.message)
            .hint("Change the provider or the setting that it is about; vb_check_provider tries a provider."),
    }
}
