//! Single jobs, all that are watched with one query of each kind.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_postgres::Error;
use tokio_postgres::types::Type;

use crate::looks::spread::{Sample, spread};
use crate::looks::{Look, Object, Statement, amount, whole};

const JOBS: Statement = Statement {
    sql: include_str!("../../sql/watched_jobs.sql"),
    reads: &["vb_job_status"],
};
const BATCHES: Statement = Statement {
    sql: include_str!("../../sql/watched_batches.sql"),
    reads: &["vb_active_batches"],
};
const ERRORS: Statement = Statement {
    sql: include_str!("../../sql/watched_errors.sql"),
    reads: &["vb_error_report"],
};
const SAMPLES: Statement = Statement {
    sql: include_str!("../../sql/watched_samples.sql"),
    reads: &["vb_throughput"],
};

/// What is sent of each of these jobs; `now` is the moment by the database's clock.
pub(crate) async fn payloads(look: &mut Look<'_>, ids: &[i64], now: Timestamp) -> Result<HashMap<i64, Value>, Error> {
    let parameter: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 1] = [(&ids, Type::INT8_ARRAY)];
    let mut jobs = by_job(look.objects(JOBS, &parameter).await?);
    let mut batches = by_job(look.objects(BATCHES, &parameter).await?);
    let mut errors = by_job(look.objects(ERRORS, &parameter).await?);
    let mut samples = by_job(look.objects(SAMPLES, &parameter).await?);
    let payloads = ids.iter().map(|id| {
        let job = jobs.remove(id).and_then(|mut rows| rows.pop());
        let samples = samples.remove(id).unwrap_or_default();
        let spread = job.as_ref().and_then(|job| estimate(job, &samples, now));
        let payload = json!({
            "job": job.map(|job| look.with_control(job)),
            "batches": batches.remove(id).unwrap_or_default(),
            "errors": errors.remove(id).unwrap_or_default(),
            "samples": samples.into_iter().filter_map(shown).collect::<Vec<_>>(),
            "spread": spread,
        });
        (*id, payload)
    });
    Ok(payloads.collect())
}

fn by_job(rows: Vec<Object>) -> HashMap<i64, Vec<Object>> {
    let mut jobs: HashMap<i64, Vec<Object>> = HashMap::new();
    for row in rows {
        if let Some(job_id) = row.get("job_id").and_then(whole) {
            jobs.entry(job_id).or_default().push(row);
        }
    }
    jobs
}

/// The page has older samples from the job's history.
fn shown(mut sample: Object) -> Option<Object> {
    (sample.remove("shown") == Some(Value::Bool(true))).then_some(sample)
}

fn estimate(job: &Object, samples: &[Object], now: Timestamp) -> Option<Value> {
    if job.get("state")? != "running" {
        return None;
    }
    let remaining = amount(job, "total_records") - amount(job, "processed_records");
    let samples: Vec<_> = samples.iter().filter_map(sample).collect();
    let (mut earliest, mut latest) = spread(&samples, remaining.max(0.0))?;
    // The estimate itself, which is made of another span of time, is never outside.
    let speed = amount(job, "records_per_second");
    if speed > 0.0 {
        earliest = earliest.min(remaining / speed);
        latest = latest.max(remaining / speed);
    }
    let at = |seconds: f64| now.checked_add(SignedDuration::try_from_secs_f64(seconds).ok()?).ok();
    Some(json!({ "earliest": at(earliest)?.to_string(), "latest": at(latest)?.to_string() }))
}

fn sample(row: &Object) -> Option<Sample> {
    let at: Timestamp = row.get("sampled_at")?.as_str()?.parse().ok()?;
    Some(Sample {
        at: at.as_millisecond() as f64 / 1000.0,
        records_per_second: row.get("records_per_second")?.as_f64()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn the_spread_is_of_running_jobs() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a moment");
        let samples: Vec<_> = (10..22)
            .map(|second| {
                let at = format!("2025-12-31T23:59:{}Z", second * 2);
                object(json!({ "sampled_at": at, "records_per_second": 10 }))
            })
            .collect();
        let job = |state: &str| object(json!({ "state": state, "total_records": "1000", "processed_records": 400 }));
        assert_eq!(estimate(&job("paused"), &samples, now), None);
        let mut running = job("running");
        running.insert("total_records".into(), json!(1000));
        let end = "2026-01-01T00:01:00Z";
        assert_eq!(
            estimate(&running, &samples, now),
            Some(json!({ "earliest": end, "latest": end }))
        );
        assert_eq!(estimate(&running, &samples[..3], now), None);
        running.insert("records_per_second".into(), json!(20));
        let sooner = json!({ "earliest": "2026-01-01T00:00:30Z", "latest": end });
        assert_eq!(estimate(&running, &samples, now), Some(sooner));
    }
}
