//! A session: statements go in, rows, notices and errors come out.
//!
//! The methods without `try_` panic with the statement and the server's error, since a test has nothing better to do.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::sql_error::{CallError, SqlError};
use crate::value::{Parameter, Value};
use crate::wire::{Message, Reader, Wire, broken, put_count, put_text, put_value};

/// No statement of a test takes longer unless it hangs.
const STATEMENT_TIMEOUT: &str = "-c statement_timeout=300s";

/// One session with a server.
#[derive(Debug)]
pub struct Client {
    wire: Wire,
    notices: Vec<SqlError>,
}

/// One row of a result.
#[derive(Debug, Clone)]
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<Option<String>>,
}

impl Row {
    /// The value of a column.
    pub fn get<T: Value>(&self, column: &str) -> T {
        let position = self.columns.iter().position(|name| name == column);
        let position = position.unwrap_or_else(|| panic!("there is no column {column:?} in {:?}", self.columns));
        self.at(position)
    }

    /// The value of a column by its position, from 0.
    pub fn at<T: Value>(&self, position: usize) -> T {
        T::from_sql(self.values[position].as_deref())
            .unwrap_or_else(|error| panic!("column {:?}: {error}", self.columns[position]))
    }

    /// Names of the columns, in order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }
}

impl Client {
    /// Opens a session over the socket file.
    pub fn connect(socket: &Path, database: &str, user: &str) -> Result<Self, CallError> {
        let parameters = [
            ("user", user),
            ("database", database),
            ("application_name", "vb-tests"),
            ("client_encoding", "UTF8"),
            ("options", STATEMENT_TIMEOUT),
        ];
        let mut client = Self {
            wire: Wire::start(socket, &parameters)?,
            notices: Vec::new(),
        };
        client.until_ready(|message| match message.tag {
            b'R' if Reader::new(&message.body).int()? != 0 => Err(broken("a wish for a password")),
            _ => Ok(()),
        })?;
        Ok(client)
    }

    /// Runs any number of statements without parameters, each in its own transaction unless they open one.
    pub fn try_run(&mut self, sql: &str) -> Result<(), CallError> {
        let mut body = Vec::new();
        put_text(&mut body, sql);
        self.wire.put(b'Q', &body);
        self.wire.flush()?;
        self.until_ready(|_| Ok(()))
    }

    /// As [`Client::try_run`].
    pub fn run(&mut self, sql: &str) {
        self.try_run(sql).unwrap_or_else(|error| panic!("{error}\nin: {sql}"));
    }

    /// The rows of one statement with parameters.
    pub fn try_rows(&mut self, sql: &str, parameters: &[&dyn Parameter]) -> Result<Vec<Row>, CallError> {
        let mut parse = Vec::new();
        put_text(&mut parse, "");
        put_text(&mut parse, sql);
        put_count(&mut parse, 0);
        let mut bind = Vec::new();
        put_text(&mut bind, "");
        put_text(&mut bind, "");
        put_count(&mut bind, 0);
        put_count(&mut bind, parameters.len());
        for parameter in parameters {
            put_value(&mut bind, parameter.to_sql().as_deref());
        }
        put_count(&mut bind, 0);
        self.wire.put(b'P', &parse);
        self.wire.put(b'B', &bind);
        self.wire.put(b'D', b"P\0");
        self.wire.put(b'E', &[0; 5]);
        self.wire.put(b'S', &[]);
        self.wire.flush()?;

        let mut columns: Arc<[String]> = Arc::from([]);
        let mut rows = Vec::new();
        self.until_ready(|message| {
            match message.tag {
                b'T' => columns = column_names(&message.body)?,
                b'D' => rows.push(Row {
                    columns: columns.clone(),
                    values: row_values(&message.body)?,
                }),
                _ => {}
            }
            Ok(())
        })?;
        Ok(rows)
    }

    /// As [`Client::try_rows`].
    pub fn rows(&mut self, sql: &str, parameters: &[&dyn Parameter]) -> Vec<Row> {
        self.try_rows(sql, parameters)
            .unwrap_or_else(|error| panic!("{error}\nin: {sql}"))
    }

    /// The only row of a statement.
    pub fn row(&mut self, sql: &str, parameters: &[&dyn Parameter]) -> Row {
        let mut rows = self.rows(sql, parameters);
        assert_eq!(rows.len(), 1, "one row was expected from: {sql}");
        rows.remove(0)
    }

    /// The first column of the only row.
    pub fn value<T: Value>(&mut self, sql: &str, parameters: &[&dyn Parameter]) -> T {
        self.row(sql, parameters).at(0)
    }

    /// The first column of all rows.
    pub fn values<T: Value>(&mut self, sql: &str, parameters: &[&dyn Parameter]) -> Vec<T> {
        self.rows(sql, parameters).iter().map(|row| row.at(0)).collect()
    }

    /// The error of a statement that has to fail.
    pub fn error(&mut self, sql: &str, parameters: &[&dyn Parameter]) -> SqlError {
        match self.try_rows(sql, parameters) {
            Err(CallError::Sql(error)) => *error,
            Err(error) => panic!("{error}\nin: {sql}"),
            Ok(rows) => panic!("an error was expected, not {rows:?}\nfrom: {sql}"),
        }
    }

    /// What the server noted since the last call of this method.
    pub fn take_notices(&mut self) -> Vec<SqlError> {
        std::mem::take(&mut self.notices)
    }

    /// Hands messages to the reader until the server waits for the next statement.
    fn until_ready(&mut self, mut read: impl FnMut(&Message) -> io::Result<()>) -> Result<(), CallError> {
        let mut failure = None;
        loop {
            let message = match self.wire.receive() {
                Ok(message) => message,
                // The server says why it ends a session before it closes the connection.
                Err(lost) => return Err(failure.map_or(CallError::Lost(lost), CallError::Sql)),
            };
            match message.tag {
                b'Z' => return failure.map_or(Ok(()), |error| Err(CallError::Sql(error))),
                b'E' => failure = Some(Box::new(SqlError::read(&message.body)?)),
                b'N' => self.notices.push(SqlError::read(&message.body)?),
                _ => read(&message)?,
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.wire.put(b'X', &[]);
        // A server that is gone needs no farewell.
        let _ = self.wire.flush();
    }
}

fn column_names(body: &[u8]) -> io::Result<Arc<[String]>> {
    let mut reader = Reader::new(body);
    (0..reader.short()?)
        .map(|_| {
            let name = reader.text()?;
            // Table, column number, type, its size, its modifier, format.
            for _ in ["table", "type", "modifier"] {
                reader.int()?;
                reader.short()?;
            }
            Ok(name)
        })
        .collect()
}

fn row_values(body: &[u8]) -> io::Result<Vec<Option<String>>> {
    let mut reader = Reader::new(body);
    (0..reader.short()?).map(|_| reader.value()).collect()
}
