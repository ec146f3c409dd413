//! What a provider says of how fast it may be called.

use std::time::Duration;

/// The longest that a provider is left alone because it says so: some say a day where they mean a minute.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// What a provider's headers say of its limits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct RateHeaders {
    /// For requests.
    pub(super) requests: RateHeader,
    /// For tokens.
    pub(super) tokens: RateHeader,
}

/// What headers say of one limit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct RateHeader {
    /// Units a minute.
    pub(super) limit: Option<u32>,
    /// Units left at this moment.
    pub(super) remaining: Option<u32>,
    /// Until all of them are there again.
    pub(super) reset: Option<Duration>,
}
