//! Calls go as fast as the provider allows, and hardly faster.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vb_engine::provider::config::ProviderConfig;
use vb_engine::provider::contract::ProviderError;
use vb_provider_double::behaviour::Behaviour;
use vb_provider_double::script;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;

use crate::support::{Owner, config, http, passages};

/// Calls as fast as it may from so many tasks for so long; says how many calls were answered, since that moment.
fn press(owner: &Owner, config: &ProviderConfig, tasks: usize, time: Duration, count_from: Duration) -> usize {
    let provider = owner.provider(config).unwrap();
    let start = Instant::now();
    let pressing = (0..tasks).map(|_| {
        let provider = Arc::clone(&provider);
        owner.runtime.spawn(async move {
            let mut answered = 0;
            while start.elapsed() < time {
                match provider.embed(passages(&["a text"])).await {
                    Ok(_) if start.elapsed() >= count_from => answered += 1,
                    Ok(_) | Err(ProviderError::Throttled { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            answered
        })
    });
    let pressing: Vec<_> = pressing.collect();
    pressing
        .into_iter()
        .map(|task| owner.runtime.block_on(task).unwrap())
        .sum()
}

#[test]
fn a_limit_that_nobody_names_is_found_and_kept_with_few_refusals() {
    let allowed = 40;
    let server = ProviderDouble::start(Settings {
        requests_per_second: Some(allowed),
        latency: Duration::from_millis(50),
        ..Settings::default()
    });
    let owner = Owner::new();
    let config = config(&server);
    // The first half minute is for learning; half of that is enough here.
    press(&owner, &config, 8, Duration::from_secs(15), Duration::ZERO);
    server.forget();
    let answered = press(&owner, &config, 8, Duration::from_secs(20), Duration::ZERO) as f64;
    let (asked, refused) = (server.count() as f64, server.refused() as f64);
    let rate = answered / 20.0;
    assert!(
        (rate / f64::from(allowed) - 1.0).abs() <= 0.1,
        "{rate} of {allowed} requests a second"
    );
    assert!(refused < 0.02 * asked, "{refused} of {asked} calls refused");
}

#[test]
fn a_configured_number_of_requests_a_minute_is_kept() {
    let server = ProviderDouble::start(Settings::default());
    let owner = Owner::new();
    let mut config = config(&server);
    http(&mut config).requests_per_minute = Some(600);
    press(&owner, &config, 4, Duration::from_secs(3), Duration::ZERO);
    let count = server.count();
    assert!(
        (20..=46).contains(&count),
        "{count} calls in 3 seconds at 10 a second, as many at once, and one more of each task"
    );
}

#[test]
fn what_headers_say_is_left_is_not_exceeded() {
    let server = ProviderDouble::start_with(
        Settings::default(),
        Box::new(|call| {
            let mut answer = Behaviour::Status(200, Vec::new(), String::new());
            let vector = vb_provider_double::embedding::embedding(&call.texts[0], 32);
            if let Behaviour::Status(_, headers, body) = &mut answer {
                *body = format!(r#"{{"data": [{{"index": 0, "embedding": {vector:?}}}]}}"#);
                headers.push(("x-ratelimit-limit-requests", "6000".into()));
                headers.push((
                    "x-ratelimit-remaining-requests",
                    if call.number == 0 { "3" } else { "0" }.into(),
                ));
                headers.push(("x-ratelimit-reset-requests", "1m0s".into()));
            }
            answer
        }),
    );
    let owner = Owner::new();
    let config = config(&server);
    owner.embed(&config, &["a"]).unwrap();
    owner.embed(&config, &["a"]).unwrap();
    let start = Instant::now();
    let error = owner.failure(&config, &["a"]);
    assert!(
        matches!(&error, ProviderError::Throttled { retry_after: Some(wait), .. } if *wait > Duration::from_secs(50)),
        "{error:?}"
    );
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "nobody waits for a minute in memory"
    );
    assert_eq!(server.count(), 2);
}

#[test]
fn requests_at_the_same_time_settle_at_what_the_provider_allows() {
    let server = ProviderDouble::start(Settings {
        concurrency: Some(8),
        refuses_excess: true,
        latency: Duration::from_millis(50),
        ..Settings::default()
    });
    let owner = Owner::new();
    let config = config(&server);
    press(&owner, &config, 32, Duration::from_secs(10), Duration::ZERO);
    server.forget();
    let answered = press(&owner, &config, 32, Duration::from_secs(10), Duration::ZERO);
    let possible = 8.0 * 10.0 / 0.05;
    let share = answered as f64 / possible;
    assert!(share > 0.75, "{share} of what is possible");
    assert!(
        server.refused() * 50 < server.count(),
        "{} of {} refused",
        server.refused(),
        server.count()
    );
}

#[test]
fn a_query_does_not_wait_behind_passages() {
    let server = ProviderDouble::start_with(
        Settings::default(),
        Box::new(|call| match call.texts[0].as_str() {
            "query" => Behaviour::Well,
            _ => Behaviour::Late(Duration::from_secs(3)),
        }),
    );
    let owner = Owner::new();
    let config = config(&server);
    let provider = owner.provider(&config).unwrap();
    for _ in 0..16 {
        let provider = Arc::clone(&provider);
        owner
            .runtime
            .spawn(async move { provider.embed(passages(&["passage"])).await });
    }
    let start = Instant::now();
    while server.count() < 4 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let query = vb_engine::provider::contract::EmbedRequest {
        purpose: vb_engine::provider::contract::Purpose::Query,
        ..passages(&["query"])
    };
    owner.runtime.block_on(provider.embed(query)).unwrap();
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn latency_and_time_in_work_are_measured() {
    let server = ProviderDouble::start_with(
        Settings {
            latency: Duration::from_millis(30),
            ..Settings::default()
        },
        script::well(),
    );
    let owner = Owner::new();
    (0..5).for_each(|_| drop(owner.embed(&config(&server), &["a"]).unwrap()));
    let report = owner.registry.reports().remove(0);
    let (middle, high) = report.latencies.unwrap();
    assert!(middle >= Duration::from_millis(30) && high >= middle);
    assert!(report.usage.busy >= Duration::from_millis(150));
    assert_eq!(report.usage.requests, 5);
    assert_eq!(report.gate.unwrap().breaker, "closed");
}
