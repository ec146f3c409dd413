//! A session: statements go in, rows, notices and errors come out.
//!
//! The methods without `try_` panic with the statement and the server's error, since a test has nothing better to do.

use std::path::Path;
use std::sync::mpsc::{self, Receiver};

use postgres::types::{FromSqlOwned, ToSql};
use postgres::{Config, NoTls};

use crate::row::Row;
use crate::sql_error::{CallError, SqlError};
use crate::wait;

/// No statement of a test takes longer unless it hangs.
const STATEMENT_TIMEOUT: &str = "-c statement_timeout=300s";

/// A parameter of a statement. Its type has to be the one that the statement says; for what Rust has no type for, it
/// says `$1::text::…`.
pub type Parameter<'a> = &'a (dyn ToSql + Sync);

/// One session with a server.
pub struct Client {
    session: postgres::Client,
    notices: Receiver<SqlError>,
}

impl Client {
    /// Opens a session with the server whose socket for this port is in the folder.
    pub fn connect(folder: &Path, port: u16, database: &str, user: &str) -> Result<Self, CallError> {
        let (sender, notices) = mpsc::channel();
        let session = Config::new()
            .host_path(folder)
            .port(port)
            .user(user)
            .dbname(database)
            .application_name("vb-tests")
            .options(STATEMENT_TIMEOUT)
            // It is called only while the session is used, and the receiver lives as long as that.
            .notice_callback(move |notice| drop(sender.send(SqlError::from(&notice))))
            .connect(NoTls)?;
        Ok(Self { session, notices })
    }

    /// Runs any number of statements without parameters, in one transaction unless they begin or end others.
    pub fn try_run(&mut self, sql: &str) -> Result<(), CallError> {
        Ok(self.session.batch_execute(sql)?)
    }

    /// As [`Client::try_run`].
    pub fn run(&mut self, sql: &str) {
        self.try_run(sql).unwrap_or_else(|error| panic!("{error}\nin: {sql}"));
    }

    /// Lets the server read its settings anew; this session has them then, and the worker has been told.
    pub fn reload(&mut self) {
        let moment = |client: &mut Self| -> String { client.value("select pg_conf_load_time()::text", &[]) };
        let before = moment(self);
        self.run("select pg_reload_conf()");
        wait::until("the settings", || (moment(self) != before).then_some(()));
    }

    /// The rows of one statement with parameters.
    pub fn try_rows(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, CallError> {
        let rows = self.session.query(sql, parameters)?;
        Ok(rows.into_iter().map(Row::from).collect())
    }

    /// As [`Client::try_rows`].
    pub fn rows(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Vec<Row> {
        self.try_rows(sql, parameters)
            .unwrap_or_else(|error| panic!("{error}\nin: {sql}"))
    }

    /// The only row of a statement.
    pub fn row(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Row {
        let mut rows = self.rows(sql, parameters);
        assert_eq!(rows.len(), 1, "one row was expected from: {sql}");
        rows.remove(0)
    }

    /// The first column of the only row.
    pub fn value<T: FromSqlOwned>(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> T {
        self.row(sql, parameters).get(0)
    }

    /// The first column of all rows.
    pub fn values<T: FromSqlOwned>(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Vec<T> {
        self.rows(sql, parameters).iter().map(|row| row.get(0)).collect()
    }

    /// The error of a statement that has to fail.
    pub fn error(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> SqlError {
        match self.try_rows(sql, parameters) {
            Err(CallError::Sql(error)) => error,
            Err(error) => panic!("{error}\nin: {sql}"),
            Ok(rows) => panic!("an error was expected, not {rows:?}\nfrom: {sql}"),
        }
    }

    /// What the server noted since the last call of this method.
    pub fn take_notices(&mut self) -> Vec<SqlError> {
        self.notices.try_iter().collect()
    }
}
