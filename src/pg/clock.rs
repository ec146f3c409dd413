//! The clock that rows are stamped with.

use std::time::Duration;

use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys;

/// Now.
pub(crate) fn now() -> TimestampWithTimeZone {
    // SAFETY: reads the clock.
    let now = unsafe { pg_sys::GetCurrentTimestamp() };
    TimestampWithTimeZone::try_from(now).unwrap_or_else(|_| TimestampWithTimeZone::positive_infinity())
}

/// How much later the second moment is; nothing when it is earlier, as it may be when the clock was set.
pub(crate) fn between(first: TimestampWithTimeZone, second: TimestampWithTimeZone) -> Duration {
    let (first, second): (i64, i64) = (first.into_inner(), second.into_inner());
    Duration::from_micros(u64::try_from(second.saturating_sub(first)).unwrap_or(0))
}
