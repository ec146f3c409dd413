//! What is looked at for each topic, and what streams are sent of it.

pub(crate) mod coverage;
pub(crate) mod errors;
pub(crate) mod job;
pub(crate) mod jobs;
pub(crate) mod overview;
pub(crate) mod providers;
mod spread;

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use crate::json;
use crate::role::Role;

/// A row as it is sent.
pub(crate) type Object = Map<String, Value>;

/// Values of a statement, with their types: nothing is prepared, so that nothing has to be forgotten when the extension is
/// made anew.
pub(crate) type Parameters<'a> = &'a [(&'a (dyn ToSql + Sync), Type)];

/// A statement, and the views or functions of ours that it reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    pub(crate) sql: &'static str,
    pub(crate) reads: &'static [&'static str],
}

/// Why a view shows nothing, by its name.
pub(crate) type Troubles = BTreeMap<&'static str, String>;

/// A session that looks, as a role that may not see everything.
pub(crate) struct Look<'a> {
    pub(crate) client: &'a Client,
    pub(crate) role: &'a Role,
    pub(crate) troubles: &'a mut Troubles,
}

impl Look<'_> {
    /// Rows as objects; none where the role may not look or the answer takes too long.
    pub(crate) async fn objects(
        &mut self,
        statement: Statement,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Object>, Error> {
        Ok(json::objects(&self.rows(statement, parameters).await?))
    }

    pub(crate) async fn rows(&mut self, statement: Statement, parameters: Parameters<'_>) -> Result<Vec<Row>, Error> {
        let Some(name) = statement.reads.first() else {
            return Ok(Vec::new());
        };
        if statement.reads.iter().any(|name| self.role.hides(name)) {
            return Ok(Vec::new());
        }
        match self.client.query_typed(statement.sql, parameters).await {
            Ok(rows) => {
                self.troubles.remove(name);
                Ok(rows)
            }
            Err(error) => {
                let trouble = trouble(&error).ok_or(error)?;
                self.troubles.insert(name, format!("{name}: {trouble}"));
                Ok(Vec::new())
            }
        }
    }

    /// With `may_control`, for rows that have a client.
    pub(crate) fn with_control(&self, mut row: Object) -> Object {
        let client = row.get("client_id").and_then(whole);
        row.insert("may_control".to_owned(), Value::from(self.role.may_control(client)));
        row
    }
}

/// Why a statement shows nothing, if that is no reason to begin anew.
pub(crate) fn trouble(error: &Error) -> Option<&'static str> {
    match error.code() {
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Some("the role may not look"),
        Some(&SqlState::QUERY_CANCELED) => Some("no answer within 10 s"),
        Some(&SqlState::LOCK_NOT_AVAILABLE) => Some("locked by somebody"),
        _ => None,
    }
}

/// A bigint of a row, whichever way it is written.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

pub(crate) fn amount(row: &Object, name: &str) -> f64 {
    row.get(name).and_then(Value::as_f64).unwrap_or_default()
}
