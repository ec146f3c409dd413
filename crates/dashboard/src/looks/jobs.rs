//! Lists of jobs, each with its filter.

use serde_json::{Value, json};
use tokio_postgres::Error;
use tokio_postgres::types::Type;

use crate::looks::{Look, Statement, whole};

const JOBS: Statement = Statement {
    sql: include_str!("../../sql/jobs.sql"),
    reads: &["vb_job_status"],
};
const TOTAL: Statement = Statement {
    sql: include_str!("../../sql/jobs_total.sql"),
    reads: &["vb_job_status"],
};

/// Jobs of one page.
const PAGE: usize = 200;

/// Which jobs; what is not set fits all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Filter {
    pub(crate) states: Option<Vec<String>>,
    pub(crate) client: Option<i64>,
    pub(crate) source: Option<String>,
    /// The page of older ones.
    pub(crate) before_job: Option<i64>,
}

pub(crate) async fn payload(look: &mut Look<'_>, filter: &Filter) -> Result<Value, Error> {
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let wanted: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 5] = [
        (&filter.states, Type::TEXT_ARRAY),
        (&filter.client, Type::INT8),
        (&filter.source, Type::TEXT),
        (&filter.before_job, Type::INT8),
        (&limit, Type::INT8),
    ];
    let mut jobs = look.objects(JOBS, &wanted).await?;
    let total = look.objects(TOTAL, &wanted[..3]).await?;
    let more = jobs.len() > PAGE;
    jobs.truncate(PAGE);
    let jobs: Vec<_> = jobs.into_iter().map(|job| look.with_control(job)).collect();
    let total = total
        .first()
        .and_then(|row| whole(row.get("jobs")?))
        .unwrap_or_default();
    Ok(json!({ "jobs": jobs, "total": total, "more": more }))
}
