//! A store in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use uuid::Uuid;
use vb_engine::fields::FieldsChange;
use vb_engine::point::{Point, PointKey, StoredPoint};
use vb_engine::store::contract::{CollectionSpec, Detail, Hit, Question, Search, VectorStore};
use vb_engine::store::error::StoreError;
use vb_engine::store::share::Share;

use super::gate::Gate;

/// Dimensions and points by id.
type Collection = (usize, BTreeMap<Uuid, Point>);

type Fault = Box<dyn FnMut(&str) -> Result<(), StoreError> + Send>;

/// Keeps points in memory. Every call is recorded by name, may be held at a gate, and may fail.
#[derive(Default)]
pub(crate) struct MemoryStore {
    collections: Mutex<HashMap<String, Collection>>,
    aliases: Mutex<HashMap<String, String>>,
    calls: Mutex<Vec<&'static str>>,
    gates: Mutex<HashMap<&'static str, Arc<Gate>>>,
    fault: Mutex<Option<Fault>>,
}

impl MemoryStore {
    /// Holds calls of that name at a gate.
    pub(crate) fn hold(&self, call: &'static str) -> Arc<Gate> {
        self.gates.lock().unwrap().entry(call).or_default().clone()
    }

    /// Lets `fault` decide whether a call of a name fails.
    pub(crate) fn fail(&self, fault: impl FnMut(&str) -> Result<(), StoreError> + Send + 'static) {
        *self.fault.lock().unwrap() = Some(Box::new(fault));
    }

    /// Names of the calls so far.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        self.calls.lock().unwrap().clone()
    }

    /// All points of a collection by id; none when it does not exist.
    pub(crate) fn points(&self, collection: &str) -> BTreeMap<Uuid, Point> {
        self.collections
            .lock()
            .unwrap()
            .get(collection)
            .map(|(_, points)| points.clone())
            .unwrap_or_default()
    }

    /// What another name stands for.
    pub(crate) fn alias(&self, alias: &str) -> Option<String> {
        self.aliases.lock().unwrap().get(alias).cloned()
    }

    /// Removes a collection as somebody else would.
    pub(crate) fn remove(&self, collection: &str) {
        self.collections.lock().unwrap().remove(collection);
    }

    async fn called(&self, call: &'static str) -> Result<(), StoreError> {
        self.calls.lock().unwrap().push(call);
        let gate = self.gates.lock().unwrap().get(call).cloned();
        if let Some(gate) = gate {
            gate.pass().await;
        }
        self.fault.lock().unwrap().as_mut().map_or(Ok(()), |fault| fault(call))
    }

    fn with<T>(&self, collection: &str, work: impl FnOnce(&mut BTreeMap<Uuid, Point>) -> T) -> Result<T, StoreError> {
        match self.collections.lock().unwrap().get_mut(collection) {
            Some((_, points)) => Ok(work(points)),
            None => Err(StoreError::NoCollection(collection.to_owned())),
        }
    }
}

#[async_trait]
impl VectorStore for MemoryStore {
    async fn ensure_collection(&self, spec: &CollectionSpec) -> Result<bool, StoreError> {
        self.called("ensure").await?;
        let mut collections = self.collections.lock().unwrap();
        let is_new = !collections.contains_key(&spec.name);
        let (dimensions, _) = collections
            .entry(spec.name.clone())
            .or_insert((spec.dimensions, BTreeMap::new()));
        if *dimensions == spec.dimensions {
            Ok(is_new)
        } else {
            Err(StoreError::Configuration("other dimensions".into()))
        }
    }

    async fn collections(&self) -> Result<Vec<String>, StoreError> {
        let mut names: Vec<String> = self.collections.lock().unwrap().keys().cloned().collect();
        names.sort();
        Ok(names)
    }

    async fn drop_collection(&self, collection: &str) -> Result<(), StoreError> {
        self.called("drop").await?;
        self.remove(collection);
        Ok(())
    }

    async fn set_alias(&self, alias: &str, collection: &str) -> Result<(), StoreError> {
        self.called("alias").await?;
        let (alias, collection) = (alias.to_owned(), collection.to_owned());
        self.aliases.lock().unwrap().insert(alias, collection);
        Ok(())
    }

    async fn upsert(&self, share: &Share, points: Vec<Point>) -> Result<(), StoreError> {
        self.called("upsert").await?;
        self.with(&share.collection, |kept| {
            kept.extend(points.into_iter().map(|point| (point.id, point)))
        })
    }

    async fn set_fields(&self, share: &Share, changes: &[FieldsChange]) -> Result<(), StoreError> {
        self.called("set_fields").await?;
        self.with(&share.collection, |kept| {
            for FieldsChange { points, fields } in changes {
                for point in points {
                    if let Some(kept) = kept.get_mut(point) {
                        kept.payload.fields = fields.values.clone();
                        kept.payload.fields_hash = fields.hash.clone();
                    }
                }
            }
        })
    }

    async fn delete(&self, share: &Share, keys: Vec<PointKey>) -> Result<(), StoreError> {
        self.called("delete").await?;
        self.with(&share.collection, |kept| {
            kept.retain(|id, _| !keys.contains(&PointKey::Id(*id)))
        })
    }

    async fn clear(&self, share: &Share) -> Result<(), StoreError> {
        self.called("clear").await?;
        self.with(&share.collection, |kept| {
            kept.retain(|_, point| share.client_id.is_some_and(|client| point.payload.client_id != client))
        })
    }

    async fn flush(&self, collection: &str) -> Result<(), StoreError> {
        self.called("flush").await?;
        self.with(collection, |_| ())
    }

    async fn search(&self, share: &Share, search: Search) -> Result<Vec<Hit>, StoreError> {
        self.called("search").await?;
        let mut hits = self.with(&share.collection, |kept| {
            let hit = |point: &Point| Hit {
                id: point.id,
                score: score(point, &search.question),
                payload: point.payload.clone(),
            };
            kept.values().map(hit).collect::<Vec<_>>()
        })?;
        if matches!(search.question, Question::Keywords(_)) {
            hits.retain(|hit| hit.score > 0.0);
        }
        hits.sort_by(|a, b| b.score.total_cmp(&a.score));
        hits.truncate(search.limit);
        Ok(hits)
    }

    async fn scroll(
        &self,
        share: &Share,
        after: Option<PointKey>,
        limit: usize,
        _detail: Detail,
    ) -> Result<Vec<StoredPoint>, StoreError> {
        self.called("scroll").await?;
        self.with(&share.collection, |kept| {
            let stored = |point: &Point| StoredPoint {
                key: point.id.into(),
                identity: None,
                whole: Some(point.clone()),
            };
            kept.values()
                .filter(|point| Some(PointKey::Id(point.id)) > after)
                .take(limit)
                .map(stored)
                .collect()
        })
    }

    async fn count(&self, share: &Share) -> Result<u64, StoreError> {
        self.called("count").await?;
        self.with(&share.collection, |kept| kept.len() as u64)
    }

    async fn optimize(&self, _collection: &str) -> Result<(), StoreError> {
        self.called("optimize").await
    }
}

/// How well a point answers.
fn score(point: &Point, question: &Question) -> f32 {
    match question {
        Question::Dense(vector) => point.vector.iter().zip(vector).map(|(a, b)| a * b).sum(),
        Question::Keywords(keywords) => {
            let shared = point.keywords.words.iter().filter(|word| keywords.words.contains(word));
            shared.count() as f32
        }
    }
}
