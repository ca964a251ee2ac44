//! Follows a run for the person who started it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use beakerhelpers_core::command::{Context, Signal, Unreadable};
use beakerhelpers_core::{Error, FingerprintKey, SessionId};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{Copied, CopyMode, Difference, Observer};

/// Work that is done sooner needs no progress.
const NOTICED: Duration = Duration::from_millis(500);
/// Progress is drawn so often.
const DRAW: Duration = Duration::from_millis(100);
/// So many sessions are named for one difference; the others of it are counted.
const NAMED: u64 = 20;

/// What one session is, and what several are.
type Words = (&'static str, &'static str);

pub(crate) struct Report<'r, 'c> {
    cx: &'r mut Context<'c>,
    mode: CopyMode,
    key: FingerprintKey,
    bar: ProgressBar,
    drawn: Instant,
    failed: Unreadable,
    /// How many sessions there are of each difference.
    differing: BTreeMap<Words, u64>,
}

impl<'r, 'c> Report<'r, 'c> {
    pub(crate) fn new(cx: &'r mut Context<'c>, key: FingerprintKey, quiet: bool, mode: CopyMode) -> Self {
        let shows = cx.terminals.stderr && !quiet;
        let target = if shows { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]").expect("the template is well formed");
        let bar = ProgressBar::with_draw_target(None, target).with_style(style);
        let cannot = if mode == CopyMode::Verify { "cannot be compared" } else { "cannot be copied" };
        let failed = Unreadable::new(cannot);
        Self { cx, mode, key, bar, drawn: Instant::now() + NOTICED, failed, differing: BTreeMap::new() }
    }

    /// Clears the progress from the screen, and tells what was only counted until now.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
        for line in self.failed.rest() {
            self.cx.note(&line);
        }
        for ((_, are), count) in self.differing {
            if let Some(more) = count.checked_sub(NAMED).filter(|more| *more > 0) {
                self.cx.note(&format!("warning: {more} more {are}"));
            }
        }
    }

    fn note(&mut self, line: &str) {
        let Self { cx, bar, .. } = self;
        bar.suspend(|| cx.note(line));
    }
}

/// How far it is.
fn progress(mode: CopyMode, so_far: &Copied) -> String {
    let Copied { seen, new, changed, .. } = so_far;
    match mode {
        CopyMode::Copy => format!("{seen} sessions, {} copied", new + changed),
        CopyMode::Count => format!("{seen} sessions, {} to copy", new + changed),
        CopyMode::Verify => format!("{seen} sessions, {} differ", so_far.differences()),
    }
}

impl Observer for Report<'_, '_> {
    fn next(&mut self, so_far: &Copied) -> ControlFlow<()> {
        if Instant::now() >= self.drawn {
            self.drawn = Instant::now() + DRAW;
            self.bar.set_message(progress(self.mode, so_far));
            self.bar.tick();
        }
        if Signal::caught(&self.cx.signal).is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn failed(&mut self, error: &Error, id: Option<&SessionId>) {
        if let Some(lines) = self.failed.add(error, id, &self.key) {
            self.note(&lines);
        }
    }

    fn differs(&mut self, difference: Difference, id: &SessionId) {
        let words = match difference {
            Difference::Missing => ("is missing in TO", "are missing in TO"),
            Difference::Older => ("is older in TO", "are older in TO"),
            Difference::Times => ("has other times in TO", "have other times in TO"),
            Difference::LoggedOut => ("is in TO and has logged out", "are in TO and have logged out"),
        };
        let count = self.differing.entry(words).or_default();
        *count += 1;
        if *count <= NAMED {
            let line = format!("warning: session {} {}", id.fingerprint(&self.key), words.0);
            self.note(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_says_what_is_done() {
        let so_far = Copied { seen: 9, new: 1, changed: 2, logged_out: 4, ..Copied::default() };
        let texts = [CopyMode::Copy, CopyMode::Count, CopyMode::Verify].map(|mode| progress(mode, &so_far));
        assert_eq!(texts, ["9 sessions, 3 copied", "9 sessions, 3 to copy", "9 sessions, 7 differ"]);
    }
}
