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
        let Copied { new, changed, unchanged, newer, left, logged_out, over, gone, no_sessions, failed, .. } =
            self.copied;
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
            (gone, "left ", " behind that logged out"),
            (no_sessions, "passed over ", " of something else"),
            (failed, "", " could not be copied"),
        ] {
            add(&mut words, count, before, after);
        }
        words
    }

    fn compared(&self) -> String {
        let Copied {
            seen,
            new,
            changed,
            unchanged,
            newer,
            left,
            logged_out,
            over,
            gone,
            no_sessions,
            failed,
            wrong_times,
            ended: _,
        } = self.copied;
        // What has no counterpart to be compared with is no difference.
        let aside = over + gone + no_sessions;
        let seen = seen - aside;
        let s = if seen == 1 { "" } else { "s" };
        let mut words = format!("compared {seen} session{s}: {} the same", unchanged - wrong_times);
        for (count, after) in [
            (newer, " newer in TO"),
            (left, " otherwise in TO"),
            (new, " missing in TO"),
            (changed, " older in TO"),
            (logged_out, " that logged out and are in TO"),
            (wrong_times, " with other times"),
            (failed, " could not be compared"),
        ] {
            add(&mut words, count, "", after);
        }
        let mut left_out = String::new();
        for (count, after) in
            [(over, " over by the timeout"), (gone, " logged out"), (no_sessions, " of something else")]
        {
            add(&mut left_out, count, "", after);
        }
        match left_out.strip_prefix(", ") {
            Some(left_out) => format!("{words}; left out {aside}: {left_out}"),
            None => words,
        }
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
            gone,
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
            "gone": gone,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(mode: CopyMode) -> Summary {
        let copied = Copied {
            seen: 66,
            new: 1,
            changed: 2,
            unchanged: 3 + 7,
            newer: 4,
            left: 5,
            logged_out: 6,
            wrong_times: 7,
            over: 8,
            gone: 9,
            no_sessions: 10,
            failed: 11,
            ..Copied::default()
        };
        Summary { copied, mode, has_failed: false, took: Duration::ZERO }
    }

    #[test]
    fn what_was_compared_adds_up() {
        let text = summary(CopyMode::Verify).render(Format::Text);
        assert_eq!(
            text,
            "compared 39 sessions: 3 the same, 4 newer in TO, 5 otherwise in TO, 1 missing in TO, 2 older in TO, 6 that \
             logged out and are in TO, 7 with other times, 11 could not be compared; left out 27: 8 over by the timeout, \
             9 logged out, 10 of something else, in 0.0 s"
        );
        let copied = Copied { seen: 1, unchanged: 1, ..Copied::default() };
        let all_the_same = Summary { copied, ..summary(CopyMode::Verify) };
        assert_eq!(all_the_same.render(Format::Text), "compared 1 session: 1 the same, in 0.0 s");
    }

    #[test]
    fn what_was_copied_adds_up() {
        assert_eq!(
            summary(CopyMode::Count).render(Format::Text),
            "would copy 3 sessions (1 new, 2 changed), 10 unchanged, left 4 alone that TO has newer, left 5 alone that TO \
             has otherwise, would delete 6 that logged out, left 8 behind that are over, left 9 behind that logged out, \
             passed over 10 of something else, 11 could not be copied, in 0.0 s"
        );
    }
}
