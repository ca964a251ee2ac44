//! Follows a cleanup for the person who started it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use beakerhelpers_core::command::{Context, Signal};
use beakerhelpers_core::{Deleted, Progress, Timestamp};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ages::Ages;
use crate::locks::Locks;

/// Work that is done sooner needs no progress.
const NOTICED: Duration = Duration::from_millis(500);

/// Counts ages, draws progress, listens for signals, and remembers how far the cleanup came if it fails.
#[derive(Debug)]
pub(crate) struct Follow {
    now: Timestamp,
    /// Sessions accessed at this instant or later are still active for the site.
    active_since: Option<Timestamp>,
    signal: Arc<AtomicUsize>,
    bar: ProgressBar,
    started: Instant,
    pub(crate) ages: Ages,
    pub(crate) active: u64,
    pub(crate) so_far: Deleted,
    pub(crate) locks: Locks,
}

impl Follow {
    pub(crate) fn new(cx: &Context<'_>, active_since: Option<Timestamp>, quiet: bool, verb: &'static str) -> Self {
        let target =
            if cx.terminals.stderr && !quiet { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_prefix(verb);
        let style = ProgressStyle::with_template("{spinner} {prefix} {msg} [{elapsed}]");
        bar.set_style(style.expect("the template is well formed"));
        let signal = Arc::clone(&cx.signal);
        Self {
            now: cx.now,
            active_since,
            signal,
            bar,
            started: Instant::now(),
            ages: Ages::default(),
            active: 0,
            so_far: Deleted::default(),
            locks: Locks::default(),
        }
    }

    /// Clears the progress from the screen.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Follow {
    fn old(&mut self, accessed: Timestamp) {
        self.ages.add(accessed, self.now);
        self.active += u64::from(self.active_since.is_some_and(|since| accessed >= since));
    }

    fn held(&mut self, lock: Duration) {
        self.locks.add(lock);
    }

    fn batch(&mut self, so_far: &Deleted) -> ControlFlow<()> {
        self.so_far = *so_far;
        if self.started.elapsed() > NOTICED {
            self.bar.set_message(format!("{} of {} sessions", so_far.deleted, so_far.scanned()));
            self.bar.tick();
        }
        if Signal::caught(&self.signal).is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
