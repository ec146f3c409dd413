//! A row of a result: read by the types of its columns, and shown when a test fails.

use std::error::Error;
use std::fmt::{self, Debug, Display};

use postgres::row::RowIndex;
use postgres::types::{FromSql, FromSqlOwned, Type};
use uuid::Uuid;

use crate::sql_error::CallError;

/// One row.
pub struct Row(postgres::Row);

impl Row {
    /// The value of a column, given its name or its position from 0. The types have to be the same here and in SQL:
    /// what Rust has no type for, the statement casts.
    pub fn get<T: FromSqlOwned>(&self, column: impl RowIndex + Display) -> T {
        self.0
            .try_get(column)
            .unwrap_or_else(|error| panic!("{} in {self:?}", CallError::from(error)))
    }
}

impl From<postgres::Row> for Row {
    fn from(row: postgres::Row) -> Self {
        Self(row)
    }
}

impl Debug for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.0.columns().iter().enumerate();
        let entries = columns.map(|(position, column)| (column.name(), self.0.get::<_, Shown>(position)));
        out.debug_map().entries(entries).finish()
    }
}

/// A value of any type, for people.
struct Shown(String);

impl<'a> FromSql<'a> for Shown {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        fn shown<'a, T: FromSql<'a> + Debug>(kind: &Type, raw: &'a [u8]) -> Option<String> {
            let value = T::accepts(kind).then(|| T::from_sql(kind, raw))?.ok()?;
            Some(format!("{value:?}"))
        }
        let shown = shown::<&str>(kind, raw)
            .or_else(|| shown::<bool>(kind, raw))
            .or_else(|| shown::<i32>(kind, raw))
            .or_else(|| shown::<i64>(kind, raw))
            .or_else(|| shown::<f32>(kind, raw))
            .or_else(|| shown::<f64>(kind, raw))
            .or_else(|| shown::<Uuid>(kind, raw))
            .or_else(|| shown::<Vec<&str>>(kind, raw));
        Ok(Self(shown.unwrap_or_else(|| format!("some {kind}"))))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self("NULL".to_owned()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl Debug for Shown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
