//! Records that failed as a file, all that a filter fits. It is read from the server as the browser takes it, so memory is
//! that of a few pages however many there are.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::timeout;
use tokio_postgres::types::ToSql;

use crate::api::errors::{ERRORS, Filter, Values};
use crate::api::failure::Failure;
use crate::api::parameters::Parameters;
use crate::database::Unavailable;
use crate::json;
use crate::looks::Object;
use crate::site::Site;

const COLUMNS: [&str; 9] = [
    "job_id",
    "client_id",
    "source",
    "vector_type",
    "record_id",
    "error_class",
    "message",
    "attempts",
    "failed_at",
];

/// Records that are read at a time.
const PAGE: i32 = 1000;

/// Pages between the server and a browser.
const AHEAD: usize = 2;

/// A browser that takes nothing for so long has gone.
const PATIENCE: Duration = Duration::from_secs(25);

type Pages = mpsc::Sender<Result<Bytes, Failed>>;

/// The file ends before it is complete: the connection breaks, so that nobody takes it for the whole.
#[derive(Debug, thiserror::Error)]
#[error("the download could not be completed")]
struct Failed;

/// `GET /errors.csv`
pub(crate) async fn download(
    State(site): State<Arc<Site>>,
    Query(given): Query<HashMap<String, String>>,
) -> Result<Response, Failure> {
    let filter = Filter::of(&Parameters::new(given))?;
    let permit = Arc::clone(&site.downloads)
        .try_acquire_owned()
        .map_err(|_| Unavailable::Busy)?;
    let (pages, mut taken) = mpsc::channel(AHEAD);
    let (begun, begins) = tokio::sync::oneshot::channel();
    tokio::spawn(async move { read(&site, &filter, pages, begun, permit).await });
    begins
        .await
        .map_err(|_| Unavailable::Away("the session ended".to_owned()))??;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"vector_backfill_errors.csv\"",
        ),
    ];
    let body = Body::from_stream(stream::poll_fn(move |context| taken.poll_recv(context)));
    Ok((headers, body).into_response())
}

/// Says whether it begins, then sends page after page.
async fn read(
    site: &Site,
    filter: &Filter,
    pages: Pages,
    begun: tokio::sync::oneshot::Sender<Result<(), Failure>>,
    permit: OwnedSemaphorePermit,
) {
    let mut client = match site.database.session().await {
        Ok(client) => client,
        Err(unavailable) => return drop(begun.send(Err(unavailable.into()))),
    };
    let values = Values::new(filter, None);
    let values = values.with(&i64::MAX);
    let types: Vec<_> = values.iter().map(|(_, of)| of.clone()).collect();
    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|(value, _)| *value).collect();
    let opened = async {
        let transaction = client.build_transaction().read_only(true).start().await?;
        let statement = transaction.prepare_typed(ERRORS, &types).await?;
        let portal = transaction.bind(&statement, &values).await?;
        let first = transaction.query_portal(&portal, PAGE).await?;
        Ok::<_, tokio_postgres::Error>((transaction, portal, first))
    };
    let (transaction, portal, mut rows) = match opened.await {
        Ok(opened) => opened,
        Err(error) => return drop(begun.send(Err(error.into()))),
    };
    if begun.send(Ok(())).is_err() {
        return;
    }
    let mut head = Some(COLUMNS.map(str::to_owned).to_vec());
    let is_complete = loop {
        let page = written(head.take(), &json::objects(&rows));
        let last = rows.len() < PAGE as usize;
        let sent = timeout(PATIENCE, pages.send(page)).await;
        if last || !matches!(sent, Ok(Ok(()))) {
            break matches!(sent, Ok(Ok(())));
        }
        rows = match transaction.query_portal(&portal, PAGE).await {
            Ok(rows) => rows,
            Err(_) => break false,
        };
    };
    // Others may have their turn, however long a browser takes to hear of it.
    drop((portal, transaction));
    drop((client, permit));
    if !is_complete {
        // Nobody listens any more, perhaps.
        let _ = pages.send(Err(Failed)).await;
    }
}

fn written(head: Option<Vec<String>>, rows: &[Object]) -> Result<Bytes, Failed> {
    let mut file = csv::Writer::from_writer(Vec::new());
    let lines = head.into_iter().chain(
        rows.iter()
            .map(|row| COLUMNS.map(|column| cell(row.get(column))).to_vec()),
    );
    for line in lines {
        file.write_record(line).map_err(|_| Failed)?;
    }
    file.into_inner().map(Bytes::from).map_err(|_| Failed)
}

/// A value as text. A program that shows the file takes what begins like a formula for one, unless an apostrophe comes first.
fn cell(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) if is_formula(text) => format!("'{text}"),
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

fn is_formula(text: &str) -> bool {
    let first = text.trim_start_matches(' ').chars().next();
    let begins = first.is_some_and(|first| {
        matches!(
            first,
            '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠'
        )
    });
    begins && !is_number(text)
}

fn is_number(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
        && text.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_becomes_a_formula() {
        let shown = |text: &str| cell(Some(&Value::from(text)));
        for formula in [
            "=1+1",
            "+1+1",
            "-1+1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            " =1",
            "=cmd|' /C calc'!A0",
            "-",
            "+inf",
            "＝1",
        ] {
            assert_eq!(shown(formula), format!("'{formula}"));
        }
        for plain in ["", "a", "12", "-12", "+1.5", "-1e9", "a=b", "<script>", "'=1"] {
            assert_eq!(shown(plain), plain);
        }
    }

    #[test]
    fn cells_are_quoted_and_nothing_is_empty() {
        let row = json!({ "job_id": 1, "client_id": 2, "record_id": "a,\"b\"\nc", "message": null, "attempts": 3 });
        let file = written(None, &[row.as_object().cloned().expect("a row")]).expect("a file");
        assert_eq!(file, "1,2,,,\"a,\"\"b\"\"\nc\",,,3,\n");
    }

    #[test]
    fn the_first_line_has_the_names() {
        let file = written(Some(COLUMNS.map(str::to_owned).to_vec()), &[]).expect("a file");
        assert_eq!(
            file,
            "job_id,client_id,source,vector_type,record_id,error_class,message,attempts,failed_at\n"
        );
    }
}
