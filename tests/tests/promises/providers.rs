//! The local provider: what it gives, and what happens when it is not there.

use std::fs;

use vb_tests::cluster::Cluster;
use vb_tests::exact_search::cosine;
use vb_tests::store::Store;
use vb_tests::{issues, jobs, wait};

#[test]
fn the_seeded_provider_gives_vectors_of_length_one() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let names: Vec<String> = client.values("select name from vb_providers where enabled", &[]);
    assert_eq!(names, ["sentence_transformers"]);
    let check = client.row("select * from vb_check_provider('sentence_transformers')", &[]);
    assert!(check.get::<bool>("ok"), "{check:?}");
    assert_eq!(check.get::<i32>("dimensions"), 384);
    let seconds: f64 = client.value(
        "select extract(epoch from latency)::float8 from vb_check_provider('sentence_transformers')",
        &[],
    );
    assert!(seconds > 0.0 && seconds < 5.0, "a call took {seconds} s");

    let mut embed = |text: &str| -> Vec<f32> { client.value("select vb_embed($1, 'sentence_transformers')", &[&text]) };
    let (cat, kitten, tax) = (embed("a cat"), embed("a small kitten"), embed("income tax law"));
    for vector in [&cat, &kitten, &tax] {
        assert_eq!(vector.len(), 384);
        let length: f64 = vector
            .iter()
            .map(|number| f64::from(*number).powi(2))
            .sum::<f64>()
            .sqrt();
        assert!((length - 1.0).abs() < 1e-4, "the vector is {length} long");
    }
    assert!(cosine(&cat, &kitten) > cosine(&cat, &tax) + 0.2);
    assert!(
        cosine(&cat, &embed("a cat")) > 0.999_999,
        "the same text has the same vector"
    );
    let default: Vec<f32> = client.value("select vb_embed('a cat')", &[]);
    assert!(cosine(&cat, &default) > 0.999_999, "the only provider is the default");
}

#[test]
fn a_missing_model_pauses_the_job_with_the_reason_until_it_is_there() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 20);
    let nothing = cluster.home().join("no-models-here");
    fs::create_dir(&nothing).expect("a folder can be made beside the data");
    client.run(&format!(
        "alter system set vector_backfill.model_directory = '{}'",
        nothing.display()
    ));
    client.reload();
    wait::until("the new setting", || {
        let setting: String = client.value("select current_setting('vector_backfill.model_directory')", &[]);
        setting.ends_with("no-models-here").then_some(())
    });

    let check = client.row("select * from vb_check_provider('sentence_transformers')", &[]);
    assert!(!check.get::<bool>("ok"), "{check:?}");
    assert!(check.get::<String>("detail").contains("no-models-here"), "{check:?}");
    let error = client.error("select vb_embed('a cat')", &[]);
    assert!(error.to_string().contains("no-models-here"), "{error}");
    let job = jobs::enqueue(&mut client, 1, "issues");
    let paused = jobs::until(&mut client, job, "a pause", |now| now.state == "paused");
    let reason = paused.last_error.or(paused.reason).expect("a paused job has a reason");
    assert!(reason.contains("no-models-here"), "{reason}");
    let findings: Vec<String> = client.values("select concat(finding, ' ', hint) from vb_health()", &[]);
    assert!(
        findings.iter().any(|finding| finding.contains(&job.to_string())),
        "{findings:?}"
    );
    let references: i64 = client.value("select count(*) from qdrant_vectors", &[]);
    assert_eq!(references, 0);

    client.run("alter system reset vector_backfill.model_directory");
    client.reload();
    wait::until("a provider that works", || {
        let ok: bool = client.value("select ok from vb_check_provider('sentence_transformers')", &[]);
        ok.then_some(())
    });
    client.run(&format!("select vb_resume({job})"));
    assert_eq!(jobs::completed(&mut client, job).successful, 20);
    let store = Store::of(&cluster, &mut client);
    assert_eq!(issues::assert_agreement(&mut client, &store, 1), 20);
}

#[test]
fn a_missing_library_is_named() {
    let cluster = Cluster::with_settings(
        "shared_preload_libraries = 'vector_backfill'
         vector_backfill.onnxruntime_library = '/nowhere/libonnxruntime.so'",
    );
    let mut client = cluster.create_database("shop");
    let check = client.row("select * from vb_check_provider('sentence_transformers')", &[]);
    assert!(!check.get::<bool>("ok"), "{check:?}");
    assert!(
        check.get::<String>("detail").contains("/nowhere/libonnxruntime.so"),
        "{check:?}"
    );
    let findings: Vec<String> = client.values("select concat(finding, ' ', hint) from vb_health()", &[]);
    assert!(
        findings.iter().any(|finding| finding.contains("sentence_transformers")),
        "{findings:?}"
    );
}

#[test]
fn without_an_enabled_provider_a_job_pauses_and_says_which_there_are() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 5);
    client.run("update vb_providers set enabled = false");
    let error = client.error(
        "select vb_enqueue_backfill(1, 'issues', provider => 'sentence_transformers')",
        &[],
    );
    assert!(
        error.message.contains("sentence_transformers") && error.hint.is_some(),
        "{error}"
    );
    let job = jobs::enqueue(&mut client, 1, "issues");
    let paused = jobs::until(&mut client, job, "a pause", |now| now.state == "paused");
    assert!(
        paused
            .last_error
            .is_some_and(|reason| reason.contains("sentence_transformers"))
    );
    client.run("update vb_providers set enabled = true");
    client.run(&format!("select vb_resume({job})"));
    jobs::completed(&mut client, job);
    let model: String = client.value("select distinct model from qdrant_vectors", &[]);
    assert_eq!(model, "all-MiniLM-L6-v2");
    let reason: Option<String> = client.value("select reason from vb_progress($1::bigint)", &[&job]);
    assert!(reason.is_some(), "a job says why it has this provider");
}
