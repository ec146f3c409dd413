//! One open collection. Every method blocks.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use qdrant_edge::{EdgeConfig, EdgeShard, OperationError};

use super::directory::{StoreDirectory, clear_interrupted_index};
use super::group_commit::GroupCommit;
use super::settings::Layout;
use super::{conversion, failure, settings};
use crate::fields::{Field, FieldKind, FieldsChange};
use crate::point::{Point, PointKey, StoredPoint};
use crate::store::contract::{CollectionSpec, Detail, Hit, Question, Search};
use crate::store::error::StoreError;
use crate::store::share::Share;

/// Bytes that a point takes on disk beside its vector and columns, at most: payload with 500 characters, ids, versions.
const POINT_BYTES: u64 = 4 * 1024;

/// Bytes that a word of its keywords takes there: hash and weight, in the log, the storage and the index.
const WORD_BYTES: u64 = 32;

/// Times a vector is on disk until the log is cut: as number in the log (5 bytes for 4) and in the collection.
const VECTOR_COPIES: u64 = 3;

/// Times a column is on disk until the log is cut: in the log, in the payload and in its index.
const COLUMN_COPIES: u64 = 3;

/// Bytes that a value takes in the index of its column, at most: of a text, and of anything else.
const INDEXED_TEXT_BYTES: u64 = 1_200;
const INDEXED_VALUE_BYTES: u64 = 100;

/// An open collection.
pub(super) struct Shard {
    collection: String,
    layout: Layout,
    path: PathBuf,
    engine: EdgeShard,
    /// Held by every write and every flush, so that they never overlap.
    ///
    /// The engine would let them. But its flush syncs the log first and the data after that, and data that a write puts
    /// in between would be on disk without its log entry. After a power failure the log would then give out the same
    /// numbers again, and data already numbered higher would silently win over what is written later.
    writing: Mutex<()>,
    /// Whether something was written that no flush has made durable.
    unflushed: AtomicBool,
    /// Whether the engine has to be opened afresh before it is used again.
    suspect: AtomicBool,
    /// When it was last used, by the clock of [`super::open_shards::OpenShards`].
    pub(super) last_used: AtomicU64,
    /// Shared flushes.
    pub(super) group_commit: Arc<GroupCommit>,
    /// After `engine`, so that the directory is given up only when the engine is gone.
    directory: Arc<StoreDirectory>,
}

impl Shard {
    /// Makes an empty collection's files below `path`, which must not exist.
    pub(super) fn create(path: &Path, spec: &CollectionSpec) -> Result<(), StoreError> {
        let layout = Layout::new(spec);
        let indexes: Vec<_> = spec
            .fields
            .iter()
            .map(conversion::field_index)
            .collect::<Result<_, StoreError>>()?;
        EdgeShard::new(path, settings::collection(layout))
            .and_then(|engine| {
                if layout.is_shared {
                    engine.update(conversion::tenant_index())?;
                }
                for index in indexes {
                    engine.update(conversion::create_index(index))?;
                }
                engine.flush()
            })
            .map_err(|error| failure::engine_error(&spec.name, &error))
    }

    /// Opens the collection whose files are below `path` and repeats what its log holds beyond them.
    pub(super) fn open(collection: &str, path: PathBuf, directory: Arc<StoreDirectory>) -> Result<Self, StoreError> {
        failure::check_room_to_open(&path)?;
        let engine_error = |error: OperationError| failure::engine_error(collection, &error);
        let config = EdgeConfig::load(&path).transpose().map_err(engine_error)?;
        let Some(layout) = config.as_ref().and_then(Layout::of) else {
            let files = path.display();
            return Err(StoreError::Configuration(format!(
                "\"{files}\" holds no collection of this store"
            )));
        };
        let engine = EdgeShard::load(&path, Some(settings::collection(layout))).map_err(engine_error)?;
        // Only now: loading fails as long as a former opening of the same files is still building its index.
        clear_interrupted_index(&path);
        Ok(Self {
            collection: collection.to_owned(),
            layout,
            path,
            engine,
            writing: Mutex::new(()),
            // The engine's files may hold what only its log had.
            unflushed: AtomicBool::new(true),
            suspect: AtomicBool::new(false),
            last_used: AtomicU64::new(0),
            group_commit: Arc::default(),
            directory,
        })
    }

    /// Name of the collection.
    pub(super) fn collection(&self) -> &str {
        &self.collection
    }

    /// Refuses vectors of any other length than the collection's.
    pub(super) fn check_dimensions(&self, dimensions: usize) -> Result<(), StoreError> {
        if dimensions == self.layout.dimensions {
            return Ok(());
        }
        Err(StoreError::Configuration(format!(
            "collection \"{}\" has {} dimensions, not {dimensions}",
            self.collection, self.layout.dimensions
        )))
    }

    pub(super) fn upsert(&self, share: &Share, points: Vec<Point>) -> Result<(), StoreError> {
        share.check(&points)?;
        // All of them before any is written.
        points
            .iter()
            .try_for_each(|point| self.check_dimensions(point.vector.len()))?;
        let vector_bytes = (self.layout.dimensions * size_of::<f32>()) as u64 * VECTOR_COPIES;
        let words: usize = points.iter().map(|point| point.keywords.words.len()).sum();
        let columns: usize = points.iter().map(|point| point.payload.size()).sum();
        let bytes = points.len() as u64 * (vector_bytes + POINT_BYTES)
            + words as u64 * WORD_BYTES
            + columns as u64 * COLUMN_COPIES;
        failure::check_room_to_write(self.directory.root(), bytes)?;

        let mut points = points.into_iter();
        loop {
            let some: Vec<Point> = points.by_ref().take(settings::POINTS_IN_OPERATION).collect();
            if some.is_empty() {
                return Ok(());
            }
            self.write(conversion::upsert(share, some, self.layout)?)?;
        }
    }

    /// Indexes the columns that points carry, those that are not. Takes as long as reading all points does.
    pub(super) fn index_fields(&self, fields: &[Field]) -> Result<(), StoreError> {
        let info = self.engine.info().map_err(|error| self.failed(&error))?;
        for field in fields {
            let index = conversion::field_index(field)?;
            let known = info.payload_schema.get(&index.field_name);
            if known.is_some_and(|known| known.data_type == conversion::index_type(field.kind)) {
                continue;
            }
            let bytes = info.points_count as u64
                * match field.kind {
                    FieldKind::Keyword => INDEXED_TEXT_BYTES,
                    FieldKind::Bool | FieldKind::Integer | FieldKind::Float => INDEXED_VALUE_BYTES,
                };
            failure::check_room_to_write(self.directory.root(), bytes)?;
            let _turn = self.writing.lock();
            self.unflushed.store(true, Ordering::Release);
            // It writes data by itself, which must not be ahead of the log, see `writing`.
            self.engine
                .flush()
                .and_then(|()| self.engine.update(conversion::create_index(index)))
                .map_err(|error| {
                    self.suspect();
                    self.failed(&error)
                })?;
        }
        Ok(())
    }

    pub(super) fn set_fields(&self, share: &Share, changes: &[FieldsChange]) -> Result<(), StoreError> {
        let columns: usize = changes
            .iter()
            .map(|change| change.fields.size() * change.points.len())
            .sum();
        let points: usize = changes.iter().map(|change| change.points.len()).sum();
        let bytes = points as u64 * POINT_BYTES + columns as u64 * COLUMN_COPIES;
        failure::check_room_to_write(self.directory.root(), bytes)?;
        changes
            .iter()
            .try_for_each(|change| self.write(conversion::set_fields(share, change)?))
    }

    pub(super) fn delete(&self, share: &Share, keys: &[PointKey]) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        failure::check_room_to_write(self.directory.root(), 0)?;
        self.write(conversion::delete(share, keys)?)
    }

    pub(super) fn clear(&self, share: &Share) -> Result<(), StoreError> {
        failure::check_room_to_write(self.directory.root(), 0)?;
        self.write(conversion::clear(share)?)
    }

    fn write(&self, operation: qdrant_edge::UpdateOperation) -> Result<(), StoreError> {
        let _turn = self.writing.lock();
        self.unflushed.store(true, Ordering::Release);
        self.engine.update(operation).map_err(|error| self.failed(&error))
    }

    /// Makes everything durable that was written before. Call it through [`super::group_commit::flush`] where others may
    /// flush as well.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        let _turn = self.writing.lock();
        if !self.unflushed.load(Ordering::Acquire) {
            return Ok(());
        }
        self.engine.flush().map_err(|error| {
            // Pages that the system failed to write count as written afterwards: only the log still knows them.
            self.suspect();
            self.failed(&error)
        })?;
        self.unflushed.store(false, Ordering::Release);
        Ok(())
    }

    pub(super) fn search(&self, share: &Share, search: Search) -> Result<Vec<Hit>, StoreError> {
        match &search.question {
            Question::Dense(vector) => self.check_dimensions(vector.len())?,
            Question::Keywords(_) if !self.layout.has_keywords => {
                return Err(StoreError::Configuration(format!(
                    "collection \"{}\" was made before there was keyword search and has no keywords: embed again with \
                     reembed => true",
                    self.collection
                )));
            }
            Question::Keywords(keywords) if keywords.is_empty() => return Ok(Vec::new()),
            Question::Keywords(_) => {}
        }
        if search.limit == 0 {
            return Ok(Vec::new());
        }
        let found = self
            .engine
            .query(conversion::query(share, search)?)
            .map_err(|error| self.failed(&error))?;
        // What is not ours is no answer; `vb_verify` finds it.
        Ok(found.into_iter().filter_map(conversion::hit).collect())
    }

    pub(super) fn scroll(
        &self,
        share: &Share,
        after: Option<PointKey>,
        limit: usize,
        detail: Detail,
    ) -> Result<Vec<StoredPoint>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let Some(request) = conversion::scroll(share, after, limit, detail)? else {
            return Ok(Vec::new());
        };
        let (records, _next) = self.engine.scroll(request).map_err(|error| self.failed(&error))?;
        Ok(records
            .into_iter()
            .map(|record| conversion::stored(record, detail))
            .collect())
    }

    pub(super) fn count(&self, share: &Share) -> Result<u64, StoreError> {
        let count = self
            .engine
            .count(conversion::count(share)?)
            .map_err(|error| self.failed(&error))?;
        Ok(count as u64)
    }

    /// Indexes large parts that have no index and rewrites parts of which much was deleted; returns at once when there is
    /// nothing to do. May take minutes, during which everything else goes on.
    pub(super) fn build_index(&self) -> Result<bool, StoreError> {
        // What the index is built from must not be ahead of the log, see `writing`.
        self.flush()?;
        let built = self
            .engine
            .optimize()
            .map_err(|error| failure::engine_error(&self.collection, &error))?;
        if built {
            // Lets go of the files that the new ones replace.
            self.unflushed.store(true, Ordering::Release);
            self.flush()?;
        }
        Ok(built)
    }

    /// Says that the engine has to be opened afresh before it is used again.
    pub(super) fn suspect(&self) {
        self.suspect.store(true, Ordering::Release);
    }

    /// Whether the engine has to be opened afresh.
    pub(super) fn is_suspect(&self) -> bool {
        self.suspect.load(Ordering::Acquire)
    }

    fn failed(&self, error: &OperationError) -> StoreError {
        if failure::leaves_the_engine_suspect(error) {
            log::warn!(
                "collection \"{}\" in \"{}\" will be opened afresh: {error}",
                self.collection,
                self.path.display()
            );
            self.suspect();
        }
        failure::engine_error(&self.collection, error)
    }
}
