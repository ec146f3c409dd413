//! What collections are pinned to, asked once of the server and remembered.

use std::collections::HashMap;

use parking_lot::Mutex;
use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::{CollectionInfo, GetCollectionInfoRequest};

use super::connection::Connection;
use super::failure::{error, incomplete};
use crate::keywords::KEYWORDS;
use crate::store::error::StoreError;
use crate::store::share::TENANT;

/// What a collection is pinned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Numbers in each vector; `None` when its vectors are not as ours.
    pub(super) dimensions: Option<usize>,
    /// Whether points have keywords.
    pub(super) has_keywords: bool,
    /// Whether the field by which clients share it is indexed.
    pub(super) has_tenants: bool,
}

impl Layout {
    fn of(info: &CollectionInfo) -> Self {
        let params = info.config.as_ref().and_then(|config| config.params.as_ref());
        let vectors = params.and_then(|params| params.vectors_config.as_ref()?.config.as_ref());
        let keywords = params.and_then(|params| params.sparse_vectors_config.as_ref());
        Self {
            dimensions: match vectors {
                Some(Config::Params(params)) => usize::try_from(params.size).ok(),
                Some(Config::ParamsMap(_)) | None => None,
            },
            has_keywords: keywords.is_some_and(|keywords| keywords.map.contains_key(KEYWORDS)),
            has_tenants: info.payload_schema.contains_key(TENANT),
        }
    }

    /// Refuses vectors of any other length.
    pub(super) fn check_dimensions(&self, collection: &str, dimensions: usize) -> Result<(), StoreError> {
        match self.dimensions {
            Some(own) if own == dimensions => Ok(()),
            Some(own) => Err(StoreError::Configuration(format!(
                "collection \"{collection}\" has {own} dimensions, not {dimensions}"
            ))),
            None => Err(StoreError::Configuration(format!(
                "collection \"{collection}\" has vectors with names: it is not one of ours"
            ))),
        }
    }
}

/// Collections whose layout is known. It never changes, but a collection can be removed and another one made.
#[derive(Default)]
pub(super) struct Known {
    layouts: Mutex<HashMap<String, Layout>>,
}

impl Known {
    /// What the collection is pinned to.
    pub(super) async fn layout(&self, connection: &Connection, collection: &str) -> Result<Layout, StoreError> {
        if let Some(layout) = self.layouts.lock().get(collection) {
            return Ok(*layout);
        }
        self.ask(connection, collection).await
    }

    /// The same, as the server says it now.
    pub(super) async fn ask(&self, connection: &Connection, collection: &str) -> Result<Layout, StoreError> {
        let request = GetCollectionInfoRequest {
            collection_name: collection.to_owned(),
        };
        let answer = connection.collections()?.get(request).await;
        let answer = answer.map_err(|status| error(connection, collection, &status))?;
        let info = answer.into_inner().result.ok_or_else(|| incomplete(connection))?;
        let layout = Layout::of(&info);
        self.layouts.lock().insert(collection.to_owned(), layout);
        Ok(layout)
    }

    /// The collection is gone, or may be.
    pub(super) fn forget(&self, collection: &str) {
        self.layouts.lock().remove(collection);
    }
}
