//! The worker holds no transaction open while a batch is embedded.

use vb_tests::cluster::Cluster;
use vb_tests::{issues, jobs, worker};

/// Looks that make a statement about the worker's time.
const ENOUGH: usize = 300;

#[test]
fn no_transaction_of_the_worker_is_open_while_a_batch_is_embedded() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    // One batch takes the model a second or more.
    issues::add_long(&mut client, 1, 1, 300, 30);
    let job: i64 = client.value("select vb_enqueue_backfill(1, 'issues', batch_size => 40)", &[]);
    worker::started(&mut client);
    jobs::until(&mut client, job, "its start", |now| now.state == "running");

    let (mut looks, mut open, mut oldest) = (0, 0, 0.0_f64);
    let mut looking = cluster.connect("shop");
    loop {
        let seen = looking.rows(
            "select (xact_start is not null or backend_xmin is not null or backend_xid is not null) as open,
                    coalesce(extract(epoch from clock_timestamp() - xact_start), 0)::float8 as age
             from pg_stat_activity
             where backend_type = 'vector_backfill worker' and datname = current_database()",
            &[],
        );
        if let Some(seen) = seen.first() {
            looks += 1;
            open += usize::from(seen.get::<bool>("open"));
            oldest = oldest.max(seen.get("age"));
        }
        let now = jobs::progress(&mut client, job);
        if now.has_ended() {
            assert_eq!(now.state, "completed", "{now:?}");
            break;
        }
    }

    println!("{open} of {looks} looks saw a transaction, the oldest was {oldest:.3} s old");
    assert!(looks >= ENOUGH, "only {looks} looks: this run proves nothing");
    assert!(oldest < 1.0, "a transaction of the worker was open for {oldest:.3} s");
    assert!(
        open * 5 < looks,
        "a transaction of the worker was open in {open} of {looks} looks"
    );
}
