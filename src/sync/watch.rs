//! Which columns of a table matter to which sources, looked up once and remembered until the table or the settings change.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pgrx::pg_sys::{self, Datum, Oid};
use vb_formats::record_id;

use super::noted;
use crate::catalog::installation::Installation;
use crate::catalog::syncs::{self, Synced};
use crate::error::{Result, VbError};
use crate::pg::text::TextOf;
use crate::pg::trigger::{Attribute, TriggerRow};
use crate::pg::{notice, pinned, relcache, role, transaction};
use crate::source::describe::describe;
use crate::source::pages::LONGEST_RECORD_ID;

/// Tables that are remembered; beyond that all are looked up again.
const MOST_TABLES: usize = 1_000;

/// By table and by what its trigger names.
type Tables = HashMap<(Oid, Option<Named>), Rc<Watched>>;

thread_local! {
    static WATCHED: RefCell<Tables> = RefCell::new(HashMap::new());
}

/// Where changes are noted.
pub(super) struct NotedIn {
    /// The extension as it was when somebody looked.
    pub(super) installation: Installation,
    /// Its `vb_changes`, which says what became of that since.
    pub(super) table: Oid,
}

/// What is to be noted of changes to a table.
pub(super) struct Watched {
    /// Where they are noted.
    pub(super) noted_in: Rc<NotedIn>,
    /// For each source that the table is, or is a part of.
    pub(super) watches: Vec<Watch>,
    /// Tables that this was made from.
    relations: Vec<Oid>,
    /// Whether it holds for this transaction only, and may not even do that: others may have said meanwhile what matters.
    pub(super) passing: bool,
}

/// What matters to a source.
pub(super) struct Watch {
    /// The source.
    pub(super) source: Oid,
    /// `None` when nobody can tell at the moment, since a column of its settings is missing, say.
    pub(super) columns: Option<Columns>,
    /// Whether the table's rows say whose they are, but not which of the source's rows they make.
    pub(super) by_client: bool,
}

/// The source that a trigger names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Named {
    /// With its schema.
    pub(super) source: String,
    /// Whether the table's key is that of the source.
    pub(super) has_same_key: bool,
}

/// Columns of a table by what they are to a source.
pub(super) struct Columns {
    key: Vec<(Attribute, TextOf)>,
    /// `None` when all rows belong to client 0.
    client: Option<(Attribute, TextOf)>,
    active: Option<Attribute>,
    /// All that make a difference.
    compared: Vec<Attribute>,
    needs_settings: bool,
}

/// Whose row it is, and which.
pub(super) enum Identity {
    /// This one.
    Record(i64, String),
    /// It has no key that could be noted: its client's rows have to be looked at.
    Unnamed(i64),
}

/// What is to be noted of changes to a table; `named` is the source that the trigger names where it is neither the table nor
/// one that the table is a part of.
pub(super) fn watched(relation: Oid, named: Option<Named>) -> Result<Rc<Watched>> {
    let news = relcache::news();
    WATCHED.with(|watched| {
        if !news.is_empty() {
            watched
                .borrow_mut()
                .retain(|_, watched| !watched.relations.iter().any(|relation| news.is_about(*relation)));
        }
    });
    let at = (relation, named);
    if let Some(known) = WATCHED.with(|watched| watched.borrow().get(&at).cloned()) {
        return Ok(known);
    }
    let found = Rc::new(pinned::with_settings_of_worker(|| look_up(at.0, at.1.as_ref()))?);
    WATCHED.with(|watched| {
        let mut watched = watched.borrow_mut();
        if watched.len() >= MOST_TABLES {
            watched.clear();
        }
        watched.insert(at, Rc::clone(&found));
    });
    Ok(found)
}

/// Forgets what a transaction has looked up that saw the database as it was when it began: what others have changed
/// since is news to the next one.
pub(super) fn forget_passing() {
    WATCHED.with(|watched| {
        let mut watched = watched.borrow_mut();
        if watched.values().any(|watched| watched.passing) {
            watched.retain(|_, watched| !watched.passing);
        }
    });
}

fn look_up(relation: Oid, named: Option<&Named>) -> Result<Watched> {
    let installation = Installation::require()?;
    let source_name = named.map(|named| named.source.as_str());
    let (synced, mut relations) = role::as_owner(installation.owner, || {
        syncs::of_relation(&installation, relation, source_name)
    })?;
    let of_relation = match named {
        None => Vec::new(),
        Some(named) => role::as_owner(installation.owner, || syncs::named(&named.source))?
            .into_iter()
            .collect(),
    };
    if let Some(named) = named
        && of_relation.is_empty()
    {
        notice::warn(
            VbError::missing(format!(
                "there is no source {:?}, which a trigger for vb_sync_trigger names",
                named.source
            ))
            .hint("Name it with its schema in CREATE TRIGGER, or drop the trigger."),
        );
    }
    relations.push(relation);
    // Such a transaction may not see yet that a source is kept in step: what it changes is noted all the same.
    let passing = transaction::keeps_its_snapshot();
    if passing {
        noted::forget_at_the_end();
    }
    let mut watches = Vec::with_capacity(synced.len());
    for synced in synced {
        let is_named = of_relation.contains(&synced.source);
        watches.push(Watch {
            columns: columns(&installation, relation, &synced)?,
            // A table below a view may have a key of its own of the same name.
            by_client: is_named && !named.is_some_and(|named| named.has_same_key),
            source: synced.source,
        });
    }
    if passing && watches.is_empty() {
        let unknown = |source: &Oid| Watch {
            source: *source,
            columns: None,
            by_client: false,
        };
        watches.extend(relations.iter().map(unknown));
    }
    let table = installation.table("vb_changes")?;
    Ok(Watched {
        noted_in: Rc::new(NotedIn { installation, table }),
        watches,
        relations,
        passing,
    })
}

/// Whatever is wrong with the description of a source is no reason to refuse a change of its rows; somebody who wants the
/// statement to end is.
fn columns(installation: &Installation, relation: Oid, synced: &Synced) -> Result<Option<Columns>> {
    match transaction::attempt(|| described(installation, relation, synced)) {
        Ok(columns) => Ok(Some(columns)),
        Err(error) if matches!(&error.sqlstate()[..2], "40" | "53" | "57" | "58") => Err(error),
        Err(_) => Ok(None),
    }
}

fn described(installation: &Installation, relation: Oid, synced: &Synced) -> Result<Columns> {
    let attribute = |name: &str| {
        Attribute::of(relation, name)
            .ok_or_else(|| VbError::internal(format!("the table has no column {name:?}, which its source has")))
    };
    let with_text = |name: &str| attribute(name).map(|attribute| (attribute, TextOf::of(attribute.base_type)));
    let mut found: Option<Columns> = None;
    for vector_type in &synced.vector_types {
        let source = describe(installation, synced.source, vector_type)?;
        let names = source
            .text_columns
            .iter()
            .map(String::as_str)
            .chain(source.payload.names());
        let mut compared: Vec<Attribute> = names.map(attribute).collect::<Result<_>>()?;
        match &mut found {
            Some(columns) => columns.compared.append(&mut compared),
            None => {
                let key = source
                    .key
                    .names()
                    .into_iter()
                    .map(with_text)
                    .collect::<Result<Vec<_>>>()?;
                let client = source.client_column.as_deref().map(with_text).transpose()?;
                let active = source.active_column.as_deref().map(attribute).transpose()?;
                compared.extend(key.iter().map(|(attribute, _)| *attribute));
                compared.extend(client.iter().map(|(attribute, _)| *attribute));
                compared.extend(active);
                let needs_settings = key.iter().any(|(_, text)| text.depends_on_settings());
                found = Some(Columns {
                    key,
                    client,
                    active,
                    compared,
                    needs_settings,
                });
            }
        }
    }
    found.ok_or_else(|| VbError::internal("a source is kept in step for no vector type"))
}

impl Columns {
    /// Whether a change makes a difference.
    pub(super) fn differ(&self, before: &TriggerRow, after: &TriggerRow) -> bool {
        self.compared.iter().any(|attribute| !before.has_same(after, attribute))
    }

    /// Whose row it is, if it counts.
    pub(super) fn client(&self, row: &TriggerRow) -> Option<i64> {
        if let Some(active) = &self.active
            && row.value(active).is_none_or(|value| value.value() == 0)
        {
            return None;
        }
        let Some((client, text)) = &self.client else {
            return Some(0);
        };
        let value = row.value(client)?;
        let number = whole_number(client, value).or_else(|| numeric(&text.write(value)))?;
        (number >= 0).then_some(number)
    }

    /// Which row of the client it is.
    pub(super) fn identity(&self, client: i64, row: &TriggerRow) -> Identity {
        let texts = |row: &TriggerRow| {
            let parts = self.key.iter();
            parts
                .map(|(part, text)| row.value(part).map(|value| text.write(value)))
                .collect::<Option<Vec<_>>>()
        };
        let texts = if self.needs_settings {
            pinned::with_settings_of_worker(|| texts(row))
        } else {
            texts(row)
        };
        let record_id = texts.map(record_id::join);
        match record_id.filter(|record_id| record_id.len() <= LONGEST_RECORD_ID) {
            Some(record_id) => Identity::Record(client, record_id),
            // A pass over the client's rows says what is wrong with it.
            None => Identity::Unnamed(client),
        }
    }
}

fn whole_number(attribute: &Attribute, value: Datum) -> Option<i64> {
    match attribute.base_type {
        pg_sys::INT2OID => Some(i64::from(value.value() as i16)),
        pg_sys::INT4OID => Some(i64::from(value.value() as i32)),
        pg_sys::INT8OID => Some(value.value() as i64),
        _ => None,
    }
}

/// A numeric that equals a whole number.
fn numeric(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    fraction
        .bytes()
        .all(|digit| digit == b'0')
        .then(|| whole.parse().ok())
        .flatten()
}
