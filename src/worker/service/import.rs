//! Taking over vectors that a client's rows have already, so that nobody pays for them twice.

use pgrx::pg_sys::Oid;
use serde_json::json;
use vb_engine::batch::{ChunkReference, EmbeddedRecord, Target};
use vb_engine::service::protocol::{Answer, ImportRecord, Request};
use vb_engine::store::contract::CollectionSpec;

use super::hold;
use super::request::{ask, unexpected};
use crate::catalog::access::{self, Level};
use crate::catalog::audit::Deed;
use crate::catalog::collections::{self, Collection, NewCollection};
use crate::catalog::installation::Installation;
use crate::catalog::providers::{self, Provider};
use crate::catalog::references::{self, Owner};
use crate::catalog::{source_access, source_settings};
use crate::error::{Result, VbError};
use crate::pg::{memory, notice, role, signal, spi};
use crate::settings::Settings;
use crate::source::describe::{self, Source};
use crate::source::vectors::{VectorRow, VectorRows};

/// Bytes after which a request ends: with one more row of the longest it still fits into a frame.
const REQUEST_BYTES: usize = 4 << 20;

/// Refused vectors that are named.
const NAMED: i64 = 5;

/// Which vectors, and what made them.
pub(crate) struct Import<'a> {
    /// Whose rows.
    pub(crate) client_id: i64,
    /// Of which table.
    pub(crate) source: Oid,
    /// The column that has them.
    pub(crate) vector_column: &'a str,
    /// The model that made them.
    pub(crate) model: &'a str,
    /// Of which text they are.
    pub(crate) vector_type: &'a str,
    /// The provider that questions are embedded by; `None` for the best one with the model.
    pub(crate) provider: Option<&'a str>,
}

/// What came of it.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Imported {
    /// Records that have their vector now.
    pub(crate) imported: i64,
    /// Those whose vector is none.
    pub(crate) refused: i64,
}

/// Takes the vectors over. A row without one is left to a backfill.
pub(crate) fn import(installation: &Installation, import: &Import<'_>) -> Result<Imported> {
    access::require(installation, import.client_id, Level::Write)?;
    let source = describe::describe(installation, import.source, import.vector_type)?;
    let asking = role::current();
    let acting = source_access::acting_role(asking, source.owner);
    source_access::require_readable(source.oid, &source.name, asking, acting)?;
    let provider = provider(installation, import)?;
    hold::client(installation, import.client_id)?;
    let found = take_over(installation, import, &source, &provider, acting)?;
    let detail = json!({ "model": import.model, "imported": found.imported, "refused": found.refused });
    Deed::new("import")
        .by(asking)
        .client(import.client_id)
        .subject(&source.name)
        .detail(detail)
        .note(installation)?;
    Ok(found)
}

fn take_over(
    installation: &Installation,
    import: &Import<'_>,
    source: &Source,
    provider: &Provider,
    acting: Oid,
) -> Result<Imported> {
    spi::seeing_now(|| {
        let mut rows = VectorRows::open(source, acting, import.client_id, import.vector_column)?;
        let mut found = Imported::default();
        let mut goal: Option<Goal> = None;
        loop {
            signal::check_interrupts();
            let page = memory::scoped(|| rows.next())?;
            let Some(first) = page.first() else { break };
            if goal.is_none() {
                goal = Some(role::as_owner(installation.owner, || {
                    Goal::new(installation, import, source, provider, first.vector.len())
                })?);
            }
            let Some(goal) = &goal else { break };
            let mut part = Vec::new();
            let mut bytes = 0;
            for row in page {
                if let Some(fault) = row.fault() {
                    refuse(&mut found, &row.record_id, fault);
                    continue;
                }
                bytes += row.bytes();
                part.push(row);
                if bytes > REQUEST_BYTES {
                    goal.take(installation, std::mem::take(&mut part), &mut found)?;
                    bytes = 0;
                }
            }
            goal.take(installation, part, &mut found)?;
        }
        Ok(found)
    })
}

/// Where the vectors go.
struct Goal<'a> {
    owner: Owner<'a>,
    collection: Collection,
    target: Target,
    provider: String,
}

impl<'a> Goal<'a> {
    /// The collection that serves, which has to be of the model, or a new one.
    fn new(
        installation: &Installation,
        import: &Import<'a>,
        source: &Source,
        provider: &Provider,
        dimensions: usize,
    ) -> Result<Self> {
        let owner = Owner {
            client_id: import.client_id,
            source: source.oid,
            vector_type: import.vector_type,
        };
        source_settings::register(installation, source.oid, import.vector_type)?;
        let dimensions = i32::try_from(dimensions).unwrap_or(i32::MAX);
        if let Some(expected) = provider.dimensions
            && expected != dimensions
        {
            return Err(VbError::invalid(format!(
                "the vectors in column {:?} have {dimensions} dimensions, those of provider {} {expected}",
                import.vector_column, provider.name
            ))
            .hint("Vectors of different models cannot be compared: name the model, and a provider, that made these."));
        }
        let collection = match collections::active(installation, owner)? {
            Some(collection) if collection.model == import.model && collection.dimensions == dimensions => collection,
            Some(collection) => {
                return Err(VbError::wrong_state(format!(
                    "collection {} has vectors of model {:?} with {} dimensions",
                    collection.name, collection.model, collection.dimensions
                ))
                .hint(
                    "Vectors of different models cannot be compared: import into what is empty, see vb_purge_client.",
                ));
            }
            None => {
                let stores = Settings::current().stores;
                let new = NewCollection {
                    owner,
                    source_name: &source.bare_name,
                    provider: &provider.name,
                    model: import.model,
                    dimensions,
                    chunking: source.chunking,
                    builder: None,
                    store: stores.new_collections,
                    is_shared: stores.shares_collections,
                };
                installation.begin()?;
                collections::create(installation, &new)?
            }
        };
        let namespace = installation
            .id()?
            .ok_or_else(|| VbError::internal("the installation has no id"))?;
        let target = Target {
            store: collection.store,
            collection: CollectionSpec {
                name: collection.name.clone(),
                dimensions: dimensions as usize,
                is_shared: collection.is_shared,
                fields: source.payload.fields(),
            },
            namespace,
            client_id: import.client_id,
            source_oid: source.oid.to_u32(),
            source: source.name.clone(),
            vector_type: import.vector_type.to_owned(),
            chunking: None,
        };
        Ok(Self {
            owner,
            collection,
            target,
            provider: provider.name.clone(),
        })
    }

    /// Writes a page to the store, then records it.
    fn take(&self, installation: &Installation, page: Vec<VectorRow>, found: &mut Imported) -> Result<()> {
        if page.is_empty() {
            return Ok(());
        }
        let record_ids: Vec<String> = page.iter().map(|row| row.record_id.clone()).collect();
        let of_row = |row: &VectorRow| (row.content_hash.clone(), row.fields.hash.clone());
        let hashes: Vec<(Vec<u8>, String)> = page.iter().map(of_row).collect();
        let present = role::as_owner(installation.owner, || {
            references::present(installation, self.owner, &record_ids, &self.collection)
        })?;
        let records = page.into_iter().map(|row| ImportRecord {
            content_hash: row.content_hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            record_id: row.record_id,
            text: row.text,
            fields: row.fields,
            vector: row.vector,
        });
        let request = Request::Import {
            target: self.target.clone(),
            provider: self.provider.clone(),
            model: self.collection.model.clone(),
            records: records.collect(),
            present_points: present.into_values().flat_map(|present| present.points).collect(),
        };
        let written = match ask(&request)? {
            Answer::Imported(written) => written,
            other => return Err(unexpected(&other)),
        };
        let mut embedded = Vec::with_capacity(written.len());
        for ((record_id, (hash, fields_hash)), written) in record_ids.into_iter().zip(hashes).zip(written) {
            match written {
                Ok(point_id) => embedded.push(EmbeddedRecord {
                    record_id,
                    content_hash: hash
                        .try_into()
                        .map_err(|_| VbError::internal("a content hash is not 32 bytes long"))?,
                    fields_hash,
                    chunks: vec![ChunkReference { point_id, tokens: 0 }],
                    truncated: false,
                }),
                Err(reason) => refuse(found, &record_id, &reason),
            }
        }
        found.imported += embedded.len() as i64;
        memory::scoped(|| {
            role::as_owner(installation.owner, || {
                references::upsert(installation, self.owner, &self.collection, &self.provider, &embedded)
            })
        })
    }
}

/// A vector that is none costs its record only.
fn refuse(found: &mut Imported, record_id: &str, reason: &str) {
    found.refused += 1;
    if found.refused <= NAMED {
        notice::warn(
            VbError::invalid(format!("the vector of record {record_id:.100} is refused: {reason}"))
                .hint("Its row is left to a backfill."),
        );
    }
}

/// The provider by which questions are embedded: it has to have the model.
fn provider(installation: &Installation, import: &Import<'_>) -> Result<Provider> {
    let settings = Settings::current();
    let of_client = role::as_owner(installation.owner, || {
        providers::of_client(installation, &settings, import.client_id)
    })?;
    let mut with_model = of_client
        .into_iter()
        .filter(|provider| provider.model == import.model && import.provider.is_none_or(|name| provider.name == name));
    with_model.next().ok_or_else(|| {
        VbError::missing(match import.provider {
            Some(name) => format!("there is no provider {name:?} with model {:?}", import.model),
            None => format!("no provider has model {:?}", import.model),
        })
        .hint("Questions have to be embedded by the model that made the vectors: make it known with vb_set_provider.")
    })
}
