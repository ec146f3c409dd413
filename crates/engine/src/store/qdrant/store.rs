//! [`QdrantStore`]: the contract of a vector store, kept by a Qdrant server or cluster.

use std::collections::HashSet;

use async_trait::async_trait;
use parking_lot::Mutex;
use qdrant_client::qdrant::alias_operations::Action;
use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use qdrant_client::qdrant::{
    AliasOperations, ChangeAliases, CountPoints, CreateAlias, DeleteAlias, DeleteCollection, DeletePoints,
    ListCollectionsRequest, PointsIdsList, PointsSelector,
};
use tonic::Code;

use super::connection::Connection;
use super::failure::{completed, error, incomplete};
use super::filter::{filter, filter_of_keys};
use super::known::Known;
use super::options::QdrantOptions;
use super::points::{hit, point_id, stored};
use super::set_fields::change_fields;
use super::upload::upload;
use super::{creation, query};
use crate::fields::FieldsChange;
use crate::point::{Point, PointKey, StoredPoint};
use crate::store::contract::{CollectionSpec, Detail, Hit, Question, Search, VectorStore};
use crate::store::error::StoreError;
use crate::store::name::check_name;
use crate::store::share::Share;

/// Keeps vectors in a Qdrant server or cluster.
pub struct QdrantStore {
    connection: Connection,
    known: Known,
    /// Collections that were missing and were made, or may have been, and of which nobody was told yet.
    made: Mutex<HashSet<String>>,
}

impl QdrantStore {
    /// Prepares for the server; it need not be there yet. Must run inside a tokio runtime.
    pub fn open(options: QdrantOptions) -> Result<Self, StoreError> {
        Ok(Self {
            connection: Connection::new(options)?,
            known: Known::default(),
            made: Mutex::default(),
        })
    }

    /// Removes what is selected.
    async fn remove(&self, collection: &str, selected: PointsSelectorOneOf) -> Result<(), StoreError> {
        let request = DeletePoints {
            collection_name: collection.to_owned(),
            wait: Some(true),
            points: Some(PointsSelector {
                points_selector_one_of: Some(selected),
            }),
            timeout: self.connection.patience(),
            ..DeletePoints::default()
        };
        let answer = self.connection.points()?.delete(request).await;
        let answer = answer.map_err(|status| error(&self.connection, collection, &status))?;
        completed(&self.connection, answer.into_inner().result)
    }

    /// What was found out about a collection that is not there counts no more.
    fn noticing<T>(&self, collection: &str, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::NoCollection(_)) = &result {
            self.known.forget(collection);
        }
        result
    }
}

#[async_trait]
impl VectorStore for QdrantStore {
    async fn ensure_collection(&self, spec: &CollectionSpec) -> Result<bool, StoreError> {
        check_name(&spec.name)?;
        if spec.dimensions == 0 {
            let name = &spec.name;
            return Err(StoreError::Configuration(format!(
                "collection \"{name}\" cannot have 0 dimensions"
            )));
        }
        let connection = &self.connection;
        let layout = match self.known.ask(connection, &spec.name).await {
            Err(StoreError::NoCollection(_)) => {
                // Noted first: it may be made although no answer comes.
                self.made.lock().insert(spec.name.clone());
                if !creation::create(connection, spec).await? {
                    self.made.lock().remove(&spec.name);
                }
                self.known.ask(connection, &spec.name).await?
            }
            other => other?,
        };
        layout.check_dimensions(&spec.name, spec.dimensions)?;
        if !layout.has_keywords {
            return Err(StoreError::Configuration(format!(
                "collection \"{}\" has no vector for keywords: it is not one of ours",
                spec.name
            )));
        }
        if spec.is_shared && !layout.has_tenants {
            creation::index_tenants(connection, spec).await?;
            self.known.ask(connection, &spec.name).await?;
        }
        creation::index_fields(connection, spec).await?;
        Ok(self.made.lock().remove(&spec.name))
    }

    async fn collections(&self) -> Result<Vec<String>, StoreError> {
        let answer = self.connection.collections()?.list(ListCollectionsRequest {}).await;
        let answer = answer.map_err(|status| error(&self.connection, "", &status))?;
        let mut names: Vec<String> = answer
            .into_inner()
            .collections
            .into_iter()
            .map(|found| found.name)
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    async fn drop_collection(&self, collection: &str) -> Result<(), StoreError> {
        check_name(collection)?;
        self.known.forget(collection);
        let request = DeleteCollection {
            collection_name: collection.to_owned(),
            timeout: self.connection.patience(),
        };
        match self.connection.collections()?.delete(request).await {
            Ok(_) => Ok(()),
            Err(status) if status.code() == Code::NotFound => Ok(()),
            Err(status) => Err(error(&self.connection, collection, &status)),
        }
    }

    async fn set_alias(&self, alias: &str, collection: &str) -> Result<(), StoreError> {
        check_name(alias)?;
        let action = |action| AliasOperations { action: Some(action) };
        let request = ChangeAliases {
            // Applied together: at no moment does the name stand for nothing.
            actions: vec![
                action(Action::DeleteAlias(DeleteAlias {
                    alias_name: alias.to_owned(),
                })),
                action(Action::CreateAlias(CreateAlias {
                    collection_name: collection.to_owned(),
                    alias_name: alias.to_owned(),
                })),
            ],
            timeout: self.connection.patience(),
        };
        let answer = self.connection.collections()?.update_aliases(request).await;
        answer
            .map(|_| ())
            .map_err(|status| error(&self.connection, collection, &status))
    }

    async fn upsert(&self, share: &Share, points: Vec<Point>) -> Result<(), StoreError> {
        check_name(&share.collection)?;
        share.check(&points)?;
        let layout = self.known.layout(&self.connection, &share.collection).await?;
        // All of them before any is written.
        points
            .iter()
            .try_for_each(|point| layout.check_dimensions(&share.collection, point.vector.len()))?;
        let written = upload(&self.connection, share, points).await;
        self.noticing(&share.collection, written)
    }

    async fn set_fields(&self, share: &Share, changes: &[FieldsChange]) -> Result<(), StoreError> {
        check_name(&share.collection)?;
        let changed = change_fields(&self.connection, share, changes).await;
        self.noticing(&share.collection, changed)
    }

    async fn delete(&self, share: &Share, keys: Vec<PointKey>) -> Result<(), StoreError> {
        check_name(&share.collection)?;
        if keys.is_empty() {
            return self.known.layout(&self.connection, &share.collection).await.map(|_| ());
        }
        let selected = if share.client_id.is_none() {
            PointsSelectorOneOf::Points(PointsIdsList {
                ids: keys.into_iter().map(point_id).collect(),
            })
        } else {
            PointsSelectorOneOf::Filter(filter_of_keys(share, &keys))
        };
        let removed = self.remove(&share.collection, selected).await;
        self.noticing(&share.collection, removed)
    }

    async fn clear(&self, share: &Share) -> Result<(), StoreError> {
        check_name(&share.collection)?;
        let all = filter(share, &[]).unwrap_or_default();
        let removed = self.remove(&share.collection, PointsSelectorOneOf::Filter(all)).await;
        self.noticing(&share.collection, removed)
    }

    async fn flush(&self, collection: &str) -> Result<(), StoreError> {
        check_name(collection)?;
        // Whatever returned was completed. That the collection is there is worth a question where it is not known.
        self.known.layout(&self.connection, collection).await.map(|_| ())
    }

    async fn search(&self, share: &Share, search: Search) -> Result<Vec<Hit>, StoreError> {
        check_name(&share.collection)?;
        let layout = self.known.layout(&self.connection, &share.collection).await?;
        match &search.question {
            Question::Dense(vector) => layout.check_dimensions(&share.collection, vector.len())?,
            Question::Keywords(keywords) if keywords.is_empty() => return Ok(Vec::new()),
            Question::Keywords(_) => {}
        }
        if search.limit == 0 {
            return Ok(Vec::new());
        }
        let request = query::query(share, search, self.connection.patience());
        let answer = self.connection.points()?.query(request).await;
        let answer = answer.map_err(|status| error(&self.connection, &share.collection, &status));
        let found = self.noticing(&share.collection, answer)?.into_inner().result;
        // What is not ours is no answer; `vb_verify` finds it.
        Ok(found.into_iter().filter_map(hit).collect())
    }

    async fn scroll(
        &self,
        share: &Share,
        after: Option<PointKey>,
        limit: usize,
        detail: Detail,
    ) -> Result<Vec<StoredPoint>, StoreError> {
        check_name(&share.collection)?;
        let request = query::scroll(share, after, limit, detail, self.connection.patience());
        let Some(request) = request.filter(|_| limit > 0) else {
            return Ok(Vec::new());
        };
        let answer = self.connection.points()?.scroll(request).await;
        let answer = answer.map_err(|status| error(&self.connection, &share.collection, &status));
        let found = self.noticing(&share.collection, answer)?.into_inner().result;
        found
            .into_iter()
            .map(|point| stored(point, detail).ok_or_else(|| incomplete(&self.connection)))
            .collect()
    }

    async fn count(&self, share: &Share) -> Result<u64, StoreError> {
        check_name(&share.collection)?;
        let request = CountPoints {
            collection_name: share.collection.clone(),
            filter: filter(share, &[]),
            exact: Some(true),
            timeout: self.connection.patience(),
            ..CountPoints::default()
        };
        let answer = self.connection.points()?.count(request).await;
        let answer = answer.map_err(|status| error(&self.connection, &share.collection, &status));
        let result = self.noticing(&share.collection, answer)?.into_inner().result;
        result
            .map(|result| result.count)
            .ok_or_else(|| incomplete(&self.connection))
    }

    async fn optimize(&self, collection: &str) -> Result<(), StoreError> {
        // The server does that by itself.
        self.known.layout(&self.connection, collection).await.map(|_| ())
    }
}
