//! Whether a server is slower than it was.

use std::time::Duration;

/// From so many times as long on a batch took clearly longer than usual.
const CLEARLY: f64 = 1.5;
/// More slowness than this makes no difference: the cleanup then takes a quarter of the time.
const MOST: f64 = 4.0;
/// A batch that was done in this time held nobody up, however long ones like it usually take.
const UNNOTICED: Duration = Duration::from_millis(10);
/// No rest is longer: smaller batches do more for others than longer rests.
const LONGEST: Duration = Duration::from_secs(5);
/// How far a faster batch moves what is usual: the first ones find nothing in memory, and are slow.
const FASTER: f64 = 1.0 / 4.0;
/// How far a slower one does: a cleanup that slows the server down must not get used to it soon.
const SLOWER: f64 = 1.0 / 512.0;

/// Compares each batch with those before it. It needs no clock of its own.
#[derive(Debug, Default)]
pub(super) struct Slowness {
    /// What a row usually takes, in seconds.
    usual: Option<f64>,
    /// What the fastest batch took, in seconds: the journey to the server and the commit, which few rows take too.
    least: Option<f64>,
    /// How much slower than usual the last two batches were.
    last: [f64; 2],
}

impl Slowness {
    /// Takes note of a batch and tells how long to rest after it: not at all as long as batches take what they usually
    /// take, otherwise so long that the cleanup takes as much less of the server as the server became slower.
    pub(super) fn rest(&mut self, busy: Duration, rows: u64) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "no batch has so many rows")]
        let rows = rows.max(1) as f64;
        let secs = busy.as_secs_f64().max(1e-6);
        let (usual, least) = (self.usual.unwrap_or(secs / rows), self.least.unwrap_or(secs));
        let ratio = if busy < UNNOTICED { 1.0 } else { secs / (usual * rows).max(least) };
        let step = if secs / rows < usual { FASTER } else { SLOWER };
        // However slow one batch was, it counts for no more than any other slow one.
        self.usual = Some(usual + (secs / rows - usual).min(usual) * step);
        self.least = Some(least.min(secs));
        // One slow batch may be chance: of three the middle one counts.
        let [first, second] = self.last;
        self.last = [second, ratio];
        let ratio = first.min(second).max(first.max(second).min(ratio)).min(MOST);
        if ratio < CLEARLY { Duration::ZERO } else { busy.mul_f64(ratio - 1.0).min(LONGEST) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rests(slowness: &mut Slowness, batches: usize, millis: u64, rows: u64) -> Vec<Duration> {
        (0..batches).map(|_| slowness.rest(Duration::from_millis(millis), rows)).collect()
    }

    fn none(rests: &[Duration]) -> bool {
        rests.iter().all(Duration::is_zero)
    }

    #[test]
    fn slow_first_batches_do_not_become_usual() {
        let mut slowness = Slowness::default();
        assert!(none(&rests(&mut slowness, 3, 400, 200)), "there is nothing to compare with");
        assert!(none(&rests(&mut slowness, 20, 20, 200)), "in memory it is faster");
        assert!(!none(&rests(&mut slowness, 3, 400, 200)), "now that is slow");
    }

    #[test]
    fn batches_of_few_rows_are_not_slow() {
        let mut slowness = Slowness::default();
        assert!(none(&rests(&mut slowness, 20, 30, 3000)));
        assert!(none(&rests(&mut slowness, 20, 9, 3)), "nobody notices these, though each row takes 300 times as long");
        // A server that is far away: each batch takes 80 ms, however small.
        let mut slowness = Slowness::default();
        assert!(none(&rests(&mut slowness, 5, 80, 200)));
        assert!(none(&rests(&mut slowness, 20, 81, 20)));
    }

    #[test]
    fn one_slow_batch_now_and_then_is_chance() {
        let mut slowness = Slowness::default();
        for _ in 0..50 {
            assert!(none(&rests(&mut slowness, 3, 30, 1000)));
            assert!(none(&rests(&mut slowness, 1, 3000, 1000)));
        }
    }

    #[test]
    fn the_slower_the_longer_up_to_a_limit() {
        let after = |millis| {
            let mut slowness = Slowness::default();
            rests(&mut slowness, 10, 20, 1000);
            rests(&mut slowness, 2, millis, 1000)[1]
        };
        assert_eq!(after(28), Duration::ZERO);
        assert!(after(40) >= Duration::from_millis(39) && after(40) <= Duration::from_millis(41), "{:?}", after(40));
        assert!(after(80) >= Duration::from_millis(230) && after(80) <= Duration::from_millis(241), "{:?}", after(80));
        assert_eq!(after(1000), Duration::from_secs(3));
        assert_eq!(after(600_000), LONGEST);
    }

    #[test]
    fn a_slow_server_stays_slow_for_long() {
        let mut slowness = Slowness::default();
        rests(&mut slowness, 10, 20, 1000);
        let rests = rests(&mut slowness, 100, 80, 1000);
        assert!(rests[1..].iter().all(|rest| *rest > Duration::from_millis(100)), "{rests:?}");
    }
}
