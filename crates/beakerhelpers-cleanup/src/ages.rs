//! How old the old ones are.

use std::fmt::Write;

use beakerhelpers_core::Timestamp;

/// Upper ends of the age groups in seconds, and what they are called.
const GROUPS: [(u64, &str); 7] = [
    (3_600, "1 h"),
    (86_400, "1 d"),
    (7 * 86_400, "7 d"),
    (30 * 86_400, "30 d"),
    (90 * 86_400, "90 d"),
    (365 * 86_400, "1 y"),
    (u64::MAX, "more"),
];
const BAR: u64 = 40;

/// Counts sessions by age.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ages([u64; GROUPS.len()]);

impl Ages {
    pub(crate) fn add(&mut self, accessed: Timestamp, now: Timestamp) {
        let secs = now.since(accessed).as_secs();
        let group = GROUPS.iter().position(|(end, _)| secs <= *end).unwrap_or(GROUPS.len() - 1);
        self.0[group] += 1;
    }

    /// The groups from the first to the last that has a session, each with its name.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let first = self.0.iter().position(|count| *count > 0).unwrap_or(GROUPS.len());
        let end = self.0.iter().rposition(|count| *count > 0).map_or(first, |last| last + 1);
        GROUPS[first..end].iter().map(|(_, name)| *name).zip(self.0[first..end].iter().copied())
    }

    /// A line for each group, with a bar.
    pub(crate) fn histogram(&self) -> String {
        let most = self.0.iter().copied().max().unwrap_or(0).max(1);
        let width = most.to_string().len().max("sessions".len());
        let mut out = String::new();
        for (name, count) in self.groups() {
            // A bar for everything that is there, however little.
            let bar = (count * BAR).div_ceil(most);
            let name = if name == "more" { "more than 1 y".to_owned() } else { format!("up to {name}") };
            let bar = "#".repeat(usize::try_from(bar).unwrap_or(0));
            writeln!(out, "{}", format!("  {name:>13}  {count:>width$}  {bar}").trim_end())
                .expect("a String takes everything");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_fall_into_their_groups() {
        let now = Timestamp::from_secs(1_000_000_000);
        let mut ages = Ages::default();
        for (secs, times) in [(3_600, 1), (3_601, 2), (86_400 * 400, 40)] {
            (0..times).for_each(|_| ages.add(Timestamp::from_secs(1_000_000_000 - secs), now));
        }
        let expected = [("1 h", 1), ("1 d", 2), ("7 d", 0), ("30 d", 0), ("90 d", 0), ("1 y", 0), ("more", 40)];
        assert_eq!(ages.groups().collect::<Vec<_>>(), expected);
        assert!(ages.histogram().starts_with("      up to 1 h         1  #\n"));
        assert!(ages.histogram().ends_with(&format!("  more than 1 y        40  {}\n", "#".repeat(40))));
    }

    #[test]
    fn no_sessions_make_no_lines() {
        assert_eq!(Ages::default().histogram(), "");
    }
}
