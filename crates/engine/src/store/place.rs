//! Which store keeps a collection.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::share::Share;

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// The engine in this process.
    Embedded,
    /// A Qdrant server or cluster.
    Qdrant,
}

impl StoreKind {
    /// Its name in settings and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Qdrant => "qdrant",
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A text that names no store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no store {0:?}: stores are embedded and qdrant")]
pub struct NoSuchStore(String);

impl FromStr for StoreKind {
    type Err = NoSuchStore;

    fn from_str(name: &str) -> Result<Self, NoSuchStore> {
        [Self::Embedded, Self::Qdrant]
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| NoSuchStore(name.to_owned()))
    }
}

/// Where points are: the store, and whose they are in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The store.
    pub store: StoreKind,
    /// The collection, or a client's share of it.
    pub share: Share,
}

impl Place {
    /// All of a collection.
    pub fn whole(store: StoreKind, collection: impl Into<String>) -> Self {
        Self {
            store,
            share: Share::whole(collection),
        }
    }
}
