//! Heavyweight locks that say which worker serves a database, whether somebody wants to drop it, and whose work has to
//! wait.

use std::time::Duration;

use pgrx::pg_sys::{self, Oid};

/// Second part of the advisory lock's key ("vb" in ASCII); the first is 0. The third field 2 marks a key of two numbers.
pub(crate) const WORKER_KEY: u32 = 0x7662;

/// The same for whoever is starting a worker.
const STARTER_KEY: u32 = 0x7663;

/// The same for whoever moves collections to another store.
const MOVER_KEY: u32 = 0x7664;

/// The same, with a source as the second part of the key, for whoever registers that.
const REGISTRAR_KEY: u32 = 0x7666;

/// The same for whoever has written what a worker is to do, and has not committed it yet.
const ANNOUNCER_KEY: u32 = 0x7665;

/// Fourth part of the key by which a client is held: with the database and the client's number it names one lock.
const HOLD_KEY: u16 = 3;

/// How often and with which pauses a new worker tries to get the lock.
const ASKERS_TOLERATED: u32 = 5;
const ASKERS_PATIENCE: Duration = Duration::from_millis(10);

fn worker_tag(database: Oid) -> pg_sys::LOCKTAG {
    advisory_tag(database, WORKER_KEY)
}

fn advisory_tag(database: Oid, key: u32) -> pg_sys::LOCKTAG {
    pg_sys::LOCKTAG {
        locktag_field1: database.to_u32(),
        locktag_field2: 0,
        locktag_field3: key,
        locktag_field4: 2,
        // A type that no SQL function takes. The method is that of advisory locks, since session locks of the other
        // one end with the first transaction that aborts.
        locktag_type: pg_sys::LockTagType::LOCKTAG_USERLOCK as u8,
        locktag_lockmethodid: pg_sys::USER_LOCKMETHOD as u8,
    }
}

fn database_tag(database: Oid) -> pg_sys::LOCKTAG {
    pg_sys::LOCKTAG {
        locktag_field1: 0,
        locktag_field2: pg_sys::DatabaseRelationId.to_u32(),
        locktag_field3: database.to_u32(),
        locktag_field4: 0,
        locktag_type: pg_sys::LockTagType::LOCKTAG_OBJECT as u8,
        locktag_lockmethodid: pg_sys::DEFAULT_LOCKMETHOD as u8,
    }
}

fn try_lock(tag: &pg_sys::LOCKTAG, mode: u32) -> bool {
    // SAFETY: the tag is complete; a session lock needs no transaction; no waiting.
    let result = unsafe { pg_sys::LockAcquire(tag, mode as i32, true, true) };
    result != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
}

/// The same until the end of the transaction.
fn try_lock_in_transaction(tag: &pg_sys::LOCKTAG, mode: u32) -> bool {
    // SAFETY: the tag is complete; without waiting; a lock of the transaction is released at its end.
    let result = unsafe { pg_sys::LockAcquire(tag, mode as i32, false, true) };
    result != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
}

fn unlock(tag: &pg_sys::LOCKTAG, mode: u32) {
    // SAFETY: releases a session lock taken with the same tag and mode; a warning when code of others has released it.
    unsafe { pg_sys::LockRelease(tag, mode as i32, true) };
}

/// Whether somebody else has a lock that forbids this one.
fn is_taken(tag: &pg_sys::LOCKTAG, mode: u32) -> bool {
    let is_free = try_lock(tag, mode);
    if is_free {
        unlock(tag, mode);
    }
    !is_free
}

/// Makes this process the worker of the database until it ends; false when there is one already.
pub(crate) fn become_worker(database: Oid) -> bool {
    // Somebody who asks whether there is a worker holds the lock for a moment: that is no worker.
    (0..ASKERS_TOLERATED).any(|attempt| {
        if attempt > 0 {
            std::thread::sleep(ASKERS_PATIENCE);
        }
        try_lock(&worker_tag(database), pg_sys::ExclusiveLock)
    })
}

/// Whether this process, which became the worker, still is it. Code of others that runs in it (a view that calls
/// `pg_advisory_unlock_all`) may have dropped the lock; then it is taken again, unless another process was faster.
pub(crate) fn stay_worker(database: Oid) -> bool {
    let tag = worker_tag(database);
    // SAFETY: the tag is complete; looks at this process' own locks.
    let held = unsafe { pg_sys::LockHeldByMe(&tag, pg_sys::ExclusiveLock as i32) };
    held || try_lock(&tag, pg_sys::ExclusiveLock)
}

/// Holds the lock once more until the end of this transaction: code of others can drop that of a session, and no other.
pub(crate) fn stay_worker_until_the_end(database: Oid) {
    try_lock_in_transaction(&worker_tag(database), pg_sys::ExclusiveLock);
}

/// Makes room for another worker of the database, just before this one ends.
pub(crate) fn cease_worker(database: Oid) {
    unlock(&worker_tag(database), pg_sys::ExclusiveLock);
}

/// Whether a worker serves the database now.
pub(crate) fn has_worker(database: Oid) -> bool {
    // A shared lock would make two askers see each other as workers; share mode does not conflict with itself.
    is_taken(&worker_tag(database), pg_sys::ShareLock)
}

/// Whether somebody wants the database without sessions: DROP DATABASE, and CREATE DATABASE with this one as template. The
/// lock asked for is the one that new sessions take.
pub(crate) fn is_database_wanted(database: Oid) -> bool {
    is_taken(&database_tag(database), pg_sys::RowExclusiveLock)
}

/// Makes the current transaction the one that starts a worker of the database; false when another is about it. Many
/// sessions that need a worker at the same moment would otherwise use up the server's slots for workers.
pub(crate) fn begin_starting(database: Oid) -> bool {
    try_lock_in_transaction(&advisory_tag(database, STARTER_KEY), pg_sys::ExclusiveLock)
}

/// Lets others start a worker again; only after [`begin_starting`] gave true.
pub(crate) fn end_starting(database: Oid) {
    // SAFETY: releases what begin_starting took in this transaction.
    unsafe {
        pg_sys::LockRelease(
            &advisory_tag(database, STARTER_KEY),
            pg_sys::ExclusiveLock as i32,
            false,
        )
    };
}

/// Makes this transaction the one that registers a source; false when another is about it.
pub(crate) fn begin_registering(database: Oid, source: Oid) -> bool {
    let tag = pg_sys::LOCKTAG {
        locktag_field2: source.to_u32(),
        ..advisory_tag(database, REGISTRAR_KEY)
    };
    try_lock_in_transaction(&tag, pg_sys::ExclusiveLock)
}

/// Tells a worker that is ending, until the end of this transaction, that there will be work.
pub(crate) fn announce_work(database: Oid) {
    let tag = advisory_tag(database, ANNOUNCER_KEY);
    // SAFETY: the tag is complete; nobody holds it exclusively but for a moment; a lock of the transaction is released at
    // its end. An interrupt leaves as an ERROR, which the callers of this extension's functions expect.
    unsafe { pg_sys::LockAcquire(&tag, pg_sys::ShareLock as i32, false, false) };
}

/// Whether a transaction that has announced work has not ended.
pub(crate) fn is_work_announced(database: Oid) -> bool {
    is_taken(&advisory_tag(database, ANNOUNCER_KEY), pg_sys::ExclusiveLock)
}

fn client_tag(database: Oid, client_id: i64) -> pg_sys::LOCKTAG {
    let client = client_id as u64;
    pg_sys::LOCKTAG {
        locktag_field2: (client >> 32) as u32,
        locktag_field3: client as u32,
        locktag_field4: HOLD_KEY,
        ..advisory_tag(database, 0)
    }
}

/// How long locks are waited for while this lives: the setting `lock_timeout`, unless that is shorter.
pub(crate) struct Patience(i32);

impl Patience {
    /// So long.
    pub(crate) fn of(time: Duration) -> Self {
        let milliseconds = i32::try_from(time.as_millis()).unwrap_or(i32::MAX).max(1);
        // SAFETY: a setting of this process, in milliseconds, with 0 for ever.
        unsafe {
            let former = Self(pg_sys::LockTimeout);
            if former.0 == 0 || former.0 > milliseconds {
                pg_sys::LockTimeout = milliseconds;
            }
            former
        }
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        // SAFETY: as it was, also while an ERROR passes through.
        unsafe { pg_sys::LockTimeout = self.0 };
    }
}

/// Keeps the worker from beginning anything for the client until the end of this transaction. Waits for what it is
/// beginning at this moment, and for others who hold the client; can be interrupted, and is an ERROR, 55P03, after that time.
pub(crate) fn hold_client(database: Oid, client_id: i64, patience: Duration) {
    let tag = client_tag(database, client_id);
    let _patience = Patience::of(patience);
    // SAFETY: the tag is complete; a lock of the transaction is released at its end. An interrupt leaves as an ERROR, which
    // the callers of this extension's functions expect.
    unsafe { pg_sys::LockAcquire(&tag, pg_sys::ExclusiveLock as i32, false, false) };
}

/// Keeps others from holding the client until the end of this transaction; false when somebody holds it.
pub(crate) fn begin_for_client(database: Oid, client_id: i64) -> bool {
    try_lock_in_transaction(&client_tag(database, client_id), pg_sys::ShareLock)
}

/// Keeps others from holding a client for as long as this lives, also between transactions.
#[derive(Debug)]
pub(crate) struct ClientKept(pg_sys::LOCKTAG);

impl Drop for ClientKept {
    fn drop(&mut self) {
        unlock(&self.0, pg_sys::ShareLock);
    }
}

/// Begins to; `None` when somebody holds the client.
pub(crate) fn keep_client(database: Oid, client_id: i64) -> Option<ClientKept> {
    let tag = client_tag(database, client_id);
    try_lock(&tag, pg_sys::ShareLock).then_some(ClientKept(tag))
}

/// Makes this transaction the one that moves collections of the database; false when another is about it.
pub(crate) fn become_mover(database: Oid) -> bool {
    try_lock_in_transaction(&advisory_tag(database, MOVER_KEY), pg_sys::ExclusiveLock)
}

/// Whether somebody moves collections of the database: there may be copies that nothing names yet.
pub(crate) fn has_mover(database: Oid) -> bool {
    is_taken(&advisory_tag(database, MOVER_KEY), pg_sys::ShareLock)
}
