//! Reading ahead: while somebody works on the sessions of one page, the server is busy with the next.

use std::io;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};
use std::vec;

use beakerhelpers_core::{Query, Record, Records, Result};

use super::ServerStore;
use super::client::Client;
use crate::pages::Pages;

/// Sessions are handed over so many at a time, or so many bytes of them.
const PART: usize = 1000;
const PART_BYTES: usize = 1 << 20;
/// So many parts may wait: those of a page, so that its reader can go on with the next.
const WAITING: usize = 5;

/// Some records, in their order.
type Part = Vec<Result<Record>>;

/// The records of a query, read by a thread of its own, which ends before this is gone.
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

/// Iterates over the records of a query. Where no thread can be had, each page is read when it is asked for.
pub(super) fn records<C: Client>(store: &ServerStore<C>, query: Query) -> Records<'_> {
    let abandoned = Arc::new(AtomicBool::new(false));
    let behind = ServerStore { abandoned: Arc::clone(&abandoned), ..store.clone() };
    match start(abandoned, move |parts| hand_over(Pages::new(&behind, query), parts)) {
        Ok(ahead) => Box::new(ahead),
        Err(_) => Box::new(Pages::new(store, query)),
    }
}

fn start(abandoned: Arc<AtomicBool>, read: impl FnOnce(&SyncSender<Part>) + Send + 'static) -> io::Result<Ahead> {
    let (send, parts) = mpsc::sync_channel(WAITING);
    let thread = thread::Builder::new().name("pages".to_owned()).spawn(move || read(&send))?;
    Ok(Ahead { part: Vec::new().into_iter(), reader: Some(Reader { parts, abandoned, thread }) })
}

fn hand_over(mut records: impl Iterator<Item = Result<Record>>, parts: &SyncSender<Part>) {
    loop {
        let part = next_part(&mut records);
        // Nobody listens any more, or there is no more.
        if part.is_empty() || parts.send(part).is_err() {
            return;
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
                // A reader that failed must not look like one that has read all.
                panic::resume_unwind(failure);
            }
        }
    }
}

/// Waits for the reader, as whoever drops this may end the process next, and a thread that is in the middle of C code
/// then finds what that uses taken down. It takes as long as what the reader is at: the statement for one page, one
/// attempt to connect, or one of the waits between two attempts, two seconds at most. Nothing is begun after that.
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

    use beakerhelpers_core::Error;

    use super::*;

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
            let ahead = start(Arc::clone(&abandoned), move |parts| {
                let _slow = slow;
                hand_over(endless(), parts);
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
            let read = |parts: &SyncSender<Part>| {
                hand_over(endless().take(1), parts);
                panic!("the reader fails");
            };
            start(Arc::default(), read).expect("there are threads")
        };
        let mut ahead = failing();
        assert!(ahead.next().is_some());
        assert!(panic::catch_unwind(panic::AssertUnwindSafe(|| ahead.next())).is_err());
        assert!(ahead.next().is_none());
        // Nobody looks at what it does not bring.
        drop(failing());
    }
    #[cfg(feature = "postgres")]
    #[test]
    fn a_handle_that_is_abandoned_asks_the_server_nothing() {
        use beakerhelpers_core::{DatabaseUrl, SessionId, SessionStore as _, StoreConfig};

        let url = DatabaseUrl::parse("postgresql://nobody@127.0.0.1:1/nothing").expect("a URL");
        let target = crate::postgres::PgTarget::new(&url).expect("a place");
        let config = StoreConfig::new("beaker.session");
        let store = ServerStore::<crate::postgres::PgClient>::new(&config, crate::Flavor::Database, target);
        let store = store.expect("nothing is asked yet");
        let failure = || store.has(&SessionId::new("a")).expect_err("nobody listens there").message().to_owned();
        assert!(!failure().contains("nobody waits"));
        store.abandoned.store(true, Ordering::Relaxed);
        assert!(failure().contains("nobody waits"));
    }
}
