//! Records that failed, page by page.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_postgres::types::{ToSql, Type};

use crate::api::failure::Failure;
use crate::api::parameters::Parameters;
use crate::json;
use crate::looks::Object;
use crate::looks::whole;
use crate::role::Role;
use crate::site::Site;

pub(crate) const ERRORS: &str = include_str!("../../sql/errors.sql");

const PAGE: i64 = 100;
const LARGEST_PAGE: i64 = 1000;

/// Which records; what is not set fits all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Filter {
    client: Option<i64>,
    source: Option<String>,
    class: Option<String>,
    job: Option<i64>,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
    /// A pattern of LIKE.
    pattern: Option<String>,
}

/// A place in the order: the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Cursor {
    /// Microseconds since 1970.
    failed_at: i64,
    job_id: i64,
    record_id: String,
}

/// A page of records.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    filter: Filter,
    after: Option<Cursor>,
    limit: i64,
}

/// `GET /api/errors`
pub(crate) async fn page(
    State(site): State<Arc<Site>>,
    Query(given): Query<HashMap<String, String>>,
) -> Result<Response, Failure> {
    let given = Parameters::new(given);
    let question = Question {
        filter: Filter::of(&given)?,
        after: given.text("after")?.map(|text| Cursor::read(&text)).transpose()?,
        limit: given.number("limit")?.unwrap_or(PAGE).clamp(1, LARGEST_PAGE),
    };
    let answer = site.errors.answer(question.clone(), ask(&site, question)).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], answer).into_response())
}

async fn ask(site: &Site, question: Question) -> Result<Bytes, Failure> {
    let client = site.database.session().await?;
    let role = match site.control {
        true => Role::of(&client, true).await?.ok(),
        false => None,
    };
    // One more than is shown tells whether there are more.
    let limit = question.limit + 1;
    let values = Values::new(&question.filter, question.after.as_ref());
    let mut rows = json::objects(&client.query_typed(ERRORS, &values.with(&limit)).await?);
    let more = i64::try_from(rows.len()).is_ok_and(|count| count > question.limit);
    rows.truncate(usize::try_from(question.limit).unwrap_or_default());
    let next = rows
        .last()
        .filter(|_| more)
        .and_then(Cursor::of)
        .map(|cursor| cursor.text());
    for row in &mut rows {
        let client = row.get("client_id").and_then(whole);
        let may_control = role.as_ref().is_some_and(|role| role.may_control(client));
        row.insert("may_control".to_owned(), Value::from(may_control));
    }
    Ok(Bytes::from(json!({ "rows": rows, "next": next }).to_string()))
}

impl Filter {
    pub(crate) fn of(given: &Parameters) -> Result<Self, Failure> {
        Ok(Self {
            client: given.number("client")?,
            source: given.text("source")?,
            class: given.text("class")?,
            job: given.number("job")?,
            since: given.moment("since")?.map(SystemTime::from),
            until: given.moment("until")?.map(SystemTime::from),
            pattern: given.text("q")?.map(|text| pattern(&text)),
        })
    }
}

/// What has this text anywhere; LIKE's own signs stand for themselves.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

impl Cursor {
    fn of(row: &Object) -> Option<Self> {
        let failed_at: Timestamp = row.get("failed_at")?.as_str()?.parse().ok()?;
        Some(Self {
            failed_at: failed_at.as_microsecond(),
            job_id: whole(row.get("job_id")?)?,
            record_id: row.get("record_id")?.as_str().unwrap_or_default().to_owned(),
        })
    }

    fn text(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(json!([self.failed_at, self.job_id, self.record_id]).to_string())
    }

    fn read(text: &str) -> Result<Self, Failure> {
        let read = || {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
            let (failed_at, job_id, record_id) = serde_json::from_slice::<(i64, i64, String)>(&bytes).ok()?;
            // What PostgreSQL and SystemTime both know.
            let known = 0..=253_402_300_799_999_999;
            (known.contains(&failed_at) && !record_id.contains('\0')).then_some(Self {
                failed_at,
                job_id,
                record_id,
            })
        };
        read().ok_or_else(|| Failure::parameter("after", "what another answer had as next"))
    }
}

/// The values of the statement.
pub(crate) struct Values<'a> {
    filter: &'a Filter,
    failed_at: Option<SystemTime>,
    job_id: Option<i64>,
    record_id: Option<&'a str>,
}

impl<'a> Values<'a> {
    pub(crate) fn new(filter: &'a Filter, after: Option<&'a Cursor>) -> Self {
        let at =
            |cursor: &Cursor| UNIX_EPOCH + Duration::from_micros(u64::try_from(cursor.failed_at).unwrap_or_default());
        Self {
            filter,
            failed_at: after.map(at),
            job_id: after.map(|cursor| cursor.job_id),
            record_id: after.map(|cursor| cursor.record_id.as_str()),
        }
    }

    pub(crate) fn with<'v>(&'v self, limit: &'v i64) -> [(&'v (dyn ToSql + Sync), Type); 11] {
        [
            (&self.filter.client, Type::INT8),
            (&self.filter.source, Type::TEXT),
            (&self.filter.class, Type::TEXT),
            (&self.filter.job, Type::INT8),
            (&self.filter.since, Type::TIMESTAMPTZ),
            (&self.filter.until, Type::TIMESTAMPTZ),
            (&self.filter.pattern, Type::TEXT),
            (&self.failed_at, Type::TIMESTAMPTZ),
            (&self.job_id, Type::INT8),
            (&self.record_id, Type::TEXT),
            (limit, Type::INT8),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_like_stand_for_themselves() {
        assert_eq!(pattern(r"50%_a\b"), r"%50\%\_a\\b%");
    }

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        let row = json!({ "failed_at": "2026-01-31T12:00:00.000001Z", "job_id": "9007199254740993", "record_id": "<script>" });
        let cursor = Cursor::of(row.as_object().expect("a row")).expect("a cursor");
        assert_eq!(Cursor::read(&cursor.text()).expect("it is ours"), cursor);
        assert_eq!(cursor.job_id, 9_007_199_254_740_993);
    }

    #[test]
    fn made_up_cursors_are_refused() {
        let encoded = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        for wrong in [
            "",
            "x",
            "!",
            &encoded("[1]"),
            &encoded("[-1,2,\"3\"]"),
            &encoded("[1,2,\"\\u0000\"]"),
        ] {
            assert!(Cursor::read(wrong).is_err(), "{wrong}");
        }
    }
}
