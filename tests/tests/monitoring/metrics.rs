//! Both sources of metrics show what was promised, in a form that Prometheus has nothing against.

use std::path::Path;

use vb_tests::cluster::Cluster;
use vb_tests::exposition::families;
use vb_tests::monitoring::{Source, promtool};
use vb_tests::wait;

use crate::names::{COMMON, OF_THE_EXPORTER, OF_THE_PAGE, expected, shapes};
use crate::shop::{DATABASE, ROLE, Shop, at_work};

#[test]
fn the_exporter_shows_every_metric_to_a_role_that_only_monitors() {
    let Shop { cluster, .. } = at_work();
    let mut exporter = Source::exporter(&cluster, DATABASE, ROLE);
    let text = exporter.metrics();
    let mut found = families(&text);
    for (name, family) in &mut found {
        assert!(!family.help.is_empty(), "{name} says nothing of itself");
        for labels in &mut family.samples {
            assert!(labels.remove(OF_THE_EXPORTER).is_some(), "{name} {labels:?}");
        }
    }
    assert_eq!(shapes(&found), expected(&[&COMMON]));
    assert_eq!(promtool(&["check", "metrics"], Path::new("/"), &text), "");
}

#[test]
fn the_live_page_shows_every_metric_to_a_role_that_only_monitors() {
    let Shop { cluster, .. } = at_work();
    let mut page = Source::page(&cluster, DATABASE, ROLE);
    // It may answer before it has looked at all.
    let text = wait::until("all metrics", || {
        let text = page.metrics();
        (families(&text).len() >= COMMON.len() + OF_THE_PAGE.len()).then_some(text)
    });
    let found = families(&text);
    assert!(found.values().all(|family| !family.help.is_empty()), "{found:#?}");
    assert_eq!(shapes(&found), expected(&[&COMMON, &OF_THE_PAGE]));
    assert_eq!(promtool(&["check", "metrics"], Path::new("/"), &text), "");
}

#[test]
fn a_database_with_nothing_in_it_has_metrics_too() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database(DATABASE);
    client.run(&format!("create role {ROLE} login; grant pg_monitor to {ROLE}"));
    let mut exporter = Source::exporter(&cluster, DATABASE, ROLE);
    let found = families(&exporter.metrics());
    assert_eq!(found["vb_worker_running"].samples.len(), 1, "{found:#?}");
}
