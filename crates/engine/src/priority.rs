//! How much of the processor a thread of ours gets when others want it too.

use thread_priority::{NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy};

/// The highest niceness there is.
const NICEST: i32 = 19;

/// What a thread takes on for the rest of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// That of the thread which made it.
    Kept,
    /// This niceness.
    Nice(i32),
    /// Only what nobody else wants. A niceness alone does not do for threads that compute all the time: whoever wakes up beside
    /// one still waits until its slice is over, some milliseconds each time, and short transactions wake up often.
    Leftovers,
}

impl Priority {
    /// For threads that compute for backfills, given the niceness that somebody wants of them: 0 competes with queries.
    pub(crate) fn of_backfills(nice: i32) -> Self {
        if nice > 0 { Self::Leftovers } else { Self::Kept }
    }

    /// Takes it on. Priorities can be lowered by anyone, so a refusal means that it is lower already.
    pub fn take_on(self) {
        let refusal = match self {
            Self::Kept => None,
            Self::Nice(nice) => rustix::process::setpriority_process(None, nice.clamp(0, NICEST))
                .err()
                .map(|error| error.to_string()),
            Self::Leftovers => thread_priority::set_thread_priority_and_policy(
                thread_priority::thread_native_id(),
                ThreadPriority::Min,
                ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle),
            )
            .err()
            .map(|error| format!("{error:?}")),
        };
        if let Some(refusal) = refusal {
            log::warn!("a thread keeps its priority: {refusal}");
        }
    }
}
