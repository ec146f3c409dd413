//! Who did what can be asked afterwards.

use vb_tests::{jobs, services, wait};

use crate::access_shop::shop;

#[test]
fn it_is_written_down_who_did_what() {
    let (cluster, mut client) = shop();
    client.run("select vb_grant_access('writer', 1, 'write'), vb_grant_access('reader', 2)");
    let mut writer = cluster.connect_as("shop", "writer");
    client.run("alter system set vector_backfill.paused = on");
    client.reload();
    services::add_notes(&mut client, 1, 1_000, 4);
    let job = jobs::enqueue(&mut writer, 1, "notes");
    writer.run(&format!("select vb_pause({job}), vb_cancel({job})"));
    // What is rolled back was not done.
    writer.run("begin; select vb_set_window('01:00', '02:00', client_id => 1); rollback");
    client.run("alter system reset vector_backfill.paused");
    client.reload();
    client.run("set session authorization postgres; select vb_purge_client(2)");
    client.run("select vb_revoke_access('writer', 1)");
    let told: Vec<String> = client.values(
        "select concat_ws(' ', role, action, client_id, case when job_id is not null then 'job' end,
                          case action when 'grant' then subject || ' ' || (detail ->> 'level') end)
         from vb_audit where event_id > (select max(event_id) from vb_audit where action = 'enqueue' and role <> 'writer')
         order by event_id",
        &[],
    );
    assert_eq!(
        told,
        [
            "postgres grant 1 writer write",
            "postgres grant 2 reader read",
            "writer enqueue 1 job",
            "writer pause 1 job",
            "writer cancel 1 job",
            "postgres purge 2",
            "postgres revoke 1",
        ]
    );
    let mut reader = cluster.connect_as("shop", "reader");
    let seen: Vec<Option<i64>> = reader.values("select distinct client_id from vb_audit", &[]);
    assert_eq!(seen, [Some(2)]);
    assert_eq!(reader.error("delete from vb_audit", &[]).code, "55000");
    assert_eq!(reader.error("select * from vb_audit_events", &[]).code, "42501");

    // What is too old goes when a worker starts, and from time to time.
    client.run("alter system set vector_backfill.audit_retention = 0");
    client.reload();
    client.rows("select pg_terminate_backend(pid) from vb_worker_status", &[]);
    wait::until("an empty audit", || {
        (client.value::<i64>("select count(*) from vb_audit", &[]) == 0).then_some(())
    });
}
