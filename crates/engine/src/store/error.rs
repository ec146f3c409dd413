//! Why a store did not do what it was asked, and what follows from that.

use std::time::Duration;

use crate::batch::{Failure, FailureClass};

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The collection is not there.
    #[error("collection \"{0}\" does not exist")]
    NoCollection(String),
    /// Another process has the store open, or has just let go of it.
    #[error("{0}")]
    InUse(String),
    /// Somebody has to change something: wrong dimensions, no rights.
    #[error("{0}")]
    Configuration(String),
    /// There is no room for more.
    #[error("{0}")]
    Full(String),
    /// Too many requests for the moment.
    #[error("{message}")]
    Throttled {
        /// What the store said.
        message: String,
        /// When it wants to be asked again.
        retry_after: Duration,
    },
    /// The store could not be reached, or went away or ran out of time before it answered. Whether it did what it was
    /// asked is not known.
    #[error("{0}")]
    Unavailable(String),
    /// May succeed when repeated.
    #[error("{0}")]
    Transient(String),
}

impl StoreError {
    /// The consequence of this error.
    pub fn failure(&self) -> Failure {
        let class = match self {
            Self::InUse(_) | Self::Configuration(_) | Self::Full(_) => FailureClass::Configuration,
            Self::Throttled { .. } | Self::Unavailable(_) => FailureClass::Throttled,
            Self::NoCollection(_) | Self::Transient(_) => FailureClass::Transient,
        };
        Failure {
            retry_after: match self {
                Self::Throttled { retry_after, .. } => Some(*retry_after),
                _ => None,
            },
            ..Failure::new(class, self.to_string())
        }
    }
}
