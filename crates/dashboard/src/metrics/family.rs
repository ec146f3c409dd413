//! Families of metrics, each a column of rows, with labels that are other columns.

use prometheus::{CounterVec, GaugeVec, Opts, Registry};
use serde_json::Value;

use crate::looks::Object;
use crate::metrics::names::ZERO_WHEN_UNKNOWN;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Gauge,
    Counter,
}

/// One metric of each row: the name, the column with its value, what it is.
pub(crate) type Metric = (&'static str, &'static str, &'static str);

/// Metrics that share their rows and labels. Names of counters end in `_total`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Family {
    pub(crate) labels: &'static [&'static str],
    pub(crate) metrics: &'static [Metric],
}

impl Family {
    /// What is not known of a row is left out, unless nothing known is nothing there.
    pub(crate) fn register(&self, registry: &Registry, rows: &[Object]) -> Result<(), prometheus::Error> {
        for (name, column, help) in self.metrics {
            let mut values = rows
                .iter()
                .filter_map(|row| {
                    let known = number(row.get(*column)?);
                    let value = known.or_else(|| ZERO_WHEN_UNKNOWN.contains(name).then_some(0.0))?;
                    Some((self.values(row), value))
                })
                .peekable();
            if values.peek().is_none() {
                continue;
            }
            let opts = Opts::new(*name, *help);
            match of(name) {
                Type::Gauge => {
                    let gauges = GaugeVec::new(opts, self.labels)?;
                    registry.register(Box::new(gauges.clone()))?;
                    values.for_each(|(labels, value)| gauges.with_label_values(&labels).set(value));
                }
                Type::Counter => {
                    let counters = CounterVec::new(opts, self.labels)?;
                    registry.register(Box::new(counters.clone()))?;
                    values.for_each(|(labels, value)| counters.with_label_values(&labels).inc_by(value.max(0.0)));
                }
            }
        }
        Ok(())
    }

    fn values(&self, row: &Object) -> Vec<String> {
        self.labels
            .iter()
            .map(|label| row.get(*label).map(text).unwrap_or_default())
            .collect()
    }
}

fn of(name: &str) -> Type {
    if name.ends_with("_total") {
        Type::Counter
    } else {
        Type::Gauge
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(yes) => Some(f64::from(u8::from(*yes))),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use prometheus::TextEncoder;
    use serde_json::json;

    use super::*;

    const FAMILY: Family = Family {
        labels: &["client_id", "source"],
        metrics: &[
            ("vb_things", "things", "Things that there are"),
            ("vb_thefts_total", "thefts", "Things that were stolen"),
            ("vb_absent", "nowhere", "Nothing"),
        ],
    };

    #[test]
    fn rows_become_series_and_what_is_not_known_is_left_out() {
        let rows = [
            json!({ "client_id": 1, "source": "a\"b\\c\nd", "things": true, "thefts": 2.5 }),
            json!({ "client_id": "9007199254740993", "source": null, "things": null, "thefts": "7" }),
        ];
        let rows: Vec<_> = rows.iter().filter_map(|row| row.as_object().cloned()).collect();
        let registry = Registry::new();
        FAMILY.register(&registry, &rows).expect("names are right");
        let shown = TextEncoder::new()
            .encode_to_string(&registry.gather())
            .expect("it can be written");
        let expected = "# HELP vb_thefts_total Things that were stolen
# TYPE vb_thefts_total counter
vb_thefts_total{client_id=\"1\",source=\"a\\\"b\\\\c\\nd\"} 2.5
vb_thefts_total{client_id=\"9007199254740993\",source=\"\"} 7
# HELP vb_things Things that there are
# TYPE vb_things gauge
vb_things{client_id=\"1\",source=\"a\\\"b\\\\c\\nd\"} 1
";
        assert_eq!(shown, expected);
    }
}
