//! Sources that are kept in step with their rows.

use std::time::{Duration, Instant};

use crate::client::Client;
use crate::wait;

/// Changes that are still to be looked at, and batches of such.
const UNSETTLED: &str = "
select (select count(*) from vb_changes) + (select count(*) from vb_pending_changes)
     + (select count(*) from vb_batches b join vb_jobs j using (job_id) where j.kind = 'sync')";

/// Files and columns of tables are looked at once a second.
const LAYOUTS: Duration = Duration::from_millis(1_300);

/// Waits until all changes were looked at. They were committed before.
pub fn settled(client: &mut Client) {
    wait::until("all changes to be looked at", || {
        (client.value::<i64>(UNSETTLED, &[]) == 0).then_some(())
    });
}

/// The same after something that no trigger tells of: the worker has to look at the tables first.
pub fn settled_after_a_look(client: &mut Client) {
    let start = Instant::now();
    wait::until("a look at the tables", || (start.elapsed() > LAYOUTS).then_some(()));
    settled(client);
}

/// Begins to keep a source in step, and waits until it is.
pub fn enable(client: &mut Client, source: &str) {
    client.rows("select vb_enable_sync($1::text::regclass)", &[&source]);
    settled(client);
}
