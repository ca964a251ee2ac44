//! What libFuzzer says of a run.

use std::path::Path;

/// What came of a target. What libFuzzer does not say is not a number.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) target: String,
    pub(super) executions: f64,
    pub(super) per_second: f64,
    /// How many places in the code were reached.
    pub(super) coverage: f64,
    /// How many inputs reach all of these.
    pub(super) kept: f64,
    /// Resident memory, in MB.
    pub(super) peak: f64,
    /// The file with the input that broke something, if one did.
    pub(super) input: Option<String>,
    /// How it broke, in a word or a sentence.
    how: String,
}

impl Outcome {
    pub(super) fn read(target: String, said: &str) -> Self {
        let stat = |name: &str| {
            let prefix = format!("stat::{name}:");
            parsed(said.lines().find_map(|line| line.strip_prefix(&prefix)).map(str::trim))
        };
        // `#4711	DONE   cov: 1234 ft: 5678 corp: 910/11Kb …`
        let last = |name: &str| {
            let after = said.lines().rev().filter(|line| line.starts_with('#')).find_map(|line| line.split_once(name));
            parsed(after.and_then(|(_, rest)| rest.trim_start().split([' ', '/']).next()))
        };
        let input =
            said.lines().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path.to_owned());
        Self {
            executions: stat("number_of_executed_units"),
            per_second: stat("average_exec_per_sec"),
            coverage: last(" cov:"),
            kept: last(" corp:"),
            peak: stat("peak_rss_mb"),
            input,
            how: how(said),
            target,
        }
    }

    /// What a person needs to see the finding again.
    pub(super) fn finding(&self, programs: &Path) -> Option<String> {
        let input = self.input.as_deref()?;
        Some(format!("{}: {}\n  {} {input}\n", self.target, self.how, programs.join(&self.target).display()))
    }
}

fn parsed(number: Option<&str>) -> f64 {
    number.and_then(|number| number.parse().ok()).unwrap_or(f64::NAN)
}

/// The message of a panic where there was one, else libFuzzer's own.
fn how(said: &str) -> String {
    let mut lines = said.lines();
    if let Some(place) = lines.by_ref().find(|line| line.contains(" panicked at ")) {
        return format!("{place} {}", lines.next().unwrap_or_default());
    }
    let own = said.lines().find_map(|line| line.split_once("ERROR: libFuzzer: "));
    own.map(|(_, what)| what.to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DONE: &str = "\
INFO: Seed: 1
#2\tINITED cov: 7 ft: 8 corp: 1/1b exec/s: 0 rss: 40Mb
#1048576\tpulse  cov: 700 ft: 900 corp: 80/12Kb lim: 4096 exec/s: 52428 rss: 90Mb
#1100000\tDONE   cov: 712 ft: 931 corp: 83/13Kb lim: 4096 exec/s: 52380 rss: 91Mb
Done 1100000 runs in 21 second(s)
stat::number_of_executed_units: 1100000
stat::average_exec_per_sec:     52380
stat::new_units_added:          12
stat::slowest_unit_time_sec:    0
stat::peak_rss_mb:              91
";

    const CRASH: &str = "\
#2\tINITED cov: 7 ft: 8 corp: 1/1b exec/s: 0 rss: 40Mb
thread '<unnamed>' panicked at src/lib.rs:10:5:
80 bytes of memory for 1
==17== ERROR: libFuzzer: deadly signal
artifact_prefix='crashes/'; Test unit written to crashes/crash-0123
stat::number_of_executed_units: 3
";

    #[test]
    fn a_run_that_finds_nothing() {
        let outcome = Outcome::read("pickle".to_owned(), DONE);
        let numbers = [outcome.executions, outcome.per_second, outcome.coverage, outcome.kept, outcome.peak];
        assert_eq!(numbers.map(|number| number.to_string()), ["1100000", "52380", "712", "83", "91"]);
        assert_eq!(outcome.finding(Path::new("programs")), None);
    }

    #[test]
    fn a_finding_says_how_to_see_it_again() {
        let finding = Outcome::read("pickle".to_owned(), CRASH).finding(Path::new("programs")).unwrap();
        let wanted = "pickle: thread '<unnamed>' panicked at src/lib.rs:10:5: 80 bytes of memory for 1\n  \
                      programs/pickle crashes/crash-0123\n";
        assert_eq!(finding, wanted);
        let slow = "==1== ERROR: libFuzzer: timeout after 10 seconds\nx; Test unit written to crashes/timeout-1\n";
        let outcome = Outcome::read("pickle".to_owned(), slow);
        assert!(outcome.coverage.is_nan() && outcome.executions.is_nan());
        assert!(outcome.finding(Path::new("")).unwrap().starts_with("pickle: timeout after 10 seconds\n"));
    }
}
