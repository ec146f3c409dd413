//! Waiting for something to happen: by looking again and again, never by hoping that enough time has passed.

use std::time::{Duration, Instant};

/// What a test waits for comes sooner than this, on slow and busy machines too.
pub const PATIENCE: Duration = Duration::from_secs(240);

const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// What the probe finds, looking until it finds something.
pub fn until<T>(what: &str, probe: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, probe)
}

/// What the probe finds, looking until it finds something or the time is over.
pub fn within<T>(limit: Duration, what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} in vain for: {what}");
        std::thread::sleep(BETWEEN_LOOKS);
    }
}
