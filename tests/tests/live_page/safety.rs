//! The page does nothing for those who should not have it done.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use vb_tests::jobs;
use vb_tests::monitoring::Source;

use crate::shop::{DATABASE, ROLE, Shop};

/// Head and body of an answer to a request that is written as it is.
fn ask(port: u16, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    (head.to_owned(), body.to_owned())
}

fn post(port: u16, path: &str, headers: &str) -> (String, String) {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Type: application/json\r\n{headers}Content-Length: 2\r\n\r\n{{}}"
    );
    ask(port, &request)
}

fn get(port: u16, path: &str, headers: &str) -> (String, String) {
    ask(
        port,
        &format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n"),
    )
}

#[test]
fn a_button_works_only_from_the_page_itself() {
    let (mut shop, job) = Shop::at_work();
    let port = shop.page.port;
    let own = format!("Host: 127.0.0.1:{port}\r\n");
    let (_, shell) = get(port, "/", &own);
    let (_, token) = shell.split_once("name=\"vb-csrf\" content=\"").expect("a token");
    let (token, _) = token.split_once('"').expect("a token ends");
    let path = format!("/api/jobs/{job}/pause");
    for (headers, status) in [
        (String::new(), "403"),
        ("X-Vb-Csrf: wrong\r\n".to_owned(), "403"),
        (format!("X-Vb-Csrf: {token}\r\nOrigin: http://evil.example\r\n"), "403"),
        (format!("X-Vb-Csrf: {token}\r\nSec-Fetch-Site: cross-site\r\n"), "403"),
    ] {
        let (head, body) = post(port, &path, &headers);
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status}")),
            "{headers:?}: {head}\n{body}"
        );
        assert_eq!(jobs::progress(&mut shop.client, job).state, "running");
    }
    let right = format!("X-Vb-Csrf: {token}\r\nOrigin: http://127.0.0.1:{port}\r\nSec-Fetch-Site: same-origin\r\n");
    let (head, body) = post(port, "/api/jobs/4711/pause", &right);
    assert!(
        head.starts_with("HTTP/1.1 404") && body.contains("4711"),
        "{head}\n{body}"
    );
    let (head, body) = post(port, &path, &right);
    assert!(
        head.starts_with("HTTP/1.1 200") && body.contains("paused"),
        "{head}\n{body}"
    );
    // Names that lead here by a trick of somebody else's name server.
    let (head, _) = get(port, "/", "Host: evil.example\r\n");
    assert!(head.starts_with("HTTP/1.1 4"), "{head}");

    let page = Source::page(&shop.cluster, DATABASE, ROLE);
    let (_, shell) = get(page.port, "/", &format!("Host: 127.0.0.1:{}\r\n", page.port));
    let (_, token) = shell.split_once("name=\"vb-csrf\" content=\"").expect("a token");
    let (token, _) = token.split_once('"').expect("a token ends");
    let (head, _) = post(
        page.port,
        &format!("/api/jobs/{job}/resume"),
        &format!("X-Vb-Csrf: {token}\r\n"),
    );
    assert!(
        head.starts_with("HTTP/1.1 404"),
        "without --control there is no way: {head}"
    );
    assert_eq!(jobs::progress(&mut shop.client, job).state, "paused");
}

#[test]
fn with_a_token_nothing_is_shown_without_it() {
    let shop = Shop::open();
    let token = "a-token-of-more-than-sixteen-letters";
    let file = tempfile::NamedTempFile::new().expect("a file can be made");
    std::fs::write(file.path(), token).expect("it can be written");
    let path = file.path().display().to_string();
    let page = Source::page_with_token(&shop.cluster, DATABASE, ROLE, &path, token);
    let own = format!("Host: 127.0.0.1:{}\r\n", page.port);
    for path in [
        "/",
        "/jobs/1",
        "/api/events?topic=overview",
        "/api/errors",
        "/errors.csv",
        "/metrics",
        "/assets/main.js",
    ] {
        let (head, body) = get(page.port, path, &own);
        assert!(head.starts_with("HTTP/1.1 401"), "{path}: {head}");
        assert!(!body.contains("issues"), "{path}: {body}");
        let (head, _) = get(
            page.port,
            path,
            &format!("{own}Authorization: Bearer {}\r\n", &token[1..]),
        );
        assert!(head.starts_with("HTTP/1.1 401"), "{path}: {head}");
    }
    let (head, body) = get(
        page.port,
        "/metrics",
        &format!("{own}Authorization: Bearer {token}\r\n"),
    );
    assert!(
        head.starts_with("HTTP/1.1 200") && body.contains("vb_up 1"),
        "{head}\n{body}"
    );
}

#[test]
fn every_answer_forbids_what_the_page_does_not_need() {
    let shop = Shop::open();
    let own = format!("Host: 127.0.0.1:{}\r\n", shop.page.port);
    for path in ["/", "/jobs", "/api/errors", "/assets/main.js", "/nowhere"] {
        let (head, _) = get(shop.page.port, path, &own);
        let head = head.to_lowercase();
        for line in [
            "content-security-policy: default-src 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
        ] {
            assert!(head.contains(line), "{path}: {line} is missing in {head}");
        }
        assert!(!head.contains("unsafe"), "{path}: {head}");
    }
    // No page names anything of elsewhere.
    let (_, shell) = get(shop.page.port, "/", &own);
    assert!(!shell.contains("http://") && !shell.contains("https://"), "{shell}");
    let parameters = [
        "topic=nothing",
        "topic=job",
        "topic=job&job=x",
        "topic=jobs&state=%27",
        "",
        "topic=job&job=99999999999999999999",
    ];
    for parameter in parameters {
        let (head, body) = get(shop.page.port, &format!("/api/events?{parameter}"), &own);
        assert!(head.starts_with("HTTP/1.1 400"), "{parameter}: {head}\n{body}");
        assert!(body.contains("\"message\""), "{parameter}: {body}");
    }
    for parameter in ["job=x", "since=yesterday", "limit=x", "after=x"] {
        let (head, body) = get(shop.page.port, &format!("/api/errors?{parameter}"), &own);
        assert!(head.starts_with("HTTP/1.1 400"), "{parameter}: {head}\n{body}");
    }
}
