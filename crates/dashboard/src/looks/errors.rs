//! How many records failed, and when the last one did; the records themselves are asked for page by page.

use serde_json::{Value, json};
use tokio_postgres::Error;

use crate::looks::{Look, Object, Statement, whole};

const COUNTS: Statement = Statement {
    sql: include_str!("../../sql/error_counts.sql"),
    reads: &["vb_error_report"],
};

pub(crate) async fn payload(look: &mut Look<'_>) -> Result<Value, Error> {
    let classes = look.objects(COUNTS, &[]).await?;
    let count = |row: &Object| whole(row.get("errors")?);
    let by_class: Object = classes
        .iter()
        .filter_map(|row| Some((row.get("error_class")?.as_str()?.to_owned(), row.get("errors")?.clone())))
        .collect();
    Ok(json!({
        "total": classes.iter().filter_map(count).sum::<i64>(),
        "by_class": by_class,
        "latest": classes.iter().filter_map(|row| row.get("latest")?.as_str()).max(),
    }))
}
