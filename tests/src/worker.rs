//! The worker of a database, as the server's own views show it.

use crate::client::Client;
use crate::wait;

const PID: &str = "
select pid from pg_stat_activity
where backend_type = 'vector_backfill worker' and datname = current_database()
order by backend_start desc";

/// The worker's process, if it runs. One that is ending may be there beside its successor.
pub fn pid(client: &mut Client) -> Option<i32> {
    let pids: Vec<i32> = client.values(PID, &[]);
    assert!(pids.len() <= 2, "a database has one worker, and this one has {pids:?}");
    pids.first().copied()
}

/// Whether this worker's process is there.
pub fn is_there(client: &mut Client, pid: i32) -> bool {
    client.values::<i32>(PID, &[]).contains(&pid)
}

/// The worker's process, waiting for it.
pub fn started(client: &mut Client) -> i32 {
    wait::until("a worker", || pid(client))
}
