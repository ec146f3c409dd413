//! The worker of a database, as the server's own views show it.

use crate::client::Client;
use crate::wait;

const PID: &str = "
select pid from pg_stat_activity
where backend_type = 'vector_backfill worker' and datname = current_database()";

/// The worker's process, if it runs.
pub fn pid(client: &mut Client) -> Option<i32> {
    let pids: Vec<i32> = client.values(PID, &[]);
    assert!(pids.len() <= 1, "a database has one worker, and this one has {pids:?}");
    pids.first().copied()
}

/// The worker's process, waiting for it.
pub fn started(client: &mut Client) -> i32 {
    wait::until("a worker", || pid(client))
}
