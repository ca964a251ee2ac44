//! What holds a cleanup up or ends it, besides the store.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread;
use std::time::{Duration, Instant};

use beakerhelpers_core::Error;
use beakerhelpers_core::command::Signal;

use crate::lag::Lag;

/// Replicas are asked so often.
const ASK: Duration = Duration::from_secs(1);
/// Somebody who waits looks up so often.
const SLICE: Duration = Duration::from_millis(50);

/// Between two batches, and before the first.
#[derive(Debug)]
pub(crate) struct Gate<'s> {
    signal: Arc<AtomicUsize>,
    stop_file: Option<PathBuf>,
    lag: Option<Lag<'s>>,
    deadline: Option<Instant>,
    asked: Option<Instant>,
}

/// Why the gate is shut for good.
#[derive(Debug)]
pub(crate) enum Stop {
    Signal,
    /// The file is there.
    File,
    MaxTime,
    Error(Error),
}

impl<'s> Gate<'s> {
    pub(crate) const fn new(
        signal: Arc<AtomicUsize>,
        stop_file: Option<PathBuf>,
        lag: Option<Lag<'s>>,
        deadline: Option<Instant>,
    ) -> Self {
        Self { signal, stop_file, lag, deadline, asked: None }
    }

    /// Waits while replicas are too far behind, and tells `waits` how far. An error is the end of the run.
    pub(crate) fn pass(&mut self, mut waits: impl FnMut(Duration)) -> Result<(), Stop> {
        let mut behind = None;
        loop {
            if Signal::caught(&self.signal).is_some() {
                return Err(Stop::Signal);
            }
            // Who cannot be seen is not there: a directory that is gone stops nothing.
            if self.stop_file.as_ref().is_some_and(|file| file.exists()) {
                return Err(Stop::File);
            }
            let Some(lag) = &self.lag else { return Ok(()) };
            if self.asked.is_none_or(|asked| asked.elapsed() >= ASK) {
                behind = lag.too_far().map_err(Stop::Error)?;
                self.asked = Some(Instant::now());
            }
            let Some(behind) = behind else { return Ok(()) };
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(Stop::MaxTime);
            }
            waits(behind);
            thread::sleep(SLICE);
        }
    }
}
