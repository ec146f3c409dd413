//! Views can be read in every state, and `vb_health()` says nothing when all is well.

use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::{issues, jobs, wait, worker};

const VIEWS: &str = "
select format('%I.%I', n.nspname, c.relname)
from pg_depend d
join pg_extension e on e.oid = d.refobjid and e.extname = 'vector_backfill'
join pg_class c on c.oid = d.objid
join pg_namespace n on n.oid = c.relnamespace
where d.refclassid = 'pg_extension'::regclass and d.classid = 'pg_class'::regclass and d.deptype = 'e'
  and c.relkind in ('r', 'v')
order by 1";

/// Reads everything that the extension shows.
fn read_all(client: &mut Client) {
    let relations: Vec<String> = client.values(VIEWS, &[]);
    assert!(relations.len() > 10, "{relations:?}");
    for relation in relations {
        client.rows(&format!("select * from {relation}"), &[]);
    }
    client.rows("select * from vb_progress()", &[]);
    client.rows("select * from vb_health()", &[]);
}

#[test]
fn every_view_can_be_read_before_during_and_after_a_job() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    read_all(&mut client);
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, 120, 30);
    let job: i64 = client.value("select vb_enqueue_backfill(1, 'issues', batch_size => 20)", &[]);
    read_all(&mut client);

    let batch = wait::until("a batch in flight", || {
        client.rows("select * from vb_active_batches", &[]).pop()
    });
    assert_eq!(batch.get::<i64>("job_id"), job);
    assert_eq!((batch.get::<i32>("records"), batch.get::<i32>("attempt")), (20, 1));
    jobs::until(&mut client, job, "half of it", |now| now.successful >= 60);
    read_all(&mut client);
    let row = client.row(
        "select *, estimated_completion > now() as ahead from vb_job_status",
        &[],
    );
    assert_eq!(
        (row.get::<String>("state"), row.get::<i64>("total_records")),
        ("running".to_owned(), 120)
    );
    assert_eq!((row.get::<i32>("total_batches"), row.get::<i32>("batch_size")), (6, 20));
    assert!(row.get::<f32>("records_per_second") > 0.0, "{row:?}");
    assert_eq!(row.get::<Option<bool>>("ahead"), Some(true), "{row:?}");
    assert_eq!(row.get::<String>("current_provider"), "sentence_transformers");
    let pid = worker::started(&mut client);
    let status = client.row("select * from vb_worker_status", &[]);
    assert_eq!(status.get::<i32>("pid"), pid);
    assert!(status.get::<i64>("memory_bytes") > 50_000_000, "{status:?}");

    jobs::completed(&mut client, job);
    read_all(&mut client);
    let row = client.row("select source::text, priority from vb_sources", &[]);
    assert_eq!(
        (row.get::<String>("source"), row.get::<i32>("priority")),
        ("issues".to_owned(), 10)
    );
}

#[test]
fn health_is_silent_when_all_is_well() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 20);
    jobs::backfill(&mut client, 1, "issues");
    let findings: Vec<String> = client.values("select concat_ws(' | ', severity, finding, hint) from vb_health()", &[]);
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn a_paused_job_is_a_finding() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 20);
    client.run("begin");
    let job = jobs::enqueue(&mut client, 1, "issues");
    client.run(&format!("select vb_pause({job}); commit"));
    let findings = client.rows("select * from vb_health()", &[]);
    let finding = findings
        .iter()
        .find(|row| row.get::<String>("finding").contains(&job.to_string()));
    let finding = finding.unwrap_or_else(|| panic!("nothing about job {job} in {findings:#?}"));
    assert!(finding.get::<String>("hint").contains("vb_resume"), "{finding:?}");
}

#[test]
fn what_cannot_be_removed_from_a_store_is_a_finding() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run("alter system set vector_backfill.qdrant_url = 'http://127.0.0.1:1'");
    client.run(
        "insert into vb_collection_removals (store, name, is_shared, not_before) values
             ('qdrant', 'former', false, now() - interval '1 hour'), ('qdrant', 'latest', false, now())",
    );
    client.reload();
    let finding = wait::until("a finding", || {
        let sql = "select finding || ' ' || hint from vb_health() where finding like '%removed%'";
        client.values::<String>(sql, &[]).pop()
    });
    assert!(
        finding.contains("store qdrant") && finding.contains("still there: 1"),
        "{finding}"
    );
}
