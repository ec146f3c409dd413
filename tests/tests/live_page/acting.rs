//! Buttons do what they say, for those who may, and an error that appears can be tried again.

use vb_provider_double::script;
use vb_tests::browser::Browser;
use vb_tests::monitoring::Source;
use vb_tests::{jobs, services, wait};

use crate::shop::{DATABASE, ROLE, Shop};

#[test]
fn a_job_is_paused_and_goes_on_by_button() {
    let (mut shop, job) = Shop::at_work();
    let browser = Browser::start();
    browser.open(&shop.page.url(&format!("/jobs/{job}")));
    browser.click("[data-action=\"pause\"]");
    let state = |browser: &Browser| browser.attribute("[data-field=\"state\"]", "data-value");
    wait::until("the pause on the page", || {
        (state(&browser).as_deref() == Some("paused")).then_some(())
    });
    assert_eq!(jobs::progress(&mut shop.client, job).state, "paused");
    assert_eq!(
        browser.count("[data-action=\"pause\"]"),
        0,
        "what makes no sense is not offered"
    );
    browser.click("[data-action=\"resume\"]");
    wait::until("the job on the page", || {
        matches!(state(&browser).as_deref(), Some("queued" | "running")).then_some(())
    });
    jobs::until(&mut shop.client, job, "its going on", |now| now.state == "running");
    let by: Vec<String> = shop.client.values(
        "select distinct role::text from vb_audit where action in ('pause', 'resume') and job_id = $1::bigint and role::text = $2",
        &[&job, &ROLE],
    );
    assert_eq!(by, [ROLE], "it is known who did it");

    // It asks once more, and is not done when one thinks better of it.
    browser.click("[data-action=\"cancel\"]");
    browser.click("[data-action=\"cancel-keep\"]");
    browser.click("[data-action=\"cancel\"]");
    browser.click("[data-action=\"cancel-confirm\"]");
    wait::until("the end on the page", || {
        (state(&browser).as_deref() == Some("cancelled")).then_some(())
    });
}

#[test]
fn an_error_appears_and_is_tried_again_by_button() {
    let mut shop = Shop::open();
    shop.service.follow(script::well());
    shop.client
        .run("select vb_cancel(job_id) from vb_jobs where state = 'paused'");
    let parts: i64 = shop
        .client
        .value("select job_id from vb_job_status where failed_records > 0", &[]);
    let browser = Browser::start();
    browser.open(&shop.page.url(&format!("/errors?job={parts}")));
    wait::until("three errors", || (browser.count("tr[data-record]") == 3).then_some(()));
    browser.click("tr[data-record=\"part of the past\"] input[type=checkbox]");
    browser.click("#retry-selected");
    browser.shown("#retry-result");
    shop.failed_parts(2);
    jobs::completed(&mut shop.client, parts);
    let embedded: i64 = shop.client.value(
        "select count(*) from qdrant_vectors where record_id = 'part of the past'",
        &[],
    );
    assert_eq!(embedded, 1);

    // One that appears while somebody looks at the job.
    shop.service.follow(script::refusing("bad note"));
    shop.client.run("insert into notes values (99999, 2, 'a bad note')");
    let job = services::enqueue(&mut shop.client, 2, "cloud", 10);
    browser.open(&shop.page.url(&format!("/jobs/{job}")));
    browser.until("#job-errors", "the error", |text| text.contains("99999"));
    jobs::completed(&mut shop.client, job);
    shop.service.follow(script::well());
    browser.click("[data-action=\"retry\"]");
    wait::until("its vector", || {
        let embedded: i64 = shop
            .client
            .value("select count(*) from qdrant_vectors where record_id = '99999'", &[]);
        (embedded == 1).then_some(())
    });
    browser.until("[data-field=\"failed_records\"]", "no failed record", |text| {
        text.starts_with('0')
    });
}

#[test]
fn nothing_is_offered_to_those_who_may_only_look() {
    let (mut shop, job) = Shop::at_work();
    shop.client.run(
        "create role watcher login; grant pg_monitor to watcher; create role reader login; select vb_grant_access('reader', 1)",
    );
    let browser = Browser::start();
    for (role, arguments) in [
        (ROLE, [].as_slice()),
        ("watcher", &["--control"]),
        ("reader", &["--control"]),
    ] {
        let page = Source::page_with(&shop.cluster, DATABASE, role, arguments);
        browser.open(&page.url(&format!("/jobs/{job}")));
        browser.shown("[data-field=\"successful_records\"]");
        assert_eq!(browser.count("[data-action]"), 0, "{role}");
        browser.open(&page.url("/errors"));
        let seen = match role {
            "reader" => 0,
            _ => 3,
        };
        if seen == 0 {
            browser.until("main", "that there are none", |text| text.contains("No failed records"));
        }
        wait::until("errors", || (browser.count("#errors tbody tr") == seen).then_some(()));
        let text = browser.text("main").unwrap_or_default();
        assert_eq!(text.contains("part of the past"), role == ROLE, "{role}: {text}");
        browser.open(&page.url("/"));
        browser.shown(&format!("#jobs tr[data-job=\"{job}\"]"));
        let all: i64 = shop.client.value("select count(*) from vb_job_status", &[]);
        let mine = if role == "reader" { 1 } else { all };
        wait::until("jobs", || {
            (browser.count("#jobs tr[data-job]") as i64 == mine).then_some(())
        });
    }
}
