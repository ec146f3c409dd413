//! Everything the server can do instead of answering well, and the rules that choose the calls it does it to.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::method::Method;

/// One way to answer, or not to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Status `UNAVAILABLE`; nothing is applied.
    Unavailable,
    /// Status `INTERNAL` with this message; nothing is applied.
    Internal(String),
    /// Nothing for a while, then as it should.
    Slow(Duration),
    /// Applied, but not answered until [`clear_faults`](crate::server::QdrantDouble::clear_faults); the answer comes
    /// then.
    Hang,
    /// Applied, but the answer says that waiting for that took too long. Hits updates of points only: no other answer
    /// can say so.
    WaitTimeout,
    /// The same answer, but not applied.
    WaitTimeoutNotApplied,
    /// Status `RESOURCE_EXHAUSTED` of the limit on the rate of updates; nothing is applied.
    RateLimited {
        /// Seconds to wait, sent as `retry-after`.
        retry_after: u64,
    },
    /// Status `RESOURCE_EXHAUSTED` of a server that has used up the storage it may use: no `retry-after`, but the mark
    /// `qdrant-insufficient-storage`. Nothing is applied.
    StorageFull,
    /// Status `INTERNAL` of a server that met the end of its disk; nothing is applied.
    DiskFull,
    /// The connection is closed; nothing is applied.
    CutBeforeApply,
    /// Applied, then the connection is closed without an answer.
    CutAfterApply,
}

impl Fault {
    /// Whether only the answer to an update can show it.
    fn needs_update(&self) -> bool {
        matches!(self, Self::WaitTimeout | Self::WaitTimeoutNotApplied)
    }
}

/// Which calls a fault hits. Unless it says otherwise: all of them, from the next one on, for ever.
///
/// A call passes the rules in the order in which they were given until one hits it. Each counts the calls that reach
/// it, so rules for one method follow upon each other.
#[derive(Debug, Clone)]
pub struct Rule {
    fault: Fault,
    method: Option<Method>,
    spared: usize,
    times: Option<usize>,
}

impl Rule {
    /// Hits every call.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            method: None,
            spared: 0,
            times: None,
        }
    }

    /// Hits calls of this method only.
    #[must_use]
    pub fn on(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Spares so many calls first.
    #[must_use]
    pub fn after(mut self, calls: usize) -> Self {
        self.spared = calls;
        self
    }

    /// Hits so many calls, none after them.
    #[must_use]
    pub fn times(mut self, calls: usize) -> Self {
        self.times = Some(calls);
        self
    }
}

/// The rules that are in force.
#[derive(Default)]
pub(crate) struct Faults {
    rules: Mutex<Vec<Armed>>,
}

/// A rule, and how far it got.
struct Armed {
    rule: Rule,
    /// Calls that reached it.
    seen: usize,
    /// Gone when the rule is.
    in_force: watch::Sender<()>,
}

/// What hits a call.
pub(crate) struct Hit {
    pub(crate) fault: Fault,
    in_force: watch::Receiver<()>,
}

impl Hit {
    /// Waits until the rule is taken back.
    pub(crate) async fn taken_back(mut self) {
        while self.in_force.changed().await.is_ok() {}
    }
}

impl Faults {
    pub(crate) fn add(&self, rule: Rule) {
        self.rules.lock().push(Armed {
            rule,
            seen: 0,
            in_force: watch::Sender::new(()),
        });
    }

    pub(crate) fn clear(&self) {
        self.rules.lock().clear();
    }

    /// What hits this call, which is counted.
    pub(crate) fn hit(&self, method: Method, is_update: bool) -> Option<Hit> {
        self.rules.lock().iter_mut().find_map(|armed| {
            let rule = &armed.rule;
            if rule.method.is_some_and(|wanted| wanted != method) || (rule.fault.needs_update() && !is_update) {
                return None;
            }
            let number = armed.seen;
            armed.seen += 1;
            let after_spared = number.checked_sub(rule.spared)?;
            if rule.times.is_some_and(|times| after_spared >= times) {
                return None;
            }
            Some(Hit {
                fault: rule.fault.clone(),
                in_force: armed.in_force.subscribe(),
            })
        })
    }
}
