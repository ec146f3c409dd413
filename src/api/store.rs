//! What stores hold: compared with the database, moved, removed.

use std::ffi::CStr;

use pgrx::iter::TableIterator;
use pgrx::pg_sys::Oid;
use pgrx::{name, pg_extern};
use vb_engine::store::place::{NoSuchStore, StoreKind};

use super::{announce_work, on_primary, required};
use crate::error::VbError;
use crate::pg::catch::respond;
use crate::worker::service::import::{self, Import};
use crate::worker::service::{move_store, presence, purge, verify};

#[pg_extern(sql = false)]
#[expect(clippy::type_complexity, reason = "the columns of the SQL function")]
fn vb_verify(
    client_id: Option<i64>,
    source: Option<Oid>,
    vector_type: Option<String>,
    repair: Option<bool>,
) -> TableIterator<
    'static,
    (
        name!(checked, i64),
        name!(missing_points, i64),
        name!(orphan_points, i64),
        name!(stale_records, i64),
        name!(missing_records, i64),
        name!(repaired, i64),
        name!(changed_points, i64),
        name!(orphan_references, i64),
        name!(job_id, Option<i64>),
    ),
> {
    respond(|| {
        let found = verify::verify(
            &on_primary()?,
            required(client_id, "client_id")?,
            required(source, "source")?,
            &required(vector_type, "vector_type")?,
            required(repair, "repair")?,
        )?;
        if found.job_id.is_some() {
            announce_work();
        }
        Ok(TableIterator::once((
            found.checked,
            found.missing_points,
            found.orphan_points,
            found.stale_records,
            found.missing_records,
            found.repaired,
            found.changed_points,
            found.orphan_references,
            found.job_id,
        )))
    })
}

#[pg_extern(sql = false)]
fn vb_purge_client(
    client_id: Option<i64>,
) -> TableIterator<'static, (name!(points, i64), name!(references, i64), name!(jobs, i64))> {
    respond(|| {
        let purged = purge::purge(&on_primary()?, required(client_id, "client_id")?)?;
        presence::announce_change()?;
        Ok(TableIterator::once((purged.points, purged.references, purged.jobs)))
    })
}

#[pg_extern(sql = false)]
fn vb_move_store(target: Option<String>) -> TableIterator<'static, (name!(collections, i64), name!(points, i64))> {
    respond(|| {
        let target: StoreKind = required(target, "target")?
            .parse()
            .map_err(|error: NoSuchStore| VbError::invalid(error.to_string()).hint("Give 'embedded' or 'qdrant'."))?;
        let moved = move_store::move_all(&on_primary()?, target)?;
        presence::announce_change()?;
        Ok(TableIterator::once((moved.collections, moved.points)))
    })
}

#[pg_extern(sql = false)]
fn vb_claim_store() -> bool {
    respond(|| {
        let claimed = on_primary()?.claim()?;
        presence::announce_change()?;
        Ok(claimed)
    })
}

#[pg_extern(sql = false)]
fn vb_import_vectors(
    client_id: Option<i64>,
    source: Option<Oid>,
    vector_column: Option<&CStr>,
    model: Option<String>,
    vector_type: Option<String>,
    provider: Option<String>,
) -> TableIterator<'static, (name!(imported, i64), name!(refused, i64))> {
    respond(|| {
        let found = import::import(
            &on_primary()?,
            &Import {
                client_id: required(client_id, "client_id")?,
                source: required(source, "source")?,
                vector_column: &required(vector_column, "vector_column")?.to_string_lossy(),
                model: &required(model, "model")?,
                vector_type: &required(vector_type, "vector_type")?,
                provider: provider.as_deref(),
            },
        )?;
        Ok(TableIterator::once((found.imported, found.refused)))
    })
}
