//! Reads and decodes the sessions of a store.

use std::sync::mpsc;
use std::thread;

use beakerhelpers_codec::{Decoder, Found};
use beakerhelpers_core::{Error, ErrorKind, Query, Record, Result, Session, SessionId, SessionStore};

/// Records that are handed over at once: enough to make the hand-over cheap, few enough to bound the memory.
const BATCH: usize = 128;
/// Batches that may wait: with the one in work on each side this bounds what is in memory.
const WAITING: usize = 4;

/// Hears of what happens on the way.
pub(crate) trait Observer {
    /// So many records were read.
    fn read(&mut self, records: usize) {
        let _ = records;
    }

    /// All records are read.
    fn done(&mut self) {}

    /// A session cannot be read; its id where that is known.
    fn unreadable(&mut self, error: Error, id: Option<&SessionId>);
}

/// Hands out every session of a store; what is empty or no session at all is passed over. What cannot be read, or is too
/// large for `take`, is reported, and the rest goes on.
///
/// The store is read by a thread of its own, so that reading and decoding take a core each.
pub(crate) fn each_session(
    store: &dyn SessionStore,
    query: Query,
    mut take: impl FnMut(&Record, &Session) -> Result<()>,
    observer: &mut dyn Observer,
) -> Result<()> {
    thread::scope(|scope| {
        let (send, batches) = mpsc::sync_channel(WAITING);
        scope.spawn(move || {
            let mut records = store.iter(query);
            loop {
                let batch: Vec<_> = records.by_ref().take(BATCH).collect();
                // Nobody listens any more: the other side has failed.
                if batch.is_empty() || send.send(batch).is_err() {
                    break;
                }
            }
        });
        let mut decoder = Decoder::new();
        let mut session = Session::default();
        for batch in batches {
            observer.read(batch.len());
            for record in batch {
                let record = match record {
                    Ok(record) => record,
                    Err(error) if error.kind() == ErrorKind::Corrupt => {
                        observer.unreadable(error, None);
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                let taken = match decoder.decode_into(&record.payload, &mut session) {
                    Ok(Found::Session) => take(&record, &session),
                    Ok(_) => Ok(()),
                    Err(error) => Err(error),
                };
                match taken {
                    // Of one session only: damaged, or of a kind that cannot be read.
                    Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported) => {
                        observer.unreadable(error, Some(&record.id));
                    }
                    taken => taken?,
                }
            }
        }
        observer.done();
        Ok(())
    })
}
