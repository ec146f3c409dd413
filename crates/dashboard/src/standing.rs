//! How it stands with the database: the `state` event, which every stream begins with.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::json;

/// Equal standings are sent once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) connected: bool,
    /// Since when it is so.
    pub(crate) since: Timestamp,
    /// What is wrong.
    pub(crate) message: Option<String>,
    pub(crate) role: Option<String>,
    pub(crate) database: Option<String>,
    /// Views and functions that the role may not use, or that do not answer in time.
    pub(crate) hidden: Vec<String>,
    /// From one look to the next.
    pub(crate) interval: Duration,
    /// How far the database's clock is ahead of ours, in seconds, so that a little drift is no news.
    pub(crate) clock_ahead: i64,
}

impl Standing {
    pub(crate) fn unknown() -> Self {
        Self {
            connected: false,
            since: Timestamp::now(),
            message: Some("connecting to the database".to_owned()),
            role: None,
            database: None,
            hidden: Vec::new(),
            interval: Duration::from_secs(1),
            clock_ahead: 0,
        }
    }

    /// Not connected any more, or still not, and why.
    pub(crate) fn lost(&mut self, message: String) {
        self.since = if self.connected { Timestamp::now() } else { self.since };
        self.connected = false;
        self.message = Some(message);
    }

    pub(crate) fn payload(&self, control: bool) -> Value {
        let now = Timestamp::now()
            .as_microsecond()
            .saturating_add(self.clock_ahead.saturating_mul(1_000_000));
        json!({
            "connected": self.connected,
            "since": self.since.to_string(),
            "message": self.message,
            "role": self.role,
            "database": self.database,
            "hidden": self.hidden,
            "control": control,
            "server_time": json::moment(now),
            "interval": self.interval.as_secs(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_when_the_connection_was_lost_and_not_when_it_was_last_tried() {
        let mut standing = Standing::unknown();
        standing.connected = true;
        standing.lost("gone".into());
        let lost = standing.since;
        standing.lost("still gone".into());
        assert_eq!(standing.since, lost);
        assert_eq!(standing.message.as_deref(), Some("still gone"));
    }
}
