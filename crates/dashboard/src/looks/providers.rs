//! Providers, collections, and sources that are kept in step.

use serde_json::{Value, json};
use tokio_postgres::Error;

use crate::looks::{Look, Object, Statement};

pub(crate) const PROVIDERS: Statement = Statement {
    sql: include_str!("../../sql/providers.sql"),
    reads: &["vb_provider_status"],
};
pub(crate) const SYNCS: Statement = Statement {
    sql: include_str!("../../sql/syncs.sql"),
    reads: &["vb_sync_status"],
};
/// Points are counted, so it is looked at seldom.
pub(crate) const COLLECTIONS: Statement = Statement {
    sql: include_str!("../../sql/collections.sql"),
    reads: &["vb_collections"],
};

/// What the last looks saw.
#[derive(Debug, Default)]
pub(crate) struct Providers {
    providers: Vec<Object>,
    syncs: Vec<Object>,
    /// `None` until they were counted.
    pub(crate) collections: Option<Vec<Object>>,
    /// Whether all but the slow look were made.
    pub(crate) is_complete: bool,
}

impl Providers {
    pub(crate) async fn look(&mut self, look: &mut Look<'_>) -> Result<(), Error> {
        self.providers = look.objects(PROVIDERS, &[]).await?;
        self.syncs = look.objects(SYNCS, &[]).await?;
        self.is_complete = true;
        Ok(())
    }

    pub(crate) fn payload(&self) -> Value {
        json!({ "providers": self.providers, "collections": self.collections, "syncs": self.syncs })
    }
}
