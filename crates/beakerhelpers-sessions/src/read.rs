//! Reads and decodes the sessions of a store.

use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use beakerhelpers_codec::{Decoder, Found, Settings};
use beakerhelpers_core::{Error, ErrorKind, Query, Record, Result, Session, SessionId, SessionStore};

use crate::sorter::no_thread;

/// Records that are handed over at once: enough to make the hand-over cheap, few enough to bound the memory.
const BATCH: usize = 512;
/// And so many bytes of payload; a single record may have more.
const BATCH_BYTES: usize = 1 << 20;
/// Sessions that hold more memory are not used again.
const SPARE_BYTES: usize = 48 << 10;
/// Batches that may wait between two threads: this bounds what is in memory.
const WAITING: usize = 3;
/// And so many that were read and not decoded: a server that gives them has something to do meanwhile. One of more than
/// [`BATCH_BYTES`] counts as `LARGE`.
const READ: usize = 9;
const LARGE: usize = 3;

/// Hears of what happens on the way.
pub(crate) trait Observer {
    /// So many records were read.
    fn read(&mut self, records: usize) {
        let _ = records;
    }

    /// All records are read.
    fn done(&mut self) {}

    /// No session had a key that was asked for.
    fn missing(&mut self, key: &str) {
        let _ = key;
    }

    /// A session cannot be read; its id where that is known.
    fn unreadable(&mut self, error: Error, id: Option<&SessionId>);
}

/// A record, and what decoding it gave.
struct Item {
    record: Record,
    found: Result<Found>,
    session: Session,
}

/// Hands out every session of a store; what is empty or no session at all is passed over. What cannot be read, or is too
/// large for `take`, is reported, and the rest goes on.
///
/// Reading, decoding and taking have a thread each: none of them fills a core for long, and together they fill two.
pub(crate) fn each_session(
    store: &dyn SessionStore,
    query: Query,
    settings: &Settings,
    mut take: impl FnMut(&Record, &Session) -> Result<()>,
    observer: &mut dyn Observer,
) -> Result<()> {
    let take = |record: &Record, found: Result<Found>, session: &Session| match found? {
        Found::Session => take(record, session),
        _ => Ok(()),
    };
    each_record(store, query, settings, take, observer)
}

/// Hands out every record, what became of it, and what was read: of what is no session, a session without keys. An error
/// of `take` that is of one record only is reported, and the rest goes on.
pub(crate) fn each_record(
    store: &dyn SessionStore,
    query: Query,
    settings: &Settings,
    mut take: impl FnMut(&Record, Result<Found>, &Session) -> Result<()>,
    observer: &mut dyn Observer,
) -> Result<()> {
    thread::scope(|scope| {
        let (read, records) = mpsc::sync_channel(READ);
        let (send, items) = mpsc::sync_channel(WAITING);
        // Sessions that were taken go back, so that their memory serves again. There are never more of them than fit.
        let (taken, spares) = mpsc::sync_channel(2 * WAITING + 2);
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        let spawned = named("read").spawn_scoped(scope, move || read_records(store, query, &read)).and_then(|_| {
            named("decode").spawn_scoped(scope, move || decode_records(settings, &records, &send, &spares))
        });
        spawned.map_err(no_thread)?;
        for batch in items {
            let batch: Vec<Result<Item>> = batch;
            observer.read(batch.len());
            let mut spare = Vec::with_capacity(batch.len());
            for item in batch {
                match item {
                    Ok(Item { record, found, session }) => {
                        let result = if is_old(&record, query) { Ok(()) } else { take(&record, found, &session) };
                        if session.allocated() <= SPARE_BYTES {
                            spare.push(session);
                        }
                        match result {
                            // Of one session only: damaged, or of a kind that cannot be read.
                            Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported) => {
                                observer.unreadable(error, Some(&record.id));
                            }
                            result => result?,
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::Corrupt => observer.unreadable(error, None),
                    Err(error) => return Err(error),
                }
            }
            // It is no loss where nobody needs them any more.
            let _ = taken.try_send(spare);
        }
        observer.done();
        Ok(())
    })
}

/// Whether it is not one of those that were asked for. A store that keeps no times gives all; what they are is known only
/// now.
fn is_old(record: &Record, query: Query) -> bool {
    query.active.is_some_and(|cutoff| record.accessed.is_some_and(|accessed| accessed < cutoff.at()))
}

fn read_records(store: &dyn SessionStore, query: Query, read: &SyncSender<Vec<Result<Record>>>) {
    let mut records = store.iter(query);
    loop {
        let mut batch = Vec::with_capacity(BATCH);
        let mut bytes = 0;
        while batch.len() < BATCH && bytes < BATCH_BYTES {
            let Some(record) = records.next() else { break };
            bytes += record.as_ref().map_or(0, |record| record.payload.bytes().len());
            batch.push(record);
        }
        let places = if bytes < BATCH_BYTES { 1 } else { LARGE };
        // Nobody listens any more where the other side has failed.
        if batch.is_empty() || read.send(batch).is_err() {
            return;
        }
        for _ in 1..places {
            if read.send(Vec::new()).is_err() {
                return;
            }
        }
    }
}

fn decode_records(
    settings: &Settings,
    records: &Receiver<Vec<Result<Record>>>,
    items: &SyncSender<Vec<Result<Item>>>,
    spares: &Receiver<Vec<Session>>,
) {
    let mut decoder = Decoder::with_settings(settings.clone());
    for batch in records {
        let mut spare = spares.try_recv().unwrap_or_default();
        let decode = |record: Result<Record>| {
            let record = record?;
            let mut session = spare.pop().unwrap_or_default();
            let found = decoder.decode_into(&record.payload, &mut session);
            let record = record.with_times_of(&session);
            Ok(Item { record, found, session })
        };
        if items.send(batch.into_iter().map(decode).collect()).is_err() {
            return;
        }
    }
}
