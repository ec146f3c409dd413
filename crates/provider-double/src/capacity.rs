//! How much the service takes: at a time, and in a second.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::settings::Settings;

/// Counts what is under way and what came this second.
pub(crate) struct Capacity {
    places: Option<Arc<Semaphore>>,
    refuses_excess: bool,
    requests_per_second: Option<u32>,
    start: Instant,
    /// The second that is counted, and the requests in it.
    second: Mutex<(u64, u32)>,
}

/// A request is one too many.
pub(crate) struct Excess;

impl Capacity {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            places: settings.concurrency.map(|places| Arc::new(Semaphore::new(places))),
            refuses_excess: settings.refuses_excess,
            requests_per_second: settings.requests_per_second,
            start: Instant::now(),
            second: Mutex::new((0, 0)),
        }
    }

    /// A place to work at, held until it is dropped.
    pub(crate) async fn enter(&self) -> Result<Option<OwnedSemaphorePermit>, Excess> {
        if let Some(allowed) = self.requests_per_second {
            let now = self.start.elapsed().as_secs();
            let mut second = self.second.lock();
            if second.0 != now {
                *second = (now, 0);
            }
            second.1 += 1;
            if second.1 > allowed {
                return Err(Excess);
            }
        }
        let Some(places) = &self.places else { return Ok(None) };
        let places = Arc::clone(places);
        if self.refuses_excess {
            return places.try_acquire_owned().map(Some).map_err(|_| Excess);
        }
        places.acquire_owned().await.map(Some).map_err(|_| Excess)
    }
}
