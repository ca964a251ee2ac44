//! What is said at the end.

use std::time::Duration;

use beakerhelpers_core::command::clap;

use crate::{Copied, CopyMode, Ended};

/// How the summary is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A line for people
    #[default]
    Text,
    /// An object for scripts
    Json,
}

/// One run, over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    pub(crate) copied: Copied,
    pub(crate) mode: CopyMode,
    pub(crate) has_failed: bool,
    pub(crate) took: Duration,
}

impl Summary {
    pub(crate) fn render(&self, format: Format) -> String {
        match format {
            Format::Json => self.json(),
            Format::Text => {
                let words = if self.mode == CopyMode::Verify { self.compared() } else { self.copied() };
                format!("{words}, in {:.1} s{}", self.took.as_secs_f64(), self.why())
            }
        }
    }

    fn copied(&self) -> String {
        let Copied { new, changed, unchanged, newer, left, logged_out, over, no_sessions, failed, .. } = self.copied;
        let (copied, deleted) = match self.mode {
            CopyMode::Count => ("would copy", "would delete"),
            _ => ("copied", "deleted"),
        };
        let sessions = new + changed;
        let s = if sessions == 1 { "" } else { "s" };
        let mut words = format!("{copied} {sessions} session{s} ({new} new, {changed} changed), {unchanged} unchanged");
        for (count, before, after) in [
            (newer, "left ", " alone that TO has newer"),
            (left, "left ", " alone that TO has otherwise"),
            (logged_out, &*format!("{deleted} "), " that logged out"),
            (over, "left ", " behind that are over"),
            (no_sessions, "passed over ", " of something else"),
            (failed, "", " could not be copied"),
        ] {
            add(&mut words, count, before, after);
        }
        words
    }

    fn compared(&self) -> String {
        let Copied { seen, new, changed, unchanged, newer, left, logged_out, over, failed, wrong_times, .. } =
            self.copied;
        let seen = seen - over;
        let s = if seen == 1 { "" } else { "s" };
        let mut words = format!("compared {seen} session{s}: {} the same", unchanged - wrong_times);
        for (count, after) in [
            (newer, " newer in TO"),
            (left, " otherwise in TO"),
            (new, " missing in TO"),
            (changed, " older in TO"),
            (logged_out, " that logged out and are in TO"),
            (wrong_times, " with other times"),
            (over, " more over"),
            (failed, " could not be compared"),
        ] {
            add(&mut words, count, "", after);
        }
        words
    }

    const fn why(&self) -> &'static str {
        match self.copied.ended {
            _ if self.has_failed => "; an error ended it",
            Ended::Completed => "",
            Ended::MaxTime if matches!(self.mode, CopyMode::Verify) => {
                "; ended by `--max-time`, not everything was compared"
            }
            Ended::Limit => "; ended by `--limit`, there may be more",
            Ended::MaxTime => "; ended by `--max-time`, there may be more",
            Ended::Stopped => "; interrupted",
        }
    }

    fn json(&self) -> String {
        let Copied {
            seen,
            new,
            changed,
            unchanged,
            newer,
            left,
            logged_out,
            over,
            no_sessions,
            failed,
            wrong_times,
            ended,
        } = self.copied;
        serde_json::json!({
            "mode": match self.mode {
                CopyMode::Copy => "copy",
                CopyMode::Count => "dry-run",
                CopyMode::Verify => "verify",
            },
            "seen": seen,
            "new": new,
            "changed": changed,
            "unchanged": unchanged,
            "newer": newer,
            "left": left,
            "logged_out": logged_out,
            "over": over,
            "no_sessions": no_sessions,
            "failed": failed,
            "other_times": wrong_times,
            "ended": match ended {
                _ if self.has_failed => "failed",
                Ended::Completed => "completed",
                Ended::Limit => "limit",
                Ended::MaxTime => "max-time",
                Ended::Stopped => "interrupted",
            },
            "seconds": self.took.as_secs_f64(),
        })
        .to_string()
    }
}

/// Adds how many there are, if there are any.
fn add(words: &mut String, count: u64, before: &str, after: &str) {
    if count > 0 {
        words.extend([", ", before, &count.to_string(), after]);
    }
}
