//! [`EmbeddedStore`]: the contract of a vector store, kept by the engine in this process.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::blocking::{blocking, on_shard};
use super::directory::StoreDirectory;
use super::group_commit;
use super::index_builder::IndexBuilder;
use super::open_shards::OpenShards;
use crate::fields::FieldsChange;
use crate::point::{Point, PointKey, StoredPoint};
use crate::store::contract::{CollectionSpec, Detail, Hit, Search, VectorStore};
use crate::store::error::StoreError;
use crate::store::share::Share;

/// Collections that stay open when nobody uses them. An open one of 100 points costs about 80 kB of memory, 500 kB mapped
/// from files, 20 mappings, one file descriptor and one sleeping thread; opening it takes 10 to 30 ms.
const OPEN_SHARDS: usize = 64;

/// Keeps vectors in this process, in one directory.
///
/// Everything is asynchronous and must run inside a tokio runtime; the engine's own work happens on its blocking threads.
/// Dropping a call's future does not undo or stop what the engine already began.
pub struct EmbeddedStore {
    shards: Arc<OpenShards>,
    index_builder: IndexBuilder,
}

/// How an embedded store shares its machine with others.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedOptions {
    /// Collections that stay open when nobody uses them, at least 1.
    pub open_shards: usize,
    /// Priority of the thread that builds indexes: 0 as everybody else, 19 the least.
    pub niceness: i32,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            open_shards: OPEN_SHARDS,
            niceness: 0,
        }
    }
}

impl EmbeddedStore {
    /// Takes possession of the directory, which is made if it is missing, and clears away what a crash left half done.
    /// While another store has the directory, in this process or another, that is a configuration error.
    pub fn open(directory: PathBuf, options: EmbeddedOptions) -> Result<Self, StoreError> {
        let directory = Arc::new(StoreDirectory::open(directory)?);
        Ok(Self {
            shards: Arc::new(OpenShards::new(directory, options.open_shards.max(1))),
            index_builder: IndexBuilder::new(options.niceness),
        })
    }

    /// Makes everything durable and closes all collections; every later call fails. Goes on to the end when the
    /// caller no longer waits. Does not wait for an index that is being built: that one goes on until it is ready or the process ends, the directory stays taken as long, and its
    /// collection is whole in either case.
    pub async fn close(&self) {
        self.shards.close().await;
    }
}

#[async_trait]
impl VectorStore for EmbeddedStore {
    async fn ensure_collection(&self, spec: &CollectionSpec) -> Result<bool, StoreError> {
        let (shard, is_new) = match self.shards.lease(&spec.name).await {
            Err(StoreError::NoCollection(_)) => (self.shards.create(spec).await?, true),
            other => (other?, false),
        };
        shard.check_dimensions(spec.dimensions)?;
        if !is_new && !spec.fields.is_empty() {
            let fields = spec.fields.clone();
            on_shard(shard, move |shard| shard.index_fields(&fields)).await?;
        }
        Ok(is_new)
    }

    async fn collections(&self) -> Result<Vec<String>, StoreError> {
        let directory = self.shards.directory();
        blocking(move || directory.collections()).await
    }

    async fn drop_collection(&self, collection: &str) -> Result<(), StoreError> {
        self.shards.drop_collection(collection).await
    }

    async fn set_alias(&self, _alias: &str, _collection: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn upsert(&self, share: &Share, points: Vec<Point>) -> Result<(), StoreError> {
        let (shard, share) = (self.shards.lease(&share.collection).await?, share.clone());
        on_shard(shard, move |shard| shard.upsert(&share, points)).await
    }

    async fn set_fields(&self, share: &Share, changes: &[FieldsChange]) -> Result<(), StoreError> {
        let (shard, share) = (self.shards.lease(&share.collection).await?, share.clone());
        let changes = changes.to_vec();
        on_shard(shard, move |shard| shard.set_fields(&share, &changes)).await
    }

    async fn delete(&self, share: &Share, keys: Vec<PointKey>) -> Result<(), StoreError> {
        let (shard, share) = (self.shards.lease(&share.collection).await?, share.clone());
        on_shard(shard, move |shard| shard.delete(&share, &keys)).await
    }

    async fn clear(&self, share: &Share) -> Result<(), StoreError> {
        let (shard, share) = (self.shards.lease(&share.collection).await?, share.clone());
        on_shard(shard, move |shard| shard.clear(&share)).await
    }

    async fn flush(&self, collection: &str) -> Result<(), StoreError> {
        let shard = self.shards.lease(collection).await?;
        group_commit::flush(shard).await
    }

    async fn search(&self, share: &Share, search: Search) -> Result<Vec<Hit>, StoreError> {
        let (shard, share) = (self.shards.lease(&share.collection).await?, share.clone());
        on_shard(shard, move |shard| shard.search(&share, search)).await
    }

    async fn scroll(
        &self,
        share: &Share,
        after: Option<PointKey>,
        limit: usize,
        detail: Detail,
    ) -> Result<Vec<StoredPoint>, StoreError> {
        let (shard, share) = (self.shards.lease(&share.collection).await?, share.clone());
        on_shard(shard, move |shard| shard.scroll(&share, after, limit, detail)).await
    }

    async fn count(&self, share: &Share) -> Result<u64, StoreError> {
        let (shard, share) = (self.shards.lease(&share.collection).await?, share.clone());
        on_shard(shard, move |shard| shard.count(&share)).await
    }

    async fn optimize(&self, collection: &str) -> Result<(), StoreError> {
        let turn = self.index_builder.turn().await;
        // Taken only now, so that collections waiting for their turn can be closed.
        let shard = self.shards.lease(collection).await?;
        self.index_builder.build(turn, shard).await
    }
}
