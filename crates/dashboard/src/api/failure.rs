//! What went wrong with a request, as a status and as JSON: `{error: {code, message, hint}}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio_postgres::error::{DbError, SqlState};

use crate::connection::plain;
use crate::database::Unavailable;

/// The code is an SQLSTATE where the server said one, else a name.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: String,
    message: String,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }

    pub(crate) fn parameter(name: &str, expected: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad_parameter",
            format!("{name} has to be {expected}"),
        )
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is nothing under this address",
        )
    }
}

impl From<Unavailable> for Failure {
    fn from(unavailable: Unavailable) -> Self {
        let (code, hint) = match unavailable {
            Unavailable::Away(_) => ("database_away", "The page goes on by itself when the database is back."),
            Unavailable::Missing => ("extension_missing", "create extension vector_backfill"),
            Unavailable::Busy => ("busy", "Try again in a moment."),
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, unavailable.to_string()).hint(hint)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(said) => Self {
                status: status(said.code()),
                code: said.code().code().to_owned(),
                message: said.message().to_owned(),
                hint: said.hint().map(str::to_owned).or_else(|| hint(said)),
            },
            None => Unavailable::Away(plain(&error)).into(),
        }
    }
}

fn status(state: &SqlState) -> StatusCode {
    match *state {
        SqlState::INSUFFICIENT_PRIVILEGE => StatusCode::FORBIDDEN,
        SqlState::UNDEFINED_OBJECT => StatusCode::NOT_FOUND,
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE => StatusCode::CONFLICT,
        // Of a standby.
        SqlState::READ_ONLY_SQL_TRANSACTION => StatusCode::CONFLICT,
        SqlState::QUERY_CANCELED | SqlState::LOCK_NOT_AVAILABLE => StatusCode::SERVICE_UNAVAILABLE,
        // Functions or views of ours that are not there (yet, any more).
        SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_FUNCTION | SqlState::UNDEFINED_COLUMN => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ => match &state.code()[..2] {
            "22" => StatusCode::BAD_REQUEST,
            // The session ended, the server goes down or comes up, or has no place.
            "08" | "53" | "57" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        },
    }
}

fn hint(said: &DbError) -> Option<String> {
    let hint = match *said.code() {
        SqlState::INSUFFICIENT_PRIVILEGE => {
            "The page may what its database's role may; vb_grant_access(role, client, 'write') lets that control a client's jobs."
        }
        SqlState::QUERY_CANCELED => "It took longer than 10 s. Ask for less: one client, one job, a shorter time.",
        SqlState::LOCK_NOT_AVAILABLE => "Another session holds a lock. Try again in a moment.",
        _ => return None,
    };
    Some(hint.to_owned())
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let error = json!({ "error": { "code": self.code, "message": self.message, "hint": self.hint } });
        (self.status, Json(error)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_says_becomes_a_fitting_status() {
        for (state, expected) in [
            (SqlState::INSUFFICIENT_PRIVILEGE, 403),
            (SqlState::UNDEFINED_OBJECT, 404),
            (SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, 409),
            (SqlState::INVALID_PARAMETER_VALUE, 400),
            (SqlState::NUMERIC_VALUE_OUT_OF_RANGE, 400),
            (SqlState::ADMIN_SHUTDOWN, 503),
            (SqlState::TOO_MANY_CONNECTIONS, 503),
            (SqlState::INTERNAL_ERROR, 500),
        ] {
            assert_eq!(status(&state).as_u16(), expected, "{}", state.code());
        }
    }
}
