//! How long others were kept waiting.

use std::time::Duration;

/// The times for which batches kept others from writing, counted in steps of an eighth of a millisecond: exact enough to
/// name percentiles, and small however long the run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Locks {
    steps: Vec<u64>,
    batches: u64,
    total: Duration,
    longest: Duration,
}

const STEP: Duration = Duration::from_micros(125);
/// Longer ones, of more than two minutes, are counted as this.
const MOST_STEPS: usize = 1_000_000;

impl Locks {
    pub(crate) fn add(&mut self, lock: Duration) {
        let step = usize::try_from(lock.as_micros() / STEP.as_micros()).unwrap_or(MOST_STEPS).min(MOST_STEPS);
        if self.steps.len() <= step {
            self.steps.resize(step + 1, 0);
        }
        self.steps[step] += 1;
        self.batches += 1;
        self.total += lock;
        self.longest = self.longest.max(lock);
    }

    /// How many batches deleted something.
    pub(crate) const fn batches(&self) -> u64 {
        self.batches
    }

    /// All of them together.
    pub(crate) const fn total(&self) -> Duration {
        self.total
    }

    /// The longest one.
    pub(crate) const fn longest(&self) -> Duration {
        self.longest
    }

    /// What so many percent of them do not exceed, rounded up to the next step.
    pub(crate) fn percentile(&self, percent: u64) -> Duration {
        let wanted = (self.batches * percent).div_ceil(100);
        let mut seen = 0;
        let step = self.steps.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        step.and_then(|step| u32::try_from(step + 1).ok())
            .map_or(Duration::ZERO, |steps| (STEP * steps).min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_times() {
        let mut locks = Locks::default();
        (1..=100).for_each(|millis| locks.add(Duration::from_millis(millis)));
        assert_eq!(locks.percentile(50), Duration::from_micros(50_125));
        assert_eq!(locks.percentile(99), Duration::from_micros(99_125));
        assert_eq!(locks.percentile(100), Duration::from_millis(100));
        assert_eq!((locks.batches(), locks.longest()), (100, Duration::from_millis(100)));
        assert_eq!(locks.total(), Duration::from_millis(5_050));
    }

    #[test]
    fn without_batches_there_is_no_time() {
        assert_eq!(Locks::default().percentile(99), Duration::ZERO);
    }
}
