//! Removing everything of a client, from the stores and from the database.

use serde_json::json;
use vb_engine::service::protocol::{Answer, Request};
use vb_engine::store::place::{Place, StoreKind};
use vb_engine::store::share::Share;

use super::hold;
use super::request::{ask, unexpected};
use crate::catalog::access::{self, Level};
use crate::catalog::audit::Deed;
use crate::catalog::collections;
use crate::catalog::installation::Installation;
use crate::error::Result;
use crate::pg::{role, spi};
use crate::settings::Settings;

/// What was removed.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Purged {
    /// Points in stores.
    pub(crate) points: i64,
    /// References.
    pub(crate) references: i64,
    /// Jobs.
    pub(crate) jobs: i64,
}

/// Removes everything of a client. The stores first, since only they can refuse: whoever repeats it then finds the rest.
pub(crate) fn purge(installation: &Installation, client_id: i64) -> Result<Purged> {
    access::require_all(installation, Level::Admin, "remove a client")?;
    hold::client(installation, client_id)?;
    let mut purged = Purged::default();
    for place in role::as_owner(installation.owner, || places(installation, client_id))? {
        purged.points += match ask(&Request::Count { place: place.clone() })? {
            Answer::Count(count) => i64::try_from(count).unwrap_or(i64::MAX),
            other => return Err(unexpected(&other)),
        };
        match ask(&Request::Remove { place })? {
            Answer::Done => {}
            other => return Err(unexpected(&other)),
        }
    }
    let statement = installation.sql(include_str!("../../../sql/query/purge_client.sql"));
    let removed = role::as_owner(installation.owner, || {
        spi::first(&statement, &[client_id.into()], |row| Ok((row.get(1)?, row.get(2)?)))
    })?;
    (purged.references, purged.jobs) = removed.unwrap_or_default();
    let detail = json!({ "points": purged.points, "references": purged.references, "jobs": purged.jobs });
    Deed::new("purge").client(client_id).detail(detail).note(installation)?;
    Ok(purged)
}

fn places(installation: &Installation, client_id: i64) -> Result<Vec<Place>> {
    let statement = installation.sql(include_str!("../../../sql/query/purge_places.sql"));
    let places = spi::read(&statement, &[client_id.into()], |row| {
        let place = Place {
            store: collections::store(&row.get::<String>(1)?)?,
            share: Share {
                collection: row.get(2)?,
                client_id: row.optional(3)?,
            },
        };
        Ok((place, row.get::<bool>(4)?))
    })?;
    // A server that is not set up, or belongs to another database, has nothing but what it is known to have.
    let has_qdrant = Settings::current().qdrant(installation.is_original()?).is_ok();
    let reachable = |(place, is_known): &(Place, bool)| *is_known || has_qdrant || place.store == StoreKind::Embedded;
    Ok(places.into_iter().filter(reachable).map(|(place, _)| place).collect())
}
