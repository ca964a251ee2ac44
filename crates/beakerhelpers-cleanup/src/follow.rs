//! Follows a cleanup for the person who started it.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use beakerhelpers_core::command::Context;
use beakerhelpers_core::{Deleted, Error, Progress, Record, Result, Silent, Timestamp};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ages::Ages;
use crate::archive::ArchiveWriter;
use crate::gate::{Gate, Stop};
use crate::locks::Locks;

/// Work that is done sooner needs no progress.
const NOTICED: Duration = Duration::from_millis(500);

/// Counts ages, draws progress, keeps what is deleted, ends the run when it is to end, and remembers how far the cleanup
/// came if it fails.
#[derive(Debug)]
pub(crate) struct Follow<'s> {
    now: Timestamp,
    /// Sessions accessed at this instant or later are still active for the site.
    active_since: Option<Timestamp>,
    gate: Gate<'s>,
    bar: ProgressBar,
    started: Instant,
    pub(crate) ages: Ages,
    pub(crate) active: u64,
    pub(crate) so_far: Deleted,
    pub(crate) locks: Locks,
    pub(crate) archive: Option<ArchiveWriter>,
    /// How many sessions have an age that cannot be read.
    pub(crate) unreadable: u64,
    /// What to say of the first of them.
    pub(crate) first_unreadable: Option<String>,
    /// Why the run was told to end.
    pub(crate) stop: Option<Stop>,
}

/// What is drawn while something takes long.
pub(crate) fn bar(cx: &Context<'_>, quiet: bool, verb: &'static str) -> ProgressBar {
    let target =
        if cx.terminals.stderr && !quiet { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target).with_prefix(verb);
    let style = ProgressStyle::with_template("{spinner} {prefix} {msg} [{elapsed}]");
    bar.with_style(style.expect("the template is well formed"))
}

impl<'s> Follow<'s> {
    pub(crate) fn new(
        cx: &Context<'_>,
        gate: Gate<'s>,
        active_since: Option<Timestamp>,
        quiet: bool,
        verb: &'static str,
    ) -> Self {
        Self {
            now: cx.now,
            active_since,
            gate,
            bar: bar(cx, quiet, verb),
            started: Instant::now(),
            ages: Ages::default(),
            active: 0,
            so_far: Deleted::default(),
            locks: Locks::default(),
            archive: None,
            unreadable: 0,
            first_unreadable: None,
            stop: None,
        }
    }

    /// Waits where it has to, and tells whether the run may go on.
    pub(crate) fn may_go_on(&mut self) -> bool {
        let Self { gate, bar, stop, so_far: Deleted { deleted, .. }, .. } = self;
        if stop.is_none() {
            let waits = |lag: Duration| {
                bar.set_message(format!(
                    "{} sessions, waiting for a replica that is {:.0} s behind",
                    deleted,
                    lag.as_secs_f64()
                ));
                bar.tick();
            };
            *stop = gate.pass(waits).err();
        }
        stop.is_none()
    }

    /// Clears the progress from the screen.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Follow<'_> {
    fn old(&mut self, accessed: Timestamp) {
        self.ages.add(accessed, self.now);
        self.active += u64::from(self.active_since.is_some_and(|since| accessed >= since));
    }

    fn archive(&mut self, records: &[Record]) -> Result<()> {
        match &mut self.archive {
            Some(archive) => archive.write(records),
            None => Silent.archive(records),
        }
    }

    fn unreadable(&mut self, error: &Error) {
        self.unreadable += 1;
        self.first_unreadable.get_or_insert_with(|| {
            let mut line = format!("warning: a session cannot be read, and is kept: {error}");
            error.context().for_each(|(key, value)| line.extend([" (", key, ": ", value, ")"]));
            error.hint().into_iter().for_each(|hint| line.extend(["\nhint: ", hint]));
            line
        });
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
        if self.may_go_on() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}
