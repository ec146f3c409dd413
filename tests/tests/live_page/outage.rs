//! The page outlives a restart of the database, and says what is going on.

use vb_tests::browser::Browser;
use vb_tests::cluster::Stop;
use vb_tests::{http, jobs, wait};

use crate::shop::{DATABASE, Shop, number};

#[test]
fn a_restart_of_the_server_is_said_and_survived() {
    let (mut shop, job) = Shop::at_work();
    let browser = Browser::start();
    browser.open(&shop.page.url(&format!("/jobs/{job}")));
    browser.run("window.mark = 'this page'");
    let before = number(&browser.shown("[data-field=\"successful_records\"]"));
    assert_eq!(browser.text("#connection"), None);
    assert_eq!(
        http::get(shop.page.port, "/healthz").map(|(status, _)| status).ok(),
        Some(200)
    );

    shop.cluster.stop(Stop::Fast);
    let said = browser.shown("#connection");
    assert!(said.to_lowercase().contains("database"), "{said}");
    wait::until("the state of health", || {
        let (status, _) = http::get(shop.page.port, "/healthz").ok()?;
        (status == 503).then_some(())
    });
    browser.picture("away");
    shop.cluster.launch();
    browser.hidden("#connection");
    shop.client = shop.cluster.connect(DATABASE);
    browser.until("[data-field=\"successful_records\"]", "more records", |text| {
        number(text) > before + 20
    });
    assert_eq!(browser.run("return window.mark"), "this page");
    assert_eq!(jobs::progress(&mut shop.client, job).state, "running");
}

#[test]
fn an_extension_that_is_dropped_and_created_again_is_found_again() {
    let mut shop = Shop::open();
    let browser = Browser::start();
    browser.open(&shop.page.url("/"));
    browser.shown("#jobs tr[data-job]");
    shop.client.run("drop extension vector_backfill cascade");
    browser.until("#connection", "what is missing", |text| {
        text.contains("the extension vector_backfill is not installed in database shop")
    });
    shop.client
        .run("create schema vectors; create extension vector_backfill schema vectors; select vectors.vb_grant_access('dashboard', null)");
    browser.hidden("#connection");
    wait::until("an empty list", || {
        (browser.count("#jobs tr[data-job]") == 0).then_some(())
    });
}
