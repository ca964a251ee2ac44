//! A thread that sorts and writes full buffers.

use std::mem;
use std::panic;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use beakerhelpers_core::{Error, ErrorKind, Result};

use super::merge::Merge;
use super::run::{Run, Writer};
use super::{Buffer, Order, no_thread};

/// So many runs are merged into a longer one, and so many of those into one: neither open files nor read buffers grow with
/// the store.
const MOST_RUNS: usize = 64;

/// The thread, and what goes to and fro.
#[derive(Debug)]
pub(super) struct Background {
    full: SyncSender<Buffer>,
    empty: Receiver<Buffer>,
    /// `None` once it has ended.
    thread: Option<JoinHandle<Result<Vec<Run>>>>,
}

impl Background {
    pub(super) fn start(order: Order) -> Result<Self> {
        // One buffer is filled while the thread has the other.
        let (full, buffers) = mpsc::sync_channel(0);
        let (done, empty) = mpsc::sync_channel(1);
        let _ = done.send(Buffer::default());
        let thread = thread::Builder::new().name("sort".to_owned()).spawn(move || write(&buffers, &done, order));
        Ok(Self { full, empty, thread: Some(thread.map_err(no_thread)?) })
    }

    /// Makes a run of what is in the buffer, and empties that.
    pub(super) fn store(&mut self, buffer: &mut Buffer) -> Result<()> {
        if self.full.send(mem::take(buffer)).is_ok()
            && let Ok(empty) = self.empty.recv()
        {
            *buffer = empty;
            return Ok(());
        }
        // It ends early where it fails, and only there.
        self.end().and_then(|_| Err(Error::new(ErrorKind::Other, "the sessions are not sorted any more")))
    }

    /// All runs, in the order in which their rows came.
    pub(super) fn finish(mut self) -> Result<Vec<Run>> {
        self.full = mpsc::sync_channel(0).0;
        self.end()
    }

    /// What became of the thread.
    fn end(&mut self) -> Result<Vec<Run>> {
        let Some(thread) = self.thread.take() else { return Ok(Vec::new()) };
        thread.join().unwrap_or_else(|failure| panic::resume_unwind(failure))
    }
}

/// Nobody wants the rows any more: nothing of it goes on.
impl Drop for Background {
    fn drop(&mut self) {
        self.full = mpsc::sync_channel(0).0;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn write(buffers: &Receiver<Buffer>, done: &SyncSender<Buffer>, order: Order) -> Result<Vec<Run>> {
    // Rows of a run came before those of the next, so that only neighbours can be merged.
    let (mut long, mut short) = (Vec::new(), Vec::new());
    for mut buffer in buffers {
        buffer.sort(order);
        let mut run = Writer::create()?;
        for entry in &buffer.entries {
            run.push(buffer.row(entry))?;
        }
        short.push(run.finish()?);
        buffer.bytes.clear();
        buffer.entries.clear();
        // Nobody fills it where there are no more rows.
        let _ = done.send(buffer);
        if short.len() >= MOST_RUNS {
            long.push(merged(&mut short, order)?);
        }
        if long.len() >= MOST_RUNS {
            let longest = merged(&mut long, order)?;
            long.push(longest);
        }
    }
    long.append(&mut short);
    Ok(long)
}

/// One run of several, none of which is left.
fn merged(runs: &mut Vec<Run>, order: Order) -> Result<Run> {
    let mut merged = Writer::create()?;
    let mut rows = Merge::new(runs, None, order)?;
    while let Some(row) = rows.next()? {
        merged.push(row)?;
    }
    runs.clear();
    merged.finish()
}
