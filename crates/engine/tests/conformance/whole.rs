//! Calls about whole collections, by name.

use uuid::Uuid;
use vb_engine::point::{Point, PointKey};
use vb_engine::store::contract::{Detail, Hit, Question, Search, VectorStore};
use vb_engine::store::error::StoreError;
use vb_engine::store::share::Share;

/// Calls about whole collections, by name.
pub(crate) trait Whole {
    async fn put(&self, collection: &str, points: Vec<Point>) -> Result<(), StoreError>;
    async fn erase(&self, collection: &str, ids: Vec<Uuid>) -> Result<(), StoreError>;
    async fn find(&self, collection: &str, vector: Vec<f32>, limit: usize) -> Result<Vec<Hit>, StoreError>;
    async fn page(&self, collection: &str, after: Option<Uuid>, limit: usize) -> Result<Vec<Uuid>, StoreError>;
    async fn size(&self, collection: &str) -> Result<u64, StoreError>;
}

impl<T: VectorStore + ?Sized> Whole for T {
    async fn put(&self, collection: &str, points: Vec<Point>) -> Result<(), StoreError> {
        self.upsert(&Share::whole(collection), points).await
    }

    async fn erase(&self, collection: &str, ids: Vec<Uuid>) -> Result<(), StoreError> {
        let keys = ids.into_iter().map(PointKey::Id).collect();
        self.delete(&Share::whole(collection), keys).await
    }

    async fn find(&self, collection: &str, vector: Vec<f32>, limit: usize) -> Result<Vec<Hit>, StoreError> {
        self.search(&Share::whole(collection), nearest(vector, limit)).await
    }

    async fn page(&self, collection: &str, after: Option<Uuid>, limit: usize) -> Result<Vec<Uuid>, StoreError> {
        let after = after.map(PointKey::Id);
        let points = self
            .scroll(&Share::whole(collection), after, limit, Detail::Key)
            .await?;
        Ok(points.into_iter().map(|point| id_of(point.key)).collect())
    }

    async fn size(&self, collection: &str) -> Result<u64, StoreError> {
        self.count(&Share::whole(collection)).await
    }
}

/// Asks for the points nearest to a vector.
pub(crate) fn nearest(vector: Vec<f32>, limit: usize) -> Search {
    Search {
        question: Question::Dense(vector),
        limit,
        conditions: Vec::new(),
    }
}

/// The id that a key is.
pub(crate) fn id_of(key: PointKey) -> Uuid {
    match key {
        PointKey::Id(id) => id,
        PointKey::Number(number) => panic!("{number} is no id"),
    }
}
