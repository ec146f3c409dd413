//! How much of each client's rows has vectors. It is counted over all references, so it is looked at seldom.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::json;
use crate::looks::{Object, Statement, whole};

pub(crate) const COVERAGE: Statement = Statement {
    sql: include_str!("../../sql/coverage.sql"),
    reads: &["vb_coverage"],
};

/// Rows that are sent; those with the most to do come first.
const MOST_ROWS: usize = 10_000;

/// Of these, an overview has the sum for each client.
const SUMMED: [&str; 5] = ["records", "embedded", "stale", "failed", "pending"];

/// What the last look saw.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    rows: Vec<Object>,
    looked_at: Option<Timestamp>,
}

impl Coverage {
    pub(crate) fn new(rows: Vec<Object>, looked_at: Timestamp) -> Self {
        Self {
            rows,
            looked_at: Some(looked_at),
        }
    }

    pub(crate) fn payload(&self) -> Value {
        json!({
            "rows": &self.rows[..self.rows.len().min(MOST_ROWS)],
            "total": self.rows.len(),
            "looked_at": self.looked_at.map(|at| at.to_string()),
        })
    }

    /// The sums of each client, and for how long its oldest change waits.
    pub(crate) fn of_clients(&self) -> HashMap<i64, Object> {
        let mut clients: HashMap<i64, Object> = HashMap::new();
        for row in &self.rows {
            let Some(client) = row.get("client_id").and_then(whole) else {
                continue;
            };
            let sums = clients.entry(client).or_default();
            for name in SUMMED {
                add(sums, name, row, |sum, more| sum + more);
            }
            add(sums, "oldest_pending", row, f64::max);
        }
        clients
    }
}

/// What is not known of one row is left out of the sum; of none, the sum is not known.
fn add(sums: &mut Object, name: &str, row: &Object, join: fn(f64, f64) -> f64) {
    let Some(more) = row.get(name).and_then(Value::as_f64) else {
        return;
    };
    let sum = match sums.get(name).and_then(Value::as_f64) {
        Some(sum) => join(sum, more),
        None => more,
    };
    sums.insert(name.to_owned(), json::float(sum));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_have_the_sums_of_what_is_known() {
        let rows = [
            json!({ "client_id": 1, "records": 10, "pending": 3, "oldest_pending": 1.5 }),
            json!({ "client_id": 1, "records": 5, "pending": null, "oldest_pending": 7.25 }),
            json!({ "client_id": 2, "records": 1, "pending": null, "oldest_pending": null }),
        ];
        let rows = rows.iter().filter_map(|row| row.as_object().cloned()).collect();
        let clients = Coverage::new(rows, Timestamp::UNIX_EPOCH).of_clients();
        assert_eq!(
            Value::from(clients[&1].clone()),
            json!({ "records": 15, "pending": 3, "oldest_pending": 7.25 })
        );
        assert_eq!(Value::from(clients[&2].clone()), json!({ "records": 1 }));
    }
}
