//! Between when and when a job will be through: how far its speed swings says how far the estimate may be off.

/// Of so many seconds each is one speed.
const WINDOW: f64 = 15.0;

/// Of fewer samples nothing is said.
const LEAST_SAMPLES: usize = 6;

const SLOW: f64 = 0.1;
const FAST: f64 = 0.9;

/// Further ahead than 30 years nothing is said.
const FURTHEST: f64 = 1e9;

/// What a job did in the time before a moment, all in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) at: f64,
    pub(crate) records_per_second: f64,
}

/// Seconds from now to the earliest and the latest end of what remains, at the speeds that a tenth of the time was faster
/// and slower than; `samples` are those of the last minutes, the oldest first.
pub(crate) fn spread(samples: &[Sample], remaining: f64) -> Option<(f64, f64)> {
    if samples.len() < LEAST_SAMPLES || remaining < 0.0 {
        return None;
    }
    let mut speeds = speeds(samples);
    speeds.sort_by(f64::total_cmp);
    let (slow, fast) = (percentile(&speeds, SLOW)?, percentile(&speeds, FAST)?);
    let (earliest, latest) = (remaining / fast, remaining / slow);
    (slow > 0.0 && latest <= FURTHEST).then_some((earliest, latest))
}

/// The mean of each window, counted back from the latest sample.
fn speeds(samples: &[Sample]) -> Vec<f64> {
    let Some(latest) = samples.last() else {
        return Vec::new();
    };
    let mut windows: Vec<(u64, f64, f64)> = Vec::new();
    for sample in samples.iter().rev() {
        let window = ((latest.at - sample.at).max(0.0) / WINDOW) as u64;
        match windows.last_mut() {
            Some((last, sum, count)) if *last == window => {
                *sum += sample.records_per_second;
                *count += 1.0;
            }
            _ => windows.push((window, sample.records_per_second, 1.0)),
        }
    }
    windows.into_iter().map(|(_, sum, count)| sum / count).collect()
}

/// Between the two that are next to it.
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * (sorted.len().checked_sub(1)? as f64);
    let (below, above) = (sorted.get(place.floor() as usize)?, sorted.get(place.ceil() as usize)?);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One every 5 s.
    fn samples(speeds: impl IntoIterator<Item = f64>) -> Vec<Sample> {
        let at = |(index, records_per_second)| Sample {
            at: index as f64 * 5.0,
            records_per_second,
        };
        speeds.into_iter().enumerate().map(at).collect()
    }

    #[test]
    fn a_steady_job_ends_at_one_moment() {
        let (earliest, latest) = spread(&samples([50.0; 60]), 1000.0).expect("it is known");
        assert!((earliest - 20.0).abs() < 1e-9);
        assert!((latest - 20.0).abs() < 1e-9);
    }

    #[test]
    fn a_job_that_swings_ends_between_two() {
        // Half a minute at each speed.
        let swinging = (0..60).map(|index| if index / 6 % 2 == 0 { 100.0 } else { 20.0 });
        let (earliest, latest) = spread(&samples(swinging), 1000.0).expect("it is known");
        assert!((earliest - 10.0).abs() < 1.0, "{earliest}");
        assert!((latest - 50.0).abs() < 5.0, "{latest}");
    }

    #[test]
    fn one_odd_sample_is_no_swing() {
        let mut speeds = vec![50.0; 60];
        speeds[30] = 0.0;
        let (earliest, latest) = spread(&samples(speeds), 1000.0).expect("it is known");
        assert!((latest - earliest).abs() < 1e-9);
    }

    #[test]
    fn of_too_little_nothing_is_said() {
        assert_eq!(spread(&samples([50.0; 5]), 1000.0), None);
        assert_eq!(spread(&[], 1000.0), None);
        assert_eq!(spread(&samples([0.0; 20]), 1000.0), None);
        assert_eq!(spread(&samples([1e-9; 20]), 1e6), None);
        assert_eq!(spread(&samples([f64::NAN; 20]), 1000.0), None);
    }

    #[test]
    fn the_latest_is_never_before_the_earliest() {
        for seed in 0..500_u64 {
            let speeds = (0..40).map(|index| ((seed * 7919 + index * 104_729) % 1000) as f64 / 10.0);
            if let Some((earliest, latest)) = spread(&samples(speeds), 12_345.0) {
                assert!(0.0 <= earliest && earliest <= latest, "{seed}");
            }
        }
    }

    #[test]
    fn what_is_done_ends_now() {
        assert_eq!(spread(&samples([50.0; 12]), 0.0), Some((0.0, 0.0)));
    }
}
