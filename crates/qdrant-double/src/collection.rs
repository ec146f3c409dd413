//! One collection. Every method blocks.

use std::collections::HashMap;

use parking_lot::Mutex;
use qdrant_client::qdrant::{
    CollectionInfo, CreateCollection, CreateFieldIndexCollection, DeleteFieldIndexCollection, PayloadSchemaInfo,
};
use qdrant_edge::{CountRequest, CreateIndex, EdgeShard, FieldIndexOperations, JsonPath, UpdateOperation};
use tempfile::TempDir;
use tonic::Status;

use crate::record::{CollectionRecord, IndexRecord};
use crate::selectors::path;
use crate::status::engine_error;
use crate::{configuration, indexes};

/// A collection and what is known about how it came to be.
pub(crate) struct Collection {
    created: CreateCollection,
    shard: EdgeShard,
    /// Held by every update, so that they come one after the other.
    updated: Mutex<Updated>,
    /// After `shard`, so that the files go when the engine is done with them.
    _files: TempDir,
}

/// What updates have done.
#[derive(Default)]
struct Updated {
    operations: u64,
    has_had_data: bool,
    indexes: Vec<IndexRecord>,
}

impl Collection {
    pub(crate) fn create(created: CreateCollection) -> Result<Self, Status> {
        configuration::check_name(&created.collection_name)?;
        let config = configuration::engine_config(&created)?;
        let files =
            tempfile::tempdir().map_err(|error| Status::internal(format!("Service internal error: {error}")))?;
        let shard = EdgeShard::new(&files.path().join("shard"), config).map_err(engine_error)?;
        Ok(Self {
            created,
            shard,
            updated: Mutex::default(),
            _files: files,
        })
    }

    /// The engine, for reading. Updates go through [`Self::update`].
    pub(crate) fn shard(&self) -> &EdgeShard {
        &self.shard
    }

    /// Applies the operation and gives it a number.
    pub(crate) fn update(&self, operation: UpdateOperation) -> Result<u64, Status> {
        self.apply(&mut self.updated.lock(), operation)
    }

    /// Makes a payload index, and the points that are there part of it.
    pub(crate) fn create_index(&self, asked: CreateFieldIndexCollection) -> Result<u64, Status> {
        let operation = FieldIndexOperations::CreateIndex(CreateIndex {
            field_name: path(&asked.field_name)?,
            field_schema: Some(indexes::schema(&asked)?),
        });
        let mut updated = self.updated.lock();
        let number = self.apply(&mut updated, UpdateOperation::FieldIndexOperation(operation))?;
        let index = IndexRecord {
            created: asked,
            before_data: !updated.has_had_data,
        };
        updated
            .indexes
            .retain(|other| other.created.field_name != index.created.field_name);
        updated.indexes.push(index);
        Ok(number)
    }

    /// Removes a payload index; one that is missing is no error.
    pub(crate) fn delete_index(&self, asked: &DeleteFieldIndexCollection) -> Result<u64, Status> {
        let operation = FieldIndexOperations::DeleteIndex(path(&asked.field_name)?);
        let mut updated = self.updated.lock();
        let number = self.apply(&mut updated, UpdateOperation::FieldIndexOperation(operation))?;
        updated
            .indexes
            .retain(|index| index.created.field_name != asked.field_name);
        Ok(number)
    }

    /// What clients are told about it.
    pub(crate) fn info(&self) -> Result<CollectionInfo, Status> {
        let engine = self.shard.info().map_err(engine_error)?;
        let updated = self.updated.lock();
        let schema: HashMap<String, PayloadSchemaInfo> = updated
            .indexes
            .iter()
            .map(|index| {
                let field = &index.created.field_name;
                let key: Option<JsonPath> = field.parse().ok();
                let of_engine = key.and_then(|key| engine.payload_schema.get(&key));
                let points = of_engine.map_or(0, |of_engine| of_engine.points);
                (field.clone(), indexes::info(&index.created, points))
            })
            .collect();
        Ok(configuration::info(&self.created, &engine, schema))
    }

    /// What tests are told about it.
    pub(crate) fn record(&self) -> CollectionRecord {
        CollectionRecord {
            created: self.created.clone(),
            indexes: self.updated.lock().indexes.clone(),
            points: self.shard.count(CountRequest::new()).expect("points can be counted"),
        }
    }

    fn apply(&self, updated: &mut Updated, operation: UpdateOperation) -> Result<u64, Status> {
        // Conditional ones as well.
        let is_upsert = operation.upsert_point_ids().is_some();
        self.shard.update(operation).map_err(engine_error)?;
        updated.has_had_data |= is_upsert;
        updated.operations += 1;
        Ok(updated.operations)
    }
}
