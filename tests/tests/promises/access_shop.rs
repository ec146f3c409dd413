//! Notes of two clients, and roles that may do nothing with them yet.

use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::{jobs, services};

/// A database with notes of clients 1 and 2, all embedded, and roles that may do nothing yet but read the table.
pub(crate) fn shop() -> (Cluster, Client) {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    services::create_notes(&mut client);
    services::add_notes(&mut client, 1, 1, 8);
    services::add_notes(&mut client, 2, 101, 5);
    client.run(
        "create role reader login; create role writer login; create role watcher login; create role deputy login;
         grant select on notes to reader, writer, deputy; grant pg_monitor to watcher",
    );
    for client_id in [1, 2] {
        jobs::backfill(&mut client, client_id, "notes");
    }
    (cluster, client)
}
