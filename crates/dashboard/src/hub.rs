//! What streams follow: one channel a topic, which has the latest state as it is sent, made once for all who watch.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::{Notify, watch};

use crate::looks::jobs::Filter;
use crate::standing::Standing;

/// More streams than that are not opened: each holds a connection.
const MOST_STREAMS: usize = 1000;

/// What a stream is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Topic {
    Overview,
    Jobs(Filter),
    Job(i64),
    Coverage,
    Errors,
    Providers,
}

/// The latest state of a topic as an event, and who waits for the next.
#[derive(Debug, Default)]
pub(crate) struct Channel {
    event: watch::Sender<Option<Bytes>>,
    good_until: Mutex<Option<Instant>>,
}

impl Channel {
    /// Tells those who watch, if anything changed; what was seen is good for so long.
    pub(crate) fn publish(&self, event: Bytes, good_for: Duration) {
        *self.good_until.lock() = Some(Instant::now() + good_for);
        self.event.send_if_modified(|last| {
            let changed = last.as_ref() != Some(&event);
            if changed {
                *last = Some(event);
            }
            changed
        });
    }

    pub(crate) fn is_watched(&self) -> bool {
        self.event.receiver_count() > 0
    }

    /// Nothing was seen yet that somebody who comes now could be shown.
    pub(crate) fn is_empty(&self) -> bool {
        self.event.borrow().is_none()
    }

    /// What nobody has watched for a while is not shown as if it were new.
    fn subscribe(&self) -> watch::Receiver<Option<Bytes>> {
        let is_old = self.good_until.lock().is_none_or(|until| until < Instant::now());
        if is_old && !self.is_watched() {
            self.event.send_replace(None);
        }
        let mut receiver = self.event.subscribe();
        receiver.mark_changed();
        receiver
    }
}

/// All channels.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) overview: Channel,
    pub(crate) coverage: Channel,
    pub(crate) errors: Channel,
    pub(crate) providers: Channel,
    jobs: Mutex<HashMap<Filter, Arc<Channel>>>,
    watched: Mutex<HashMap<i64, Arc<Channel>>>,
    pub(crate) standing: watch::Sender<Standing>,
    /// Somebody came.
    pub(crate) came: Notify,
    streams: AtomicUsize,
    looks: AtomicU64,
}

/// A stream's place; given up when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) events: watch::Receiver<Option<Bytes>>,
    pub(crate) standing: watch::Receiver<Standing>,
    hub: Arc<Hub>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.hub.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Hub {
    pub(crate) fn new() -> Self {
        Self {
            overview: Channel::default(),
            coverage: Channel::default(),
            errors: Channel::default(),
            providers: Channel::default(),
            jobs: Mutex::default(),
            watched: Mutex::default(),
            standing: watch::Sender::new(Standing::unknown()),
            came: Notify::new(),
            streams: AtomicUsize::new(0),
            looks: AtomicU64::new(0),
        }
    }

    /// A place for one more stream, if there is one.
    pub(crate) fn enter(self: &Arc<Self>, topic: Topic) -> Option<Place> {
        if self.streams.fetch_add(1, Ordering::Relaxed) >= MOST_STREAMS {
            self.streams.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let events = match topic {
            Topic::Overview => self.overview.subscribe(),
            Topic::Coverage => self.coverage.subscribe(),
            Topic::Errors => self.errors.subscribe(),
            Topic::Providers => self.providers.subscribe(),
            Topic::Jobs(filter) => channel_of(&self.jobs, filter).subscribe(),
            Topic::Job(job_id) => channel_of(&self.watched, job_id).subscribe(),
        };
        let mut standing = self.standing.subscribe();
        standing.mark_changed();
        self.came.notify_one();
        Some(Place {
            events,
            standing,
            hub: Arc::clone(self),
        })
    }

    pub(crate) fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }

    /// Lists of jobs that are watched; forgets those that are not.
    pub(crate) fn watched_lists(&self) -> Vec<(Filter, Arc<Channel>)> {
        those_watched(&self.jobs)
    }

    /// Jobs that are watched; forgets those that are not.
    pub(crate) fn watched_jobs(&self) -> Vec<(i64, Arc<Channel>)> {
        those_watched(&self.watched)
    }

    /// Whether somebody watches a topic of which nothing was seen yet.
    pub(crate) fn lacks_something(&self) -> bool {
        let lacks = |channel: &Channel| channel.is_watched() && channel.is_empty();
        [&self.overview, &self.coverage, &self.errors, &self.providers]
            .into_iter()
            .any(lacks)
            || self.jobs.lock().values().any(|channel| lacks(channel))
            || self.watched.lock().values().any(|channel| lacks(channel))
    }

    pub(crate) fn count_look(&self) {
        self.looks.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn looks(&self) -> u64 {
        self.looks.load(Ordering::Relaxed)
    }

    /// Changes how it stands, and tells everybody if it stands otherwise.
    pub(crate) fn stands(&self, change: impl FnOnce(&mut Standing)) {
        self.standing.send_if_modified(|standing| {
            let before = standing.clone();
            change(standing);
            *standing != before
        });
    }
}

/// While nobody looks, those that come and go are forgotten here.
fn channel_of<K: Eq + Hash>(channels: &Mutex<HashMap<K, Arc<Channel>>>, key: K) -> Arc<Channel> {
    let mut channels = channels.lock();
    if channels.len() > MOST_STREAMS {
        channels.retain(|_, channel| channel.is_watched());
    }
    Arc::clone(channels.entry(key).or_default())
}

fn those_watched<K: Clone + Eq + Hash>(channels: &Mutex<HashMap<K, Arc<Channel>>>) -> Vec<(K, Arc<Channel>)> {
    let mut channels = channels.lock();
    channels.retain(|_, channel| channel.is_watched());
    channels
        .iter()
        .map(|(key, channel)| (key.clone(), Arc::clone(channel)))
        .collect()
}

/// A server-sent event. JSON has no line breaks of its own.
pub(crate) fn event(name: &str, payload: &impl Serialize) -> Bytes {
    match serde_json::to_string(payload) {
        Ok(payload) => Bytes::from(format!("event: {name}\ndata: {payload}\n\n")),
        // Maps with texts as keys can always be written.
        Err(error) => Bytes::from(format!(": {error}\n\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_has_not_changed_is_not_sent_again() {
        let hub = Arc::new(Hub::new());
        let mut place = hub.enter(Topic::Errors).expect("a place");
        hub.errors.publish(Bytes::from("a"), LONG);
        assert_eq!(place.events.borrow_and_update().as_deref(), Some(b"a".as_slice()));
        hub.errors.publish(Bytes::from("a"), LONG);
        assert!(!place.events.has_changed().expect("it is open"));
        hub.errors.publish(Bytes::from("b"), LONG);
        assert!(place.events.has_changed().expect("it is open"));
    }

    #[test]
    fn who_comes_is_shown_the_latest_at_once_unless_it_is_old() {
        let hub = Arc::new(Hub::new());
        hub.errors.publish(Bytes::from("a"), LONG);
        assert!(hub.enter(Topic::Errors).expect("a place").events.borrow().is_some());
        hub.errors.publish(Bytes::from("a"), Duration::ZERO);
        let place = hub.enter(Topic::Errors).expect("a place");
        assert!(place.events.borrow().is_none());
    }

    #[test]
    fn streams_are_bounded_and_places_come_back() {
        let hub = Arc::new(Hub::new());
        let mut places: Vec<_> = (0..MOST_STREAMS)
            .map(|_| hub.enter(Topic::Job(1)).expect("a place"))
            .collect();
        assert!(hub.enter(Topic::Overview).is_none());
        places.pop();
        assert!(hub.enter(Topic::Overview).is_some());
        assert_eq!(hub.watched_jobs().len(), 1);
        places.clear();
        assert_eq!(hub.streams(), 0);
        assert!(hub.watched_jobs().is_empty());
    }
}
