//! Sessions for everything but the regular looks: few, shared by all requests, given back when nobody needs them.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};

use crate::connection::{SESSION, Target, plain};

const SEARCH_PATH: &str = include_str!("../sql/search_path.sql");

/// As many as requests that are let in at a time, with one for the slow look, one for counts of metrics and one for control.
const MOST_SESSIONS: usize = 10;

/// Somebody who waits longer is told to come again.
const PATIENCE: Duration = Duration::from_secs(5);

/// A session that nobody needed for so long is given back.
const IDLE: Duration = Duration::from_secs(60);

pub(crate) struct Database {
    pool: Pool,
}

/// Why there is no session.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Unavailable {
    #[error("the database does not answer: {0}")]
    Away(String),
    #[error("the extension vector_backfill is not installed in this database")]
    Missing,
    #[error("too many requests at a time")]
    Busy,
}

impl Database {
    pub(crate) fn new(target: &Target) -> Result<Self, deadpool_postgres::BuildError> {
        let manager = Manager::from_config(
            target.config(),
            target.tls(),
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        let say = Hook::async_fn(|client: &mut deadpool_postgres::ClientWrapper, _| {
            Box::pin(async move { client.batch_execute(SESSION).await.map_err(HookError::Backend) })
        });
        let pool = Pool::builder(manager)
            .max_size(MOST_SESSIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .post_create(say)
            .build()?;
        Ok(Self { pool })
    }

    /// A session that finds the extension, wherever it lives now.
    pub(crate) async fn session(&self) -> Result<Object, Unavailable> {
        let client = self.pool.get().await?;
        match client.query_typed(SEARCH_PATH, &[]).await {
            Ok(rows) if rows.is_empty() => Err(Unavailable::Missing),
            Ok(_) => Ok(client),
            Err(error) => Err(Unavailable::Away(plain(&error))),
        }
    }

    /// Whether the database answers.
    pub(crate) async fn answers(&self) -> bool {
        match self.pool.get().await {
            Ok(client) => client.query_typed("select", &[]).await.is_ok(),
            Err(_) => false,
        }
    }

    /// Gives back what nobody needs; never ends.
    pub(crate) async fn give_back(self: Arc<Self>) {
        loop {
            tokio::time::sleep(IDLE / 2).await;
            self.pool.retain(|_, metrics| metrics.last_used() < IDLE);
        }
    }
}

impl From<PoolError> for Unavailable {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) => Self::Busy,
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                Self::Away(plain(&error))
            }
            other => Self::Away(other.to_string()),
        }
    }
}
