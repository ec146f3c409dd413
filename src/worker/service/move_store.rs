//! Moving collections to another store, vectors and all, without embedding anything.
//!
//! Each is copied twice: first while jobs go on, which may take long, and once more, only what differs, while its client is
//! held. A copy that was interrupted is taken up again: pages that agree are not copied.

use pgrx::pg_sys::Oid;
use serde_json::json;
use vb_engine::point::PointKey;
use vb_engine::service::protocol::{Answer, Request};
use vb_engine::store::place::{Place, StoreKind};
use vb_engine::store::share::Share;

use super::hold;
use super::request::{ask, unexpected};
use crate::catalog::access::{self, Level};
use crate::catalog::audit::Deed;
use crate::catalog::collections;
use crate::catalog::installation::Installation;
use crate::error::{Result, VbError};
use crate::pg::{lock, notice, process, role, spi};
use crate::settings::Settings;
use crate::source::describe;

/// Points compared or copied at a time: 3 MB of vectors with 384 dimensions.
const PAGE: usize = 2_000;

/// What was moved.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Moved {
    /// Collections, or clients' shares of some.
    pub(crate) collections: i64,
    /// Points that had to be copied.
    pub(crate) points: i64,
}

/// A collection that is somewhere else.
struct Elsewhere {
    id: i64,
    client_id: i64,
    from: Place,
    to: Place,
    dimensions: i32,
    alias: Option<String>,
    source: Oid,
    vector_type: String,
}

/// Moves all collections to the store. Searches go on where they are until the transaction commits.
pub(crate) fn move_all(installation: &Installation, target: StoreKind) -> Result<Moved> {
    access::require_all(installation, Level::Admin, "move collections")?;
    if !lock::become_mover(process::database()) {
        return Err(VbError::wrong_state("another session is moving collections")
            .hint("Wait for its end; select * from vb_collections shows what is where."));
    }
    let elsewhere = role::as_owner(installation.owner, || elsewhere(installation, target))?;
    let mut moved = Moved::default();
    for collection in &elsewhere {
        moved.points += copy(installation, collection, Exactness::Growing)?;
    }
    for collection in &elsewhere {
        hold::client(installation, collection.client_id)?;
        // It may have been replaced or removed meanwhile.
        let store = role::as_owner(installation.owner, || {
            collections::store_of(installation, collection.id)
        })?;
        if store != Some(collection.from.store) {
            continue;
        }
        moved.points += copy(installation, collection, Exactness::Exact)?;
        check(installation, collection)?;
        finish(collection)?;
        let longest_search = Settings::current().request_timeout;
        role::as_owner(installation.owner, || {
            collections::put_into(installation, collection.id, target, longest_search)
        })?;
        moved.collections += 1;
    }
    let detail = json!({ "collections": moved.collections, "points": moved.points });
    Deed::new("move_store")
        .subject(target.name())
        .detail(detail)
        .note(installation)?;
    let setting = Settings::current().stores.new_collections;
    if setting != target {
        notice::notice(
            VbError::new(
                pgrx::PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
                format!("new collections still go to store {setting}, as vector_backfill.store says"),
            )
            .hint(format!(
                "ALTER SYSTEM SET vector_backfill.store = '{target}'; SELECT pg_reload_conf();"
            )),
        );
    }
    Ok(moved)
}

fn elsewhere(installation: &Installation, target: StoreKind) -> Result<Vec<Elsewhere>> {
    let statement = installation.sql(include_str!("../../../sql/query/collections_elsewhere.sql"));
    spi::read(&statement, &[target.name().into()], |row| {
        let client_id = row.get(2)?;
        if row.get::<bool>(8)? {
            return Err(VbError::wrong_state(format!(
                "collection {} is still being removed from store {target}",
                row.get::<String>(3)?
            ))
            .hint("What a move left behind goes after vector_backfill.request_timeout: try again then."));
        }
        let share = Share {
            collection: row.get(3)?,
            client_id: row.get::<bool>(5)?.then_some(client_id),
        };
        Ok(Elsewhere {
            id: row.get(1)?,
            client_id,
            from: Place {
                store: collections::store(&row.get::<String>(4)?)?,
                share: share.clone(),
            },
            to: Place { store: target, share },
            dimensions: row.get(6)?,
            alias: row.optional(7)?,
            source: row.get(9)?,
            vector_type: row.get(10)?,
        })
    })
}

/// An error unless the copy has what references name: a store that lost something must not take the place of one that may not
/// have.
fn check(installation: &Installation, collection: &Elsewhere) -> Result<()> {
    let expected = role::as_owner(installation.owner, || {
        collections::expected_points(installation, collection.id)
    })?;
    let found = match ask(&Request::Count {
        place: collection.to.clone(),
    })? {
        Answer::Count(count) => i64::try_from(count).unwrap_or(i64::MAX),
        other => return Err(unexpected(&other)),
    };
    if found == expected {
        return Ok(());
    }
    Err(VbError::wrong_state(format!(
        "store {} has {found} points of client {} in collection {}, references name {expected}",
        collection.from.store, collection.client_id, collection.from.share.collection
    ))
    .hint("Have them agree first, with vb_verify(client, table, repair => true), then move."))
}

/// How equal a copy is to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exactness {
    /// Whatever is there is to be in the copy.
    Growing,
    /// And nothing else.
    Exact,
}

/// Makes the copy equal; gives how many points that took.
fn copy(installation: &Installation, collection: &Elsewhere, exactness: Exactness) -> Result<i64> {
    // Of a table that cannot be embedded any more nothing is indexed, but its vectors stay.
    let source = describe::describe(installation, collection.source, &collection.vector_type).ok();
    let fields = source.map(|source| source.payload.fields()).unwrap_or_default();
    let mut copied = 0;
    let mut after: Option<PointKey> = None;
    loop {
        let request = Request::Copy {
            from: collection.from.clone(),
            to: collection.to.clone(),
            dimensions: usize::try_from(collection.dimensions).unwrap_or(0),
            fields: fields.clone(),
            exact: exactness == Exactness::Exact,
            after,
            limit: PAGE,
        };
        let last = match ask(&request)? {
            Answer::Copied { points, last, .. } => {
                copied += i64::try_from(points).unwrap_or(i64::MAX);
                last
            }
            other => return Err(unexpected(&other)),
        };
        match last {
            Some(last) => after = Some(last),
            None => return Ok(copied),
        }
    }
}

/// Has the copy indexed and named.
fn finish(collection: &Elsewhere) -> Result<()> {
    let request = Request::Finish {
        place: collection.to.clone(),
        alias: collection.alias.clone(),
    };
    match ask(&request)? {
        Answer::Done => Ok(()),
        other => Err(unexpected(&other)),
    }
}
