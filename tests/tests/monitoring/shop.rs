//! A database in which everything is there that can be watched: a backfill at work, held slow; a paused one; an ended one with a
//! record that failed; a table that is kept in step.

use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::{issues, jobs, sync, wait};

/// The role that watches.
pub(crate) const ROLE: &str = "monitor";

/// The database.
pub(crate) const DATABASE: &str = "shop";

/// Whether all is there that is worth a look.
const WORTH_A_LOOK: &str = "
select exists (select from vb_job_status where estimated_completion is not null and tokens > 0)
   and exists (select from vb_throughput where sampled_at > now() - interval '30 seconds')
   and exists (select from vb_throughput where batch_latency_p95 is not null)
   and exists (select from vb_active_batches)
   and exists (select from vb_coverage where pending > 0)
   and exists (select from vb_provider_status where latency_p95 is not null)
   and exists (select from vb_client_spending where tokens > 0)
   and exists (select from vb_sync_status() where latency_p95 is not null)
   and exists (select from vb_health() where job_id is not null)
   and not exists (select from vb_job_status where kind = 'sync' and state <> 'completed')";

/// The server, and a superuser's session in the database.
pub(crate) struct Shop {
    pub(crate) cluster: Cluster,
    pub(crate) client: Client,
}

/// A shop at work. What was asked for takes some minutes: longer than anybody looks.
pub(crate) fn at_work() -> Shop {
    let cluster = Cluster::start();
    let mut client = cluster.create_database(DATABASE);
    client.run(&format!("create role {ROLE} login; grant pg_monitor to {ROLE}"));
    a_record_fails(&mut client);
    changes_are_followed(&mut client);

    client.run("alter system set vector_backfill.max_records_per_second = 5");
    client.reload();
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 2_000);
    issues::add_short(&mut client, 2, 2_001, 20);
    jobs::enqueue(&mut client, 1, "issues");
    client.run("begin");
    let paused = jobs::enqueue(&mut client, 2, "issues");
    client.run(&format!("select vb_pause({paused}); commit"));
    wait::until("a shop that is worth a look", || {
        client.value::<bool>(WORTH_A_LOOK, &[]).then_some(())
    });
    Shop { cluster, client }
}

/// One of fifty records of client 3 cannot be embedded.
fn a_record_fails(client: &mut Client) {
    client.run(
        "create table numbers (id int primary key, client_id int, divisor int);
         insert into numbers select n, 3, n - 17 from generate_series(1, 50) n;
         create view quotients as select id, client_id, 'quotient ' || 100 / divisor as title from numbers;
         select vb_configure_source('quotients', key_columns => '{id}')",
    );
    assert_eq!(jobs::backfill(client, 3, "quotients").failed, 1);
}

fn changes_are_followed(client: &mut Client) {
    client.run("create table notes (id int primary key, client_id bigint, content text)");
    sync::enable(client, "notes");
    client.run("insert into notes select n, 1, 'note ' || n from generate_series(1, 5) n");
    sync::settled(client);
}
