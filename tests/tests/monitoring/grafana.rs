//! Every query of Grafana's dashboard runs, for a role that only monitors, and has something to show.

use std::fs;

use serde_json::Value;
use vb_tests::client::Client;
use vb_tests::monitoring::file;

use crate::shop::{DATABASE, ROLE, at_work};

/// A variable of the dashboard: the query that finds its values, and what it stands for when all are chosen.
struct Variable {
    name: String,
    query: String,
    all: String,
}

struct Dashboard {
    variables: Vec<Variable>,
    /// Titles and queries of panels.
    panels: Vec<(String, String)>,
}

fn dashboard() -> Dashboard {
    let text = fs::read_to_string(file("grafana.json")).expect("the dashboard can be read");
    let dashboard: Value = serde_json::from_str(&text).expect("the dashboard is JSON");
    let elements = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let variables = elements(&dashboard["templating"]["list"])
        .iter()
        .filter(|variable| variable["type"] == "query")
        .map(|variable| Variable {
            name: text(&variable["name"]),
            query: text(&variable["query"]),
            all: text(&variable["allValue"]),
        })
        .collect();
    let panels = elements(&dashboard["panels"])
        .iter()
        .flat_map(|panel| {
            let targets = elements(&panel["targets"]);
            targets
                .into_iter()
                .map(|target| (text(&panel["title"]), text(&target["rawSql"])))
        })
        .collect();
    Dashboard { variables, panels }
}

/// The query as Grafana sends it for the last hour: its macros written out, variables in the place of their names.
fn written_out(query: &str, values: &[(String, String)]) -> String {
    let mut sql = query.replace("$__interval", "60");
    for (name, value) in values {
        sql = sql.replace(&format!("${name}"), value);
    }
    sql = macro_written_out(&sql, "$__timeFilter(", |column| {
        format!("{column} between now() - interval '1 hour' and now()")
    });
    // A day is a day: Grafana's moments are texts, which are read as whatever the column is.
    sql = sql.replace(
        "day between now() - interval '1 hour'",
        "day between (now() - interval '1 day')::date",
    );
    sql = macro_written_out(&sql, "$__timeGroup(", |arguments| {
        let (column, seconds) = arguments.split_once(", ").expect("a column and an interval");
        format!("floor(extract(epoch from {column}) / {seconds}) * {seconds}")
    });
    assert!(!sql.contains('$'), "something is not written out: {sql}");
    sql
}

fn macro_written_out(sql: &str, opening: &str, meaning: impl Fn(&str) -> String) -> String {
    let mut parts = sql.split(opening);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (arguments, rest) = part.split_once(')').expect("a macro ends");
        out += &meaning(arguments);
        out += rest;
    }
    out
}

/// Fails for a query that has nothing to show.
fn assert_shows(client: &mut Client, title: &str, sql: &str) {
    let rows = client.rows(sql, &[]);
    assert!(!rows.is_empty(), "nothing to show in {title}: {sql}");
}

#[test]
fn every_query_of_the_dashboard_has_something_to_show() {
    let shop = at_work();
    let mut client = shop.cluster.connect_as(DATABASE, ROLE);
    let Dashboard { variables, panels } = dashboard();
    assert!(variables.len() == 3 && panels.len() > 15, "{} panels", panels.len());

    let all: Vec<_> = variables
        .iter()
        .map(|variable| (variable.name.clone(), variable.all.clone()))
        .collect();
    // As when somebody chooses each value: quoted, with commas.
    let each: Vec<_> = variables
        .iter()
        .map(|variable| {
            let values: Vec<String> = client.values(&written_out(&variable.query, &all), &[]);
            assert!(!values.is_empty(), "nothing to choose: {}", variable.query);
            (variable.name.clone(), format!("'{}'", values.join("','")))
        })
        .collect();
    for chosen in [&all, &each] {
        for (title, query) in &panels {
            assert_shows(&mut client, title, &written_out(query, chosen));
        }
        for variable in &variables {
            assert_shows(&mut client, &variable.name, &written_out(&variable.query, chosen));
        }
    }
}
