//! Carries log records of the engine's threads to the thread that owns the engine, the only one that may write them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};
use log::{Level, LevelFilter, Log, Metadata, Record};

/// Records that wait at most; more are counted instead of kept.
const CAPACITY: usize = 1_000;

/// Targets of our own code. Libraries are heard from warnings on: some of them tell a story for each request.
const OUR_TARGET: &str = "vb_engine";

/// Modules whose warnings are about the library's own start-up, once for each segment: nothing that anybody could change.
const CHATTY: [&str; 2] = ["qdrant_edge::common::flags", "qdrant_edge::common::mmap"];

/// One log record.
#[derive(Debug, Clone)]
pub struct LogRecord {
    /// How grave it is.
    pub level: Level,
    /// The module it comes from.
    pub target: String,
    /// What it says.
    pub message: String,
}

/// The `log` crate knows one logger for each process, so there is one channel.
static CHANNEL: OnceLock<LogChannel> = OnceLock::new();

/// Takes log records from any thread and keeps them until they are asked for. Never waits.
#[derive(Debug)]
struct LogChannel {
    sender: Sender<LogRecord>,
    receiver: Receiver<LogRecord>,
    dropped: AtomicU64,
}

impl LogChannel {
    fn new(capacity: usize) -> Self {
        let (sender, receiver) = bounded(capacity);
        Self {
            sender,
            receiver,
            dropped: AtomicU64::new(0),
        }
    }

    fn next(&self) -> Option<LogRecord> {
        if let Ok(record) = self.receiver.try_recv() {
            return Some(record);
        }
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        (dropped > 0).then(|| LogRecord {
            level: Level::Warn,
            target: module_path!().to_owned(),
            message: format!("{dropped} log messages were left out, because they came too fast"),
        })
    }
}

impl Log for LogChannel {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        let heard = if CHATTY.iter().any(|chatty| target.starts_with(chatty)) {
            Level::Error
        } else {
            Level::Warn
        };
        metadata.level() <= heard || target.starts_with(OUR_TARGET)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let record = LogRecord {
            level: record.level(),
            target: record.target().to_owned(),
            message: record.args().to_string(),
        };
        if self.sender.try_send(record).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

/// Makes this the process's logger, if it has none yet, and sets the level.
pub(super) fn install(level: LevelFilter) {
    let channel = CHANNEL.get_or_init(|| LogChannel::new(CAPACITY));
    // Fails when there is a logger already: ours from an earlier start, or another one, which then gets the records.
    let _ = log::set_logger(channel);
    log::set_max_level(level);
}

/// The next record, if one waits.
pub(super) fn next() -> Option<LogRecord> {
    CHANNEL.get()?.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record<'a>(target: &'a str, level: Level, message: &'a std::fmt::Arguments<'a>) -> Record<'a> {
        Record::builder().target(target).level(level).args(*message).build()
    }

    #[test]
    fn libraries_are_heard_from_warnings_on() {
        let channel = LogChannel::new(10);
        channel.log(&record("qdrant_edge::shard", Level::Info, &format_args!("chatter")));
        channel.log(&record(
            "qdrant_edge::shard",
            Level::Warn,
            &format_args!("library warning"),
        ));
        channel.log(&record(
            "vb_engine::pipeline",
            Level::Debug,
            &format_args!("our detail"),
        ));
        channel.log(&record(
            "qdrant_edge::common::flags",
            Level::Warn,
            &format_args!("noise"),
        ));
        assert_eq!(channel.next().unwrap().message, "library warning");
        assert_eq!(channel.next().unwrap().message, "our detail");
        assert!(channel.next().is_none());
    }

    #[test]
    fn records_beyond_the_capacity_are_counted_and_told() {
        let channel = LogChannel::new(2);
        for _ in 0..5 {
            channel.log(&record("vb_engine", Level::Info, &format_args!("again")));
        }
        assert_eq!(channel.next().unwrap().message, "again");
        assert_eq!(channel.next().unwrap().message, "again");
        assert!(
            channel
                .next()
                .unwrap()
                .message
                .starts_with("3 log messages were left out")
        );
        assert!(channel.next().is_none());
    }
}
