//! What the database's role may see and do. What it may not see is left empty and named, instead of asked for in vain.

use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, SystemTime};

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error};

const ROLE: &str = include_str!("../sql/role.sql");
const CALLER: &str = include_str!("../sql/caller.sql");
const SEARCH_PATH: &str = include_str!("../sql/search_path.sql");

const VIEWS: [&str; 10] = [
    "vb_job_status",
    "vb_active_batches",
    "vb_error_report",
    "vb_throughput",
    "vb_coverage",
    "vb_provider_status",
    "vb_collections",
    "vb_worker_status",
    "vb_client_spending",
    "vb_caller",
];
const FUNCTIONS: [&str; 2] = ["vb_health", "vb_sync_status"];

/// The role of a session, where the extension is there.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) database: String,
    /// How far the database's clock is ahead of ours, in microseconds.
    pub(crate) clock_ahead: i64,
    hidden: BTreeSet<String>,
    control: Control,
}

/// Whose jobs may be paused and so on.
#[derive(Debug, Clone)]
enum Control {
    Everybodys,
    Of(HashSet<i64>),
}

/// Who we are, where there is no extension.
#[derive(Debug)]
pub(crate) struct Stranger {
    pub(crate) name: String,
    pub(crate) database: String,
}

impl Role {
    /// Asks the server, and points the session to the extension's schema. `control` is whether this page controls anything.
    pub(crate) async fn of(client: &Client, control: bool) -> Result<Result<Self, Stranger>, Error> {
        let (views, functions) = (VIEWS.as_slice(), FUNCTIONS.as_slice());
        let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&views, Type::TEXT_ARRAY), (&functions, Type::TEXT_ARRAY)];
        let row = client.query_typed_one(ROLE, &parameters).await?;
        let name: String = row.try_get("role")?;
        let database: String = row.try_get("database")?;
        if row.try_get::<_, Option<String>>("schema")?.is_none() {
            return Ok(Err(Stranger { name, database }));
        }
        client.query_typed(SEARCH_PATH, &[]).await?;
        let now: SystemTime = row.try_get("now")?;
        let hidden: BTreeSet<String> = row.try_get::<_, Vec<String>>("hidden")?.into_iter().collect();
        let may_ask = control && !hidden.contains("vb_caller");
        Ok(Ok(Self {
            name,
            database,
            clock_ahead: ahead(now, SystemTime::now()),
            control: if may_ask {
                caller(client).await?
            } else {
                Control::Of(HashSet::new())
            },
            hidden,
        }))
    }

    pub(crate) fn hides(&self, name: &str) -> bool {
        self.hidden.contains(name)
    }

    /// What it may not see, for people.
    pub(crate) fn hidden(&self) -> impl Iterator<Item = &str> {
        // The rights to control are no sight that anybody misses.
        self.hidden
            .iter()
            .map(String::as_str)
            .filter(|name| *name != "vb_caller")
    }

    pub(crate) fn may_control(&self, client_id: Option<i64>) -> bool {
        match &self.control {
            Control::Everybodys => true,
            Control::Of(clients) => client_id.is_some_and(|client| clients.contains(&client)),
        }
    }
}

async fn caller(client: &Client) -> Result<Control, Error> {
    let row = client.query_typed_one(CALLER, &[]).await?;
    if row.try_get("writes_all")? {
        return Ok(Control::Everybodys);
    }
    Ok(Control::Of(row.try_get::<_, Vec<i64>>("writes")?.into_iter().collect()))
}

fn ahead(theirs: SystemTime, ours: SystemTime) -> i64 {
    let microseconds = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    match theirs.duration_since(ours) {
        Ok(span) => microseconds(span),
        Err(behind) => -microseconds(behind.duration()),
    }
}
