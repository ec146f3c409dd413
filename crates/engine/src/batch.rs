//! What goes into the engine and what comes out of it: plain values, no Postgres, no provider, no store.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::cancel::CancelFlag;
use crate::fields::{Fields, FieldsChange};
use crate::policy::chunking::Chunking;
use crate::provider::config::ProviderConfig;
use crate::purse::Purse;
use crate::store::contract::CollectionSpec;
use crate::store::place::{Place, StoreKind};
use crate::store::share::Share;

/// The only unit of work: records of one client, source and vector type that are embedded and stored together.
#[derive(Debug)]
pub struct Batch {
    /// Identity in `vb_batches`.
    pub id: i64,
    /// The job this batch belongs to.
    pub job_id: i64,
    /// Where the vectors go and whose they are.
    pub target: Arc<Target>,
    /// Who embeds them.
    pub provider: Arc<ProviderConfig>,
    /// Records to embed; may be empty when the batch only changes or deletes.
    pub records: Vec<Record>,
    /// What the points of records whose text is the same are to carry.
    pub changes: Vec<FieldsChange>,
    /// Points to remove because their row is gone.
    pub deletes: Vec<Uuid>,
    /// Whether a failure that may pass will not be given another try: what keeps failing while the provider works is then
    /// found and set aside.
    pub last_attempt: bool,
    /// Whether its rows have just changed: it goes before others.
    pub is_change: bool,
    /// Pays for what it sends.
    pub purse: Arc<Purse>,
    /// Raised when the job was paused or cancelled.
    pub cancel: CancelFlag,
}

/// Where vectors go and whose they are. One per job, shared by its batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The store that keeps the collection.
    pub store: StoreKind,
    /// The collection, pinned to one vector space.
    pub collection: CollectionSpec,
    /// Namespace of the point ids: identifies the installation, so that two databases can share one store.
    pub namespace: Uuid,
    /// The client the records belong to.
    pub client_id: i64,
    /// Object identifier of the source table: stable when the table is renamed.
    pub source_oid: u32,
    /// Name of the source as people write it.
    pub source: String,
    /// `content`, `summary`, `metadata` or a type of the user's own.
    pub vector_type: String,
    /// How texts longer than the model's window are cut into chunks; `None` truncates them.
    pub chunking: Option<Chunking>,
}

impl Target {
    /// Where the points are.
    pub fn place(&self) -> Place {
        Place {
            store: self.store,
            share: Share {
                collection: self.collection.name.clone(),
                client_id: self.collection.is_shared.then_some(self.client_id),
            },
        }
    }
}

/// One row to embed, as it was when the batch was read.
#[derive(Debug, Clone)]
pub struct Record {
    /// The key as text.
    pub record_id: String,
    /// The text to embed; never empty.
    pub text: Arc<str>,
    /// SHA-256 of the text, as Postgres computed it.
    pub content_hash: [u8; 32],
    /// Its columns.
    pub fields: Fields,
    /// Points this record has now; those that its new chunks do not replace are deleted.
    pub present_points: Vec<Uuid>,
}

/// What became of a batch. Sent exactly once for each batch that was submitted, unless the engine is dropped.
#[derive(Debug)]
pub struct Outcome {
    /// The batch's identity in `vb_batches`.
    pub batch_id: i64,
    /// The batch's job.
    pub job_id: i64,
    /// What happened.
    pub result: BatchResult,
    /// What it cost.
    pub spent: Spent,
}

/// What happened to a batch.
#[derive(Debug)]
pub enum BatchResult {
    /// The store holds the new points and the changes durably and no longer holds the deleted ones.
    Done {
        /// Records whose points are in the store.
        embedded: Vec<EmbeddedRecord>,
        /// Records that could not be embedded; their former points are untouched.
        failed: Vec<FailedRecord>,
        /// Points that are gone because their row is gone.
        deleted: Vec<Uuid>,
        /// Records that are still to be done, if there are any.
        left: Option<Left>,
    },
    /// The job was paused or cancelled before anything was stored.
    Cancelled,
    /// Nothing is known to be stored; the whole batch may be repeated.
    Failed(Failure),
}

/// Records of a batch that were not done, for a reason that is not theirs.
#[derive(Debug)]
pub struct Left {
    /// Their keys as text.
    pub record_ids: Vec<String>,
    /// Why.
    pub failure: Failure,
}

/// A record whose points are in the store.
#[derive(Debug)]
pub struct EmbeddedRecord {
    /// The key as text.
    pub record_id: String,
    /// Hash of the text that was embedded.
    pub content_hash: [u8; 32],
    /// Hash of the columns that its points carry.
    pub fields_hash: String,
    /// Its points in order of `chunk_no`, at least one.
    pub chunks: Vec<ChunkReference>,
    /// Whether text beyond the model's window was left out.
    pub truncated: bool,
}

/// One point of a record.
#[derive(Debug)]
pub struct ChunkReference {
    /// The point's id in the store.
    pub point_id: Uuid,
    /// Tokens the model saw.
    pub tokens: u32,
}

/// A record that could not be embedded.
#[derive(Debug)]
pub struct FailedRecord {
    /// The key as text.
    pub record_id: String,
    /// Hash of the text that failed, so that it comes up again only when the text changes.
    pub content_hash: [u8; 32],
    /// Whether it was refused, or failed again and again in a way that may pass.
    pub class: FailureClass,
    /// What was wrong, for people.
    pub message: String,
}

/// Why a whole batch failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What to do about it.
    pub class: FailureClass,
    /// What was wrong, for people.
    pub message: String,
    /// How long to wait before it is repeated, where somebody said so.
    pub retry_after: Option<Duration>,
    /// Who failed.
    pub origin: Origin,
}

/// Where a failure comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// From the provider.
    Provider,
    /// From a limit of what may be spent.
    Budget,
    /// From the store or ourselves.
    Other,
}

impl Failure {
    /// A failure that is not the provider's, without anything said about when to come back.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            retry_after: None,
            origin: Origin::Other,
        }
    }
}

/// Every failure of a provider or a store is one of these, and each has one consequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// Too fast: wait and repeat; costs no attempt.
    Throttled,
    /// May pass by itself: repeat with back-off.
    Transient,
    /// One record is at fault: find it, set it aside.
    Record,
    /// Somebody has to change something: pause the job with the reason.
    Configuration,
}

/// What a batch cost.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    /// Tokens the provider saw.
    pub tokens: u64,
    /// Time in the provider.
    pub embedding: Duration,
    /// Time in the store, flush included.
    pub storing: Duration,
}
