//! Why nothing moves, if nothing moves.
//!
//! What can be wrong is in [`finding`]; each of the other files looks at one kind of thing. Whoever asks is told of what he may
//! see, and gets texts, which may be those of rows, only of clients whose he may read.

mod finding;
mod holds;
mod jobs;
mod providers;
mod sources;
mod stores;
mod worker;

pub(crate) use finding::Finding;

use super::access::Sight;
use super::installation::Installation;
use crate::error::Result;
use crate::pg::role;

/// Everything that is wrong as far as the caller sees it, the worst first; nothing when all is well.
pub(crate) fn findings(installation: &Installation) -> Result<Vec<Finding>> {
    let sight = Sight::of_caller(installation)?;
    let mut found = worker::findings(installation, &sight)?;
    found.extend(providers::findings(installation, &sight)?);
    found.extend(role::as_owner(installation.owner, || {
        jobs::findings(installation, &sight)
    })?);
    found.extend(holds::findings(installation, &sight)?);
    if sight.sees_all() {
        found.extend(role::as_owner(installation.owner, || sources::findings(installation))?);
        found.extend(role::as_owner(installation.owner, || {
            stores::findings(installation, &sight)
        })?);
    }
    found.sort_by_key(|finding| finding.severity);
    Ok(found)
}
