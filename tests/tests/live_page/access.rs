//! Everybody can use the page: by keyboard, on a telephone, in light and dark, with programs that read it aloud.

use vb_tests::browser::Browser;
use vb_tests::wait;

use crate::shop::Shop;

/// Pages, what shows that they are there, and the picture that is kept of each.
fn pages(job: i64) -> [(String, &'static str, &'static str); 6] {
    [
        ("/jobs".to_owned(), "#jobs tr[data-job]", "jobs"),
        ("/coverage".to_owned(), "#map td[data-client]", "coverage"),
        ("/errors".to_owned(), "tr[data-record]", "errors"),
        ("/providers".to_owned(), "#collections tbody tr", "providers"),
        // At the end, when there is something to draw.
        ("/".to_owned(), "#jobs tr[data-job]", "overview"),
        (format!("/jobs/{job}"), "[data-field=\"successful_records\"]", "job"),
    ]
}

#[test]
fn no_page_has_a_barrier_in_light_or_dark_wide_or_narrow() {
    let (shop, job) = Shop::at_work();
    let browser = Browser::start();
    for (path, sign, picture) in pages(job) {
        browser.open(&shop.page.url(&path));
        for (scheme, suffix) in [("light", ""), ("dark", "-dark")] {
            browser.prefer(scheme);
            for (width, height, size) in [(1280, 900, ""), (390, 844, "-phone")] {
                browser.resize(width, height);
                browser.shown(sign);
                if picture == "job" {
                    // Charts begin with the first samples.
                    wait::until("a chart with points", || {
                        (browser.count("[id^=chart-] canvas") > 0).then_some(())
                    });
                }
                let barriers = browser.barriers();
                assert!(barriers.is_empty(), "{path} {scheme} {width}: {barriers:#?}");
                let beyond =
                    browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
                assert!(
                    beyond.as_f64().is_some_and(|pixels| pixels <= 0.0),
                    "{path} {width}: {beyond} pixels wider"
                );
                browser.picture(&format!("{picture}{suffix}{size}"));
            }
        }
        browser.resize(1280, 900);
        browser.prefer("light");
    }
    assert!(browser.console().is_empty(), "{}", browser.console());
}

#[test]
fn a_job_is_reached_and_paused_by_keyboard_alone() {
    const TAB: &str = "\u{e004}";
    const ENTER: &str = "\u{e007}";
    let (mut shop, job) = Shop::at_work();
    let browser = Browser::start();
    browser.open(&shop.page.url("/"));
    browser.shown(&format!("#jobs tr[data-job=\"{job}\"]"));
    let reach = |what: &str, script: &str| {
        wait::until(what, || {
            browser.press(TAB);
            browser.run(script).as_bool().filter(|there| *there)
        });
        let outline = browser.run(
            "const style = getComputedStyle(document.activeElement);
             return style.outlineStyle !== 'none' || style.boxShadow !== 'none'",
        );
        assert_eq!(outline, true, "{what} shows that it has the focus");
        browser.press(ENTER);
    };
    reach(
        "the link to the job",
        &format!("return document.activeElement.getAttribute('href') === '/jobs/{job}'"),
    );
    browser.shown("[data-action=\"pause\"]");
    reach("the button", "return document.activeElement.dataset.action === 'pause'");
    wait::until("the pause", || {
        let state: String = shop
            .client
            .value("select state from vb_job_status where job_id = $1::bigint", &[&job]);
        (state == "paused").then_some(())
    });
}
