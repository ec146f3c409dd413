//! A real Prometheus asks both sources and follows the rules.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use vb_tests::cluster::Stop;
use vb_tests::exposition::Labels;
use vb_tests::monitoring::{Prometheus, Source, file};
use vb_tests::wait;

use crate::names::{COMMON, OF_THE_EXPORTER};
use crate::shop::{DATABASE, ROLE, Shop, at_work};

/// The rules, with alerts that fire as soon as there is a reason.
fn rules_without_waiting() -> String {
    let rules = fs::read_to_string(file("alerts.yaml")).expect("the rules can be read");
    let at_once = |line: &str| match line.trim_start().starts_with("for: ") {
        true => String::new(),
        false => format!("{line}\n"),
    };
    rules.lines().map(at_once).collect()
}

fn elements(value: &Value) -> &[Value] {
    value.as_array().expect("an array")
}

/// Jobs whose targets are up.
fn up(prometheus: &Prometheus) -> BTreeSet<String> {
    let targets = prometheus.ask("targets?state=active");
    elements(&targets["activeTargets"])
        .iter()
        .filter(|target| target["health"] == "up")
        .map(|target| text(&target["labels"]["job"]))
        .collect()
}

/// Jobs by whose metrics the alert fires.
fn firing(prometheus: &Prometheus, alert: &str) -> BTreeSet<String> {
    let alerts = prometheus.ask("alerts");
    elements(&alerts["alerts"])
        .iter()
        .filter(|found| found["state"] == "firing" && found["labels"]["alertname"] == alert)
        .map(|found| text(&found["labels"]["job"]))
        .collect()
}

/// Labels of the samples that a job's target shows under a name now, without those that say where they are from. What is unknown is
/// no number from the exporter, and absent from the page.
fn samples(prometheus: &Prometheus, name: &str, job: &str) -> BTreeSet<Labels> {
    let answer = prometheus.ask(&format!("query?query={name}"));
    elements(&answer["result"])
        .iter()
        .filter(|sample| sample["value"][1] != "NaN")
        .map(|sample| serde_json::from_value::<Labels>(sample["metric"].clone()).expect("labels are texts"))
        .filter(|labels| labels["job"] == job)
        .map(|mut labels| {
            labels.retain(|label, _| ![OF_THE_EXPORTER, "instance", "job"].contains(&label.as_str()));
            labels
        })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[test]
fn both_sources_agree_and_alerts_fire_by_either() {
    let Shop {
        mut cluster,
        mut client,
    } = at_work();
    let exporter = Source::exporter(&cluster, DATABASE, ROLE);
    let page = Source::page(&cluster, DATABASE, ROLE);
    let prometheus = Prometheus::start(&rules_without_waiting(), &[("exporter", &exporter), ("page", &page)]);
    let both = BTreeSet::from(["exporter".to_owned(), "page".to_owned()]);
    wait::until("both targets", || (up(&prometheus) == both).then_some(()));

    for (name, _) in COMMON {
        wait::until(&format!("the same samples of {name} from both"), || {
            let of_exporter = samples(&prometheus, name, "exporter");
            let of_page = samples(&prometheus, name, "page");
            (of_exporter == of_page && !of_page.is_empty()).then_some(())
        });
    }
    let rules = prometheus.ask("rules");
    for rule in elements(&rules["groups"])
        .iter()
        .flat_map(|group| elements(&group["rules"]))
    {
        assert_eq!(rule["health"], "ok", "{rule:#}");
    }

    let until_fired_by = |alert: &str, jobs: &BTreeSet<String>| {
        wait::until(&format!("{alert} by {jobs:?}"), || {
            (firing(&prometheus, alert) == *jobs).then_some(())
        });
    };
    let neither = BTreeSet::new();
    until_fired_by("VectorBackfillJobPaused", &both);
    until_fired_by("VectorBackfillAllPaused", &neither);
    client.run("alter system set vector_backfill.paused = on");
    client.reload();
    until_fired_by("VectorBackfillAllPaused", &both);
    client.run("alter system set vector_backfill.paused = off");
    client.reload();
    until_fired_by("VectorBackfillAllPaused", &neither);

    until_fired_by("VectorBackfillDatabaseDown", &neither);
    cluster.stop(Stop::Fast);
    until_fired_by("VectorBackfillDatabaseDown", &both);
    cluster.launch();
    until_fired_by("VectorBackfillDatabaseDown", &neither);
}
