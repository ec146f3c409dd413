//! Acting as another role, and always coming back.

use pgrx::pg_sys::{self, Oid};

/// Who this process acted as before.
struct Former {
    role: Oid,
    context: i32,
    settings_level: Option<i32>,
}

impl Drop for Former {
    fn drop(&mut self) {
        // SAFETY: restores what these functions returned before, in reverse order; both are valid in any state of a
        // transaction, also while an ERROR passes through.
        unsafe {
            if let Some(level) = self.settings_level {
                pg_sys::AtEOXact_GUC(false, level);
            }
            pg_sys::SetUserIdAndSecContext(self.role, self.context);
        }
    }
}

fn switch(role: Oid, flags: u32, settings: bool) -> Former {
    let mut former = Former {
        role: Oid::INVALID,
        context: 0,
        settings_level: None,
    };
    // SAFETY: called in a transaction on the main thread; the pointers are to live locals.
    unsafe {
        pg_sys::GetUserIdAndSecContext(&mut former.role, &mut former.context);
        pg_sys::SetUserIdAndSecContext(role, former.context | flags as i32);
        if settings {
            former.settings_level = Some(pg_sys::NewGUCNestLevel());
        }
    }
    former
}

/// Runs the body as the owner of the extension, for our own tables. The body names these with their schema, and no code
/// of other people runs in it; every function that users call pins its `search_path` to `pg_catalog`.
pub(crate) fn as_owner<R>(owner: Oid, body: impl FnOnce() -> R) -> R {
    let _former = switch(owner, pg_sys::SECURITY_LOCAL_USERID_CHANGE, false);
    body()
}

/// Runs the body as the role, such that code of other people (views, policies, index expressions) can do no more than
/// that role: no change of role, no temporary objects, no lasting change of settings.
pub(crate) fn as_restricted<R>(role: Oid, body: impl FnOnce() -> R) -> R {
    let _former = switch(
        role,
        pg_sys::SECURITY_RESTRICTED_OPERATION | pg_sys::SECURITY_LOCAL_USERID_CHANGE,
        true,
    );
    body()
}

/// The role whose rights count now.
pub(crate) fn current() -> Oid {
    // SAFETY: reads a variable of this process.
    unsafe { pg_sys::GetUserId() }
}

/// The role that the session began as, or was given by `SET SESSION AUTHORIZATION`.
pub(crate) fn of_session() -> Oid {
    // SAFETY: reads a variable of this process.
    unsafe { pg_sys::GetSessionUserId() }
}

/// Whether a role has all rights of another one.
pub(crate) fn has_rights_of(role: Oid, other: Oid) -> bool {
    // SAFETY: a catalogue look-up in the current transaction.
    unsafe { pg_sys::has_privs_of_role(role, other) }
}

/// Whether a role may read files as the server's user does.
pub(crate) fn may_read_server_files(role: Oid) -> bool {
    has_rights_of(role, Oid::from(pg_sys::ROLE_PG_READ_SERVER_FILES))
}

/// Whether a role is a superuser.
pub(crate) fn is_superuser(role: Oid) -> bool {
    // SAFETY: a catalogue look-up in the current transaction.
    unsafe { pg_sys::superuser_arg(role) }
}
