//! What the page shows moves by itself and agrees with SQL.

use vb_tests::browser::Browser;
use vb_tests::{jobs, wait};

use crate::shop::{HOSTILE, Shop, number};

#[test]
fn a_job_moves_by_itself_and_says_what_sql_says() {
    let (mut shop, job) = Shop::at_work();
    let browser = Browser::start();
    browser.open(&shop.page.url(&format!("/jobs/{job}")));
    let field = "[data-field=\"successful_records\"]";
    // The mark stays only while the page is not loaded anew.
    browser.run("window.mark = 'this page'");
    let first = number(&browser.shown(field));
    let later = browser.until(field, "more records", |text| number(text) >= first + 40);
    assert_eq!(browser.run("return window.mark"), "this page");
    let now = shop.successful(job);
    assert!(number(&later) <= now, "{later} of {now}");
    assert!(number(&later) >= now - 200, "{later} of {now}");
    let total = number(&browser.shown("[data-field=\"total_records\"]"));
    assert_eq!(total, jobs::progress(&mut shop.client, job).total);
    assert_eq!(
        browser.attribute("[data-field=\"state\"]", "data-value").as_deref(),
        Some("running")
    );
    browser.until("[data-field=\"estimate\"]", "an estimate", |text| {
        text.chars().any(|c| c.is_ascii_digit())
    });
    wait::until("a chart", || {
        (browser.count("[role=img][aria-label]") >= 2).then_some(())
    });
    assert!(browser.console().is_empty(), "{}", browser.console());
}

#[test]
fn the_overview_says_what_is_wrong_what_runs_and_what_it_costs() {
    let (mut shop, job) = Shop::at_work();
    let browser = Browser::start();
    browser.open(&shop.page.url("/"));
    let causes: Vec<String> = shop.client.values("select distinct cause from vb_health()", &[]);
    assert!(causes.contains(&"job_paused".to_owned()), "{causes:?}");
    for cause in causes {
        wait::until(&cause, || {
            (browser.count(&format!("#health li[data-cause=\"{cause}\"]")) > 0).then_some(())
        });
    }
    let row = format!("#jobs tr[data-job=\"{job}\"]");
    browser.shown(&row);
    let jobs: i64 = shop.client.value("select count(*) from vb_job_status", &[]);
    wait::until("all jobs", || {
        (browser.count("#jobs tr[data-job]") as i64 == jobs).then_some(())
    });
    let bar = format!("{row} [role=\"progressbar\"]");
    let first = browser
        .attribute(&bar, "aria-valuenow")
        .expect("a bar says how far it is");
    wait::until("progress", || {
        (browser.attribute(&bar, "aria-valuenow")? != first).then_some(())
    });
    wait::until("clients", || (browser.count("#clients tbody tr") == 3).then_some(()));

    // What is put right is gone from the list.
    let paused: i64 = shop
        .client
        .value("select job_id from vb_job_status where state = 'paused'", &[]);
    shop.client.run(&format!("select vb_cancel({paused})"));
    wait::until("the end of the finding", || {
        (browser.count("#health li[data-cause=\"job_paused\"]") == 0).then_some(())
    });
    browser.shown("[data-testid=\"all-well\"]");
    assert!(browser.console().is_empty(), "{}", browser.console());
}

#[test]
fn coverage_providers_and_collections_agree_with_sql() {
    let (mut shop, _) = Shop::at_work();
    let browser = Browser::start();
    browser.open(&shop.page.url("/coverage"));
    let rows = shop.client.rows(
        "select client_id, source::text, percent::text from vb_coverage where client_id = 2",
        &[],
    );
    assert_eq!(rows.len(), 2);
    for row in rows {
        let (client, source, percent) = (
            row.get::<i64>("client_id"),
            row.get::<String>("source"),
            row.get::<String>("percent"),
        );
        let cell = format!("#map td[data-client=\"{client}\"][data-source=\"{source}\"]");
        let whole = percent.split('.').next().unwrap_or_default().to_owned();
        browser.until(&cell, "the same coverage", |text| text.contains(&whole));
    }
    browser.open(&shop.page.url("/providers"));
    browser.until("#providers", "the service", |text| {
        text.contains("cloud") && text.contains("sentence_transformers")
    });
    let collections: Vec<String> = shop.client.values("select name from vb_collections", &[]);
    browser.until("#collections", "all collections", |text| {
        collections.iter().all(|name| text.contains(name))
    });
    assert!(browser.console().is_empty(), "{}", browser.console());
}

#[test]
fn errors_are_found_filtered_and_downloaded_and_a_key_is_only_text() {
    let mut shop = Shop::open();
    shop.failed_parts(3);
    let browser = Browser::start();
    browser.open(&shop.page.url("/errors"));
    wait::until("three errors", || (browser.count("tr[data-record]") == 3).then_some(()));
    browser.until("#errors", "the hostile key as text", |text| {
        text.contains("<script>document.title")
    });
    assert_ne!(browser.run("return document.title"), "run");
    assert_eq!(browser.count("#errors img"), 0);
    let keys = browser.run("return [...document.querySelectorAll('tr[data-record]')].map(row => row.dataset.record)");
    assert!(
        keys.as_array().expect("a list").iter().any(|key| key == HOSTILE),
        "{keys}"
    );

    browser.type_into("#error-search", "PAST");
    wait::until("one error", || (browser.count("tr[data-record]") == 1).then_some(()));
    let link = browser.attribute("#csv", "href").expect("a link");
    assert!(link.contains("q=PAST"), "{link}");
    let all = vb_tests::http::text(shop.page.port, "/errors.csv").expect("a file");
    assert_eq!(all.lines().filter(|line| line.contains("poison")).count(), 3, "{all}");
    // A spreadsheet would run it.
    assert!(all.contains("'=cmd()") && !all.contains(",=cmd()"), "{all}");
    let some = vb_tests::http::text(shop.page.port, &link).expect("a file");
    assert_eq!(some.lines().count(), 2, "{some}");
    browser.open(&shop.page.url("/errors?class=crash"));
    browser.until("main", "that there are none", |text| {
        text.contains("No failed record fits")
    });
    assert_eq!(browser.count("tr[data-record]"), 0);
    assert!(browser.console().is_empty(), "{}", browser.console());
}
