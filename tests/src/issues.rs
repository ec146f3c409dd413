//! The table that most tests use: an issue tracker's, filled with real rows.

use serde_json::{Value, json};

use crate::agreement::{self, Expectation};
use crate::client::Client;
use crate::debian;
use crate::store::Store;

/// Its definition. Nothing of it has to be configured: all names are those that the extension knows.
pub const TABLE: &str = "
create table issues (
    issue_id     bigint primary key,
    client_id    int not null,
    title        text,
    summary      text,
    description  text,
    status       text,
    priority     text,
    type         text,
    active       boolean not null default true,
    created_at   timestamptz not null default clock_timestamp()
)";

/// What `content` is made of, as the documentation promises it: the non-empty of these columns, joined with one space.
pub const CONTENT: &str = "concat_ws(' ', nullif(summary, ''), nullif(description, ''), nullif(title, ''))";

/// Keys and texts of the rows of a client that have to have a vector.
pub fn expected(client_id: i64) -> String {
    format!("select issue_id::text, {CONTENT} from issues where client_id = {client_id} and active")
}

/// What [`crate::agreement`] expects of a client's rows, given the statement of [`expected`].
pub fn expectation(client_id: i64, rows: &str) -> Expectation<'_> {
    Expectation {
        client_id,
        source: "issues",
        vector_type: "content",
        rows,
    }
}

/// Checks that source, references and store agree about a client's rows; gives the number of points.
pub fn assert_agreement(client: &mut Client, store: &Store, client_id: i64) -> usize {
    let rows = expected(client_id);
    agreement::assert_agreement(client, store, expectation(client_id, &rows))
}

/// Creates the table.
pub fn create(client: &mut Client) {
    client.run(TABLE);
}

/// Adds short rows, about 15 tokens each: packages number `first` and following, counted from 1, which is their key.
pub fn add_short(client: &mut Client, client_id: i64, first: usize, count: usize) {
    let packages = &debian::packages(first + count - 1)[first - 1..];
    let rows = packages.iter().enumerate().map(|(offset, package)| {
        json!({
            "issue_id": first + offset, "client_id": client_id, "title": package.name, "summary": package.summary,
            "type": package.section, "priority": package.priority, "status": "open",
        })
    });
    insert(client, rows.collect());
}

/// Adds rows with keys from `first` whose texts have about `sentences` times 15 tokens. The model sees 256 tokens at
/// most, which takes one processor about 50 milliseconds.
pub fn add_long(client: &mut Client, client_id: i64, first: usize, count: usize, sentences: usize) {
    let rows = debian::texts(count, sentences).into_iter().enumerate().map(|(offset, text)| {
        json!({"issue_id": first + offset, "client_id": client_id, "title": format!("number {offset}"), "description": text})
    });
    insert(client, rows.collect());
}

fn insert(client: &mut Client, rows: Value) {
    let sql = "
        insert into issues (issue_id, client_id, title, summary, description, status, priority, type)
        select issue_id, client_id, title, summary, description, status, priority, type
        from jsonb_populate_recordset(null::issues, $1::jsonb)";
    client.rows(sql, &[&rows]);
    client.run("analyze issues");
}
