//! What all requests share.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use crate::api::errors::Question;
use crate::api::once_a_second::OnceASecond;
use crate::database::Database;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::safety::csrf::Csrf;
use crate::safety::host::Hosts;
use crate::safety::token::Token;

pub(crate) struct Site {
    pub(crate) hub: Arc<Hub>,
    pub(crate) database: Arc<Database>,
    pub(crate) control: bool,
    pub(crate) csrf: Csrf,
    pub(crate) token: Option<Token>,
    pub(crate) hosts: Hosts,
    pub(crate) listening: SocketAddr,
    pub(crate) health: OnceASecond<()>,
    pub(crate) errors: OnceASecond<Question>,
    pub(crate) histories: OnceASecond<i64>,
    pub(crate) downloads: Arc<Semaphore>,
    pub(crate) metrics: Metrics,
    /// Turns true when the server ends.
    pub(crate) ends: watch::Receiver<bool>,
}
