//! Which look is due when. What is slow is looked at less often, so that looking costs a database at most a twentieth of a
//! processor for each kind, whatever it holds.

use std::time::{Duration, Instant};

/// The pause after a look is at least so many times as long as the look took.
const PAUSE_FACTOR: u32 = 20;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Jobs, their states, the worker and the present speed.
    Work,
    /// Findings of `vb_health()`.
    Health,
    /// Samples of the last hour.
    Hour,
    /// What clients spent today and which have open jobs.
    Clients,
    /// Counts over all references: slow.
    Coverage,
    /// Lists of jobs, each with its filter.
    Jobs,
    /// Single jobs, all that are watched together.
    Watched,
    /// How many records failed.
    Errors,
    /// Providers and sources that are kept in step.
    Providers,
    /// Counts of points: slow.
    Collections,
}

impl Kind {
    pub(crate) const ALL: [Self; 10] = [
        Self::Work,
        Self::Health,
        Self::Hour,
        Self::Clients,
        Self::Coverage,
        Self::Jobs,
        Self::Watched,
        Self::Errors,
        Self::Providers,
        Self::Collections,
    ];

    /// Whether it is looked at beside the others.
    pub(crate) fn is_slow(self) -> bool {
        matches!(self, Self::Coverage | Self::Collections)
    }

    /// The shortest time from one look to the next.
    pub(crate) fn interval(self) -> Duration {
        Duration::from_secs(match self {
            Self::Work | Self::Jobs | Self::Watched => 1,
            Self::Health | Self::Errors | Self::Providers => 2,
            Self::Hour | Self::Clients => 5,
            Self::Coverage | Self::Collections => 10,
        })
    }
}

/// When each kind was looked at, and how long that took.
#[derive(Debug, Default)]
pub(crate) struct Schedule([Option<(Instant, Duration)>; Kind::ALL.len()]);

impl Schedule {
    pub(crate) fn is_due(&self, kind: Kind, now: Instant) -> bool {
        self.0[kind as usize].is_none_or(|(began, took)| now >= began + from_look_to_look(kind, took))
    }

    pub(crate) fn looked(&mut self, kind: Kind, began: Instant, took: Duration) {
        self.0[kind as usize] = Some((began, took));
    }

    /// From the last look to the next.
    pub(crate) fn pause(&self, kind: Kind) -> Duration {
        self.0[kind as usize].map_or(kind.interval(), |(_, took)| from_look_to_look(kind, took))
    }

    /// Of what moves all the time, the longest time from one look to the next.
    pub(crate) fn pace(&self) -> Duration {
        [Kind::Work, Kind::Jobs, Kind::Watched]
            .into_iter()
            .map(|kind| self.pause(kind))
            .max()
            .unwrap_or(Kind::Work.interval())
    }
}

fn from_look_to_look(kind: Kind, took: Duration) -> Duration {
    kind.interval().max(took + took * PAUSE_FACTOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quick_is_looked_at_once_a_second() {
        let mut schedule = Schedule::default();
        let start = Instant::now();
        assert!(schedule.is_due(Kind::Work, start));
        schedule.looked(Kind::Work, start, Duration::from_millis(5));
        assert!(!schedule.is_due(Kind::Work, start + Duration::from_millis(999)));
        assert!(schedule.is_due(Kind::Work, start + Duration::from_secs(1)));
        assert_eq!(schedule.pace(), Duration::from_secs(1));
    }

    #[test]
    fn after_a_slow_look_is_a_pause_of_twenty_times_its_length() {
        for kind in Kind::ALL {
            let mut schedule = Schedule::default();
            let start = Instant::now();
            let took = Duration::from_secs(3);
            schedule.looked(kind, start, took);
            assert!(
                !schedule.is_due(kind, start + took * 21 - Duration::from_millis(1)),
                "{kind:?}"
            );
            assert!(schedule.is_due(kind, start + took * 21), "{kind:?}");
        }
    }

    #[test]
    fn coverage_is_not_looked_at_more_often_than_every_ten_seconds() {
        let mut schedule = Schedule::default();
        let start = Instant::now();
        schedule.looked(Kind::Coverage, start, Duration::ZERO);
        assert!(!schedule.is_due(Kind::Coverage, start + Duration::from_millis(9_999)));
        assert!(schedule.is_due(Kind::Coverage, start + Duration::from_secs(10)));
    }

    #[test]
    fn one_slow_kind_does_not_hold_up_another() {
        let mut schedule = Schedule::default();
        let start = Instant::now();
        schedule.looked(Kind::Coverage, start, Duration::from_secs(9));
        assert!(schedule.is_due(Kind::Work, start));
    }

    #[test]
    fn kinds_have_places_of_their_own() {
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place);
        }
    }
}
