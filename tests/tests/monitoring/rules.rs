//! The rules are ones that Prometheus accepts, each fires for what it is about and for nothing else, and what they tell somebody
//! to type can be typed.

use std::collections::BTreeSet;
use std::fs;

use vb_tests::cluster::Cluster;
use vb_tests::monitoring::{file, guide, promtool};

/// What stands in runbooks for something that only the reader knows.
const TO_BE_FILLED_IN: [&str; 4] = ["JOB", "CLIENT", "NAME", "N"];

/// Functions that do more than look.
const DEEDS: [&str; 2] = ["vb_retry_failed", "vb_check_provider"];

fn rules() -> String {
    fs::read_to_string(file("alerts.yaml")).expect("the rules can be read")
}

fn names() -> BTreeSet<String> {
    let rules = rules();
    let names = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    names.map(str::to_owned).collect()
}

#[test]
fn prometheus_accepts_the_rules() {
    let said = promtool(&["check", "rules", "alerts.yaml"], &file(""), "");
    assert!(said.contains(&format!("{} rules found", names().len())), "{said}");
}

#[test]
fn each_rule_fires_for_what_it_is_about() {
    promtool(&["test", "rules", "alerts_test.yaml"], &file(""), "");
    let tests = fs::read_to_string(file("alerts_test.yaml")).expect("the tests of the rules can be read");
    for name in names() {
        assert!(
            tests.contains(&format!("ALERTS{{alertname=\"{name}\",alertstate=\"firing\",")),
            "no test in which {name} fires"
        );
    }
}

#[test]
fn the_guide_explains_every_rule_and_no_other() {
    let guide = guide();
    let words = guide.split(|letter: char| !letter.is_ascii_alphanumeric());
    let explained: BTreeSet<String> = words
        .filter(|word| word.starts_with("VectorBackfill"))
        .map(str::to_owned)
        .collect();
    assert_eq!(explained, names());
}

/// Statements of runbooks that look at something, with values in the place of labels.
fn looks() -> Vec<String> {
    let mut rules = rules();
    for (label, value) in [
        ("client_id", "1"),
        ("job_id", "1"),
        ("source", "issues"),
        ("cause", "job_paused"),
        ("provider", "openai"),
    ] {
        rules = rules.replace(&format!("{{{{ $labels.{label} }}}}"), value);
    }
    let statements = rules.lines().filter_map(|line| {
        let start = line.find("select ").or_else(|| line.find("show "))?;
        let end = line[start..].find(';')?;
        Some(line[start..start + end].to_owned())
    });
    let filled_in = |statement: &String| {
        let mut words = statement.split(|letter: char| !letter.is_ascii_alphanumeric());
        !words.any(|word| TO_BE_FILLED_IN.contains(&word)) && !DEEDS.iter().any(|deed| statement.contains(deed))
    };
    statements.filter(filled_in).collect()
}

#[test]
fn what_runbooks_say_to_type_can_be_typed() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run("create table issues (id bigint primary key, client_id bigint, title text)");
    let looks = looks();
    assert!(looks.len() > 15, "{looks:#?}");
    for look in &looks {
        client.rows(look, &[]);
    }
}
