//! Reading ahead: while somebody works on some records, a thread reads the next.

use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};
use std::{io, vec};

use super::Records;
use crate::{Record, Result};

/// Records are handed over so many at a time, or so many bytes of them; a single one may have more.
const PART: usize = 1000;
const PART_BYTES: usize = 1 << 20;
/// So many parts may wait.
const WAITING: usize = 5;

/// Some records, in their order.
type Part = Vec<Result<Record>>;

/// Where a thread that [reads ahead](read_ahead) hands over its records.
#[derive(Debug)]
pub struct HandOver(SyncSender<Part>);

impl HandOver {
    /// Hands over all records, or those until nobody waits for them any more.
    pub fn all(&self, mut records: impl Iterator<Item = Result<Record>>) {
        loop {
            let part = next_part(&mut records);
            // Nobody listens any more, or there is no more.
            if part.is_empty() || self.0.send(part).is_err() {
                return;
            }
        }
    }
}

fn next_part(records: &mut impl Iterator<Item = Result<Record>>) -> Part {
    let (mut part, mut bytes) = (Vec::new(), 0);
    while part.len() < PART && bytes < PART_BYTES {
        let Some(record) = records.next() else { break };
        bytes += record.as_ref().map_or(0, |record| record.payload.bytes().len());
        part.push(record);
    }
    part
}

/// Reads in a thread of its own what an iteration of a store gives: while somebody works on some records, a server or a
/// disk is busy with the next. Some 5 MiB of records wait at most.
///
/// The thread is gone before the iterator is. Dropping that sets `abandoned`, so that a store which looks at it begins
/// nothing more, and waits: whoever drops it may end the process next, and a thread in the middle of C code would then
/// find what that uses taken down. A panic of the thread is one of the iterator: what failed must not look like the end.
///
/// # Errors
///
/// No thread can be had.
pub fn read_ahead(
    abandoned: Arc<AtomicBool>,
    read: impl FnOnce(&HandOver) + Send + 'static,
) -> io::Result<Records<'static>> {
    let (send, parts) = mpsc::sync_channel(WAITING);
    let thread = thread::Builder::new().name("read ahead".to_owned()).spawn(move || read(&HandOver(send)))?;
    Ok(Box::new(Ahead { part: Vec::new().into_iter(), reader: Some(Reader { parts, abandoned, thread }) }))
}

struct Ahead {
    part: vec::IntoIter<Result<Record>>,
    /// `None` once all is read.
    reader: Option<Reader>,
}

/// The thread that reads.
struct Reader {
    parts: Receiver<Part>,
    abandoned: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Reader {
    /// Waits for the thread to end, and tells how it did.
    fn end(self) -> thread::Result<()> {
        self.abandoned.store(true, Ordering::Relaxed);
        // A part that waits to be handed over is handed over to nobody.
        drop(self.parts);
        self.thread.join()
    }
}

impl Iterator for Ahead {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(record) = self.part.next() {
                return Some(record);
            }
            if let Ok(part) = self.reader.as_ref()?.parts.recv() {
                self.part = part.into_iter();
            } else if let Some(Err(failure)) = self.reader.take().map(Reader::end) {
                panic::resume_unwind(failure);
            }
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            // Nobody wants any more what a reader that failed did not bring, and it has said why.
            let _ = reader.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::time::Duration;

    use super::*;
    use crate::Error;

    /// Ends later than whoever asked for it.
    struct Slow(Arc<AtomicBool>);

    impl Drop for Slow {
        fn drop(&mut self) {
            thread::sleep(Duration::from_millis(100));
            self.0.store(true, Ordering::Relaxed);
        }
    }

    fn endless() -> impl Iterator<Item = Result<Record>> {
        iter::repeat_with(|| Err(Error::config("one of many")))
    }

    #[test]
    fn who_is_dropped_early_has_no_thread_left() {
        for looked_at in [0, 1, 2 * PART] {
            let (abandoned, ended) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
            let slow = Slow(Arc::clone(&ended));
            let ahead = read_ahead(Arc::clone(&abandoned), move |hand_over| {
                let _slow = slow;
                hand_over.all(endless());
            });
            let mut ahead = ahead.expect("there are threads");
            assert_eq!(ahead.by_ref().take(looked_at).count(), looked_at);
            assert!(!abandoned.load(Ordering::Relaxed));
            drop(ahead);
            assert!(abandoned.load(Ordering::Relaxed) && ended.load(Ordering::Relaxed), "{looked_at}");
        }
    }

    #[test]
    fn a_reader_that_fails_is_no_end_of_the_records() {
        let failing = || {
            let read = |hand_over: &HandOver| {
                hand_over.all(endless().take(1));
                panic!("the reader fails");
            };
            read_ahead(Arc::default(), read).expect("there are threads")
        };
        let mut ahead = failing();
        assert!(ahead.next().is_some());
        assert!(panic::catch_unwind(panic::AssertUnwindSafe(|| ahead.next())).is_err());
        assert!(ahead.next().is_none());
        // Nobody looks at what it does not bring.
        drop(failing());
    }
}
