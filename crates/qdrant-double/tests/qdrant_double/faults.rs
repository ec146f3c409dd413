//! Every way to misbehave.

use std::time::{Duration, Instant};

use qdrant_client::qdrant::{Filter, ScrollPoints, UpdateStatus};
use tonic::{Code, Status};
use vb_qdrant_double::faults::{Fault, Rule};
use vb_qdrant_double::method::Method;

use crate::client::{COLLECTION, Client, numbered, server_with_points, upsert};

/// Longer than any answer that is on its way.
const A_WHILE: Duration = Duration::from_millis(200);

#[tokio::test]
async fn refusals_have_their_codes_and_leave_everything_as_it_was() {
    let (double, mut client) = server_with_points().await;
    let refused: [(Fault, Code, &str, Option<&str>); 5] = [
        (
            Fault::Unavailable,
            Code::Unavailable,
            "Shard temporarily unavailable",
            None,
        ),
        (Fault::Internal("oh".to_owned()), Code::Internal, "oh", None),
        (
            Fault::RateLimited { retry_after: 7 },
            Code::ResourceExhausted,
            "Rate limiting exceeded: Write rate limit exceeded",
            Some("7"),
        ),
        (
            Fault::StorageFull,
            Code::ResourceExhausted,
            "Insufficient storage",
            None,
        ),
        (
            Fault::DiskFull,
            Code::Internal,
            "No space left on device (os error 28)",
            None,
        ),
    ];
    for (fault, code, message, retry_after) in refused {
        double.fault(Rule::new(fault.clone()).on(Method::Upsert).times(1));
        let refusal = client.upsert([numbered(4)]).await.unwrap_err();
        assert_eq!(refusal.code(), code);
        assert!(refusal.message().contains(message), "{refusal}");
        let told = refusal
            .metadata()
            .get("retry-after")
            .map(|value| value.to_str().unwrap());
        assert_eq!(told, retry_after);
        assert_eq!(client.count(None).await.unwrap(), 3);
        let noted = double.calls().into_iter().rfind(|call| call.method == Method::Upsert);
        assert_eq!(noted.unwrap().fault, Some(fault));
    }
    assert_eq!(client.upsert([numbered(4)]).await.unwrap(), UpdateStatus::Completed);
}

#[tokio::test]
async fn a_wait_that_times_out_leaves_open_whether_anything_happened() {
    let (double, mut client) = server_with_points().await;
    double.fault(Rule::new(Fault::WaitTimeout).times(1));
    double.fault(Rule::new(Fault::WaitTimeoutNotApplied).times(1));
    assert_eq!(client.count(None).await.unwrap(), 3, "reads do not wait for updates");
    assert_eq!(client.upsert([numbered(4)]).await.unwrap(), UpdateStatus::WaitTimeout);
    assert_eq!(client.count(None).await.unwrap(), 4);
    assert_eq!(client.upsert([numbered(5)]).await.unwrap(), UpdateStatus::WaitTimeout);
    assert_eq!(client.count(None).await.unwrap(), 4);
    assert_eq!(client.upsert([numbered(5)]).await.unwrap(), UpdateStatus::Completed);
}

#[tokio::test]
async fn rules_follow_upon_each_other() {
    let (double, mut client) = server_with_points().await;
    double.fault(Rule::new(Fault::Unavailable).on(Method::Count).after(1).times(2));
    double.fault(Rule::new(Fault::DiskFull).on(Method::Count).times(2));
    let mut codes = Vec::new();
    for _ in 0..5 {
        codes.push(
            client
                .count(None)
                .await
                .map_or_else(|status| status.code(), |_| Code::Ok),
        );
        client.matching(Filter::default()).await;
    }
    let (disk_full, unavailable) = (Code::Internal, Code::Unavailable);
    assert_eq!(codes, [disk_full, unavailable, unavailable, disk_full, Code::Ok]);
}

#[tokio::test]
async fn a_slow_answer_comes_in_the_end() {
    let (double, mut client) = server_with_points().await;
    double.fault(Rule::new(Fault::Slow(A_WHILE)).on(Method::Count).after(1).times(1));
    client.count(None).await.unwrap();
    let start = Instant::now();
    assert_eq!(client.count(None).await.unwrap(), 3);
    assert!(start.elapsed() >= A_WHILE);
}

#[tokio::test]
async fn a_call_that_hangs_is_applied_and_answered_when_the_faults_are_cleared() {
    let (double, mut client) = server_with_points().await;
    double.fault(Rule::new(Fault::Hang).on(Method::Upsert).times(1));
    let mut other = Client::of(&double);
    let mut hanging = tokio::spawn(async move { other.upsert([numbered(4)]).await });
    while client.count(None).await.unwrap() < 4 {}
    assert!(tokio::time::timeout(A_WHILE, &mut hanging).await.is_err());
    double.clear_faults();
    assert_eq!(hanging.await.unwrap().unwrap(), UpdateStatus::Completed);
}

/// Whether the connection broke, rather than anybody answering.
fn is_broken(outcome: &Result<UpdateStatus, Status>) -> bool {
    use std::error::Error;
    outcome.as_ref().is_err_and(|status| status.source().is_some())
}

#[tokio::test]
async fn a_connection_is_cut_before_or_after_an_update_is_applied() {
    let (double, mut client) = server_with_points().await;
    double.fault(Rule::new(Fault::CutBeforeApply).on(Method::Upsert).times(1));
    double.fault(Rule::new(Fault::CutAfterApply).on(Method::Upsert).times(1));
    let before = client.upsert([numbered(4)]).await;
    assert!(is_broken(&before), "{before:?}");
    assert_eq!(client.count(None).await.unwrap(), 3);
    let after = client.upsert([numbered(4)]).await;
    assert!(is_broken(&after), "{after:?}");
    assert_eq!(client.count(None).await.unwrap(), 4);
    assert_eq!(client.upsert([numbered(4)]).await.unwrap(), UpdateStatus::Completed);
}

#[tokio::test]
async fn a_cut_takes_everything_on_the_connection_with_it_and_nothing_else() {
    let (double, mut client) = server_with_points().await;
    double.fault(Rule::new(Fault::Hang).on(Method::Upsert).times(2));
    double.fault(Rule::new(Fault::CutBeforeApply).on(Method::Scroll).times(1));
    let mut shared = client.points.clone();
    let beside = tokio::spawn(async move { shared.upsert(upsert([numbered(4)])).await });
    let mut far = Client::of(&double);
    let apart = tokio::spawn(async move { far.upsert([numbered(5)]).await });
    while client.count(None).await.unwrap() < 5 {}

    let request = ScrollPoints {
        collection_name: COLLECTION.to_owned(),
        ..ScrollPoints::default()
    };
    client.points.scroll(request).await.unwrap_err();
    beside.await.unwrap().unwrap_err();
    double.clear_faults();
    assert_eq!(apart.await.unwrap().unwrap(), UpdateStatus::Completed);
}
