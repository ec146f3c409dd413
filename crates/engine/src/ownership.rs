//! Who could have written a file or put another in its place, from what the system says of it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// Mode bits: others than the owner may write; in such a folder, only owners may remove and rename what is theirs.
const WRITABLE_BY_OTHERS: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// Refuses what others than this process's user and root can write to; reading is for everybody. The error says what is
/// wrong and what helps.
pub(crate) fn check_writers(facts: &Metadata) -> Result<(), String> {
    check_owner(facts)?;
    if facts.mode() & WRITABLE_BY_OTHERS == 0 {
        return Ok(());
    }
    Err("can be written to by others than its owner, who may only read it: chmod go-w".to_owned())
}

/// The same of a folder in which something else is that may not be replaced, which the sticky bit forbids as well.
pub(crate) fn check_writers_around(facts: &Metadata) -> Result<(), String> {
    if facts.mode() & STICKY == 0 {
        return check_writers(facts);
    }
    check_owner(facts)
}

fn check_owner(facts: &Metadata) -> Result<(), String> {
    let owner = facts.uid();
    if owner == 0 || owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(format!(
        "belongs to the user with number {owner}, who is neither the server's nor root: chown it to one of these"
    ))
}
