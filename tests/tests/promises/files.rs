//! Files are what was checked, and for nobody else: the local model's, and the folder of vectors.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use vb_tests::cluster::{Cluster, Stop};

#[test]
fn a_model_with_another_digest_is_not_used_and_the_error_says_how_it_would_be() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let wrong = "0".repeat(64);
    client.run(&format!(
        r#"select vb_set_provider('sentence_transformers', options => '{{"sha256": {{"model.onnx": "{wrong}"}}}}')"#
    ));
    let check = client.row("select * from vb_check_provider('sentence_transformers')", &[]);
    let detail: String = check.get("detail");
    assert!(
        !check.get::<bool>("ok") && detail.contains(&wrong) && detail.contains("model.onnx"),
        "{detail}"
    );
    // What it says to do helps.
    let (start, end) = (
        detail.find("{\"sha256\"").expect("options"),
        detail.find("}}").expect("options"),
    );
    let options = &detail[start..end + 2];
    client.run(&format!(
        "select vb_set_provider('sentence_transformers', options => '{options}')"
    ));
    let check = client.row("select * from vb_check_provider('sentence_transformers')", &[]);
    assert!(check.get::<bool>("ok"), "{check:?}");
}

#[test]
fn the_folder_of_vectors_is_closed_to_others_when_a_worker_starts() {
    let mut cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let embed = "select cardinality(vb_embed('a text'))";
    assert_eq!(client.value::<i32>(embed, &[]), 384);
    let database: String = client.value("select oid::text from pg_database where datname = 'shop'", &[]);
    let home: PathBuf = cluster
        .data()
        .join("vector_backfill")
        .join(format!("pgsql_tmp_{database}"));
    let mode = || fs::metadata(&home).expect("the worker made it").permissions().mode() & 0o777;
    assert_eq!(mode(), 0o700);
    drop(client);
    cluster.stop(Stop::Fast);
    fs::set_permissions(&home, Permissions::from_mode(0o755)).expect("the test may");
    cluster.launch();
    assert_eq!(cluster.connect("shop").value::<i32>(embed, &[]), 384);
    assert_eq!(mode(), 0o700);
    assert!(cluster.log().contains("was open to others"), "nobody was told");
}
