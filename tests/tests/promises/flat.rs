//! What a batch costs does not grow with what is there already.

use std::time::Duration;

use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::{jobs, services};

const ROWS: i64 = 5_000;

/// Rows and index entries of the references that were read so far, as the server's statistics have it.
const READ: &str = "
select (t.seq_tup_read + coalesce(t.idx_tup_fetch, 0) + i.idx_tup_read)::bigint
from pg_stat_user_tables t join pg_stat_user_indexes i using (relid)
where t.relname = 'qdrant_vectors'";

#[test]
fn batches_read_their_own_references_and_no_others() {
    let service = ProviderDouble::start(Settings::default());
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    services::register(&mut client, "cloud", &service, "");
    services::create_notes(&mut client);
    services::add_notes(&mut client, 1, 1, ROWS as i32);
    // Nothing tells the planner how large the references are by now.
    client.run("alter table qdrant_vectors set (autovacuum_enabled = false)");
    let job = services::enqueue(&mut client, 1, "cloud", 50);
    jobs::completed(&mut client, job);
    let first = settled(&mut client);
    assert!(
        (ROWS..=20 * ROWS).contains(&first),
        "{first} references were read to make {ROWS}"
    );

    client.run("update notes set content = content || ' or so'");
    let job = services::enqueue(&mut client, 1, "cloud", 50);
    jobs::completed(&mut client, job);
    let second = settled(&mut client) - first;
    assert!(
        (ROWS..=30 * ROWS).contains(&second),
        "{second} references were read to renew {ROWS}"
    );

    client.run("delete from notes where id % 2 = 0");
    let job = services::enqueue(&mut client, 1, "cloud", 50);
    jobs::completed(&mut client, job);
    let third = settled(&mut client) - first - second;
    assert!(
        third <= 20 * ROWS,
        "{third} references were read to remove {}",
        ROWS / 2
    );
}

/// The figure once it stands still: it comes a moment late.
fn settled(client: &mut Client) -> i64 {
    let mut last = -1;
    loop {
        std::thread::sleep(Duration::from_millis(1_500));
        let now: i64 = client.value(READ, &[]);
        if now == last {
            return now;
        }
        last = now;
    }
}
