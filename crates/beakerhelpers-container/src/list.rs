//! Reading all sessions, ahead of who asks for them.

use std::iter;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::vec;

use beakerhelpers_core::{Error, ErrorKind, Query, Record, Records, Result};

use crate::{Place, Sessions, Walk};

/// Records are handed over in parcels of at most so many, and of so many bytes unless one alone has more.
const PARCEL: usize = 256;
const PARCEL_BYTES: usize = 1 << 20;
/// So many parcels may wait.
const WAITING: usize = 4;

/// Reads all sessions of a place on a thread of its own, a few parcels ahead. It holds no lock while it waits for who
/// asks, and ends when that one does.
pub fn list(place: &Place, sessions: Arc<dyn Sessions>, query: Query) -> Records<'static> {
    match start(place, sessions, query) {
        Ok(listing) => Box::new(listing),
        Err(error) => Box::new(iter::once(Err(error))),
    }
}

fn start(place: &Place, sessions: Arc<dyn Sessions>, query: Query) -> Result<Listing> {
    let walk = Walk::new(&place.open()?, sessions.form())?;
    let (sender, parcels) = sync_channel(WAITING);
    let reader = Reader { sessions, query, parcel: Vec::new(), bytes: 0, sender };
    let thread = thread::Builder::new().name("sessions".to_owned()).spawn(move || reader.run(walk));
    let thread = thread
        .map_err(|error| Error::new(ErrorKind::Unavailable, "cannot start a thread to read with").with_source(error))?;
    Ok(Listing { parcel: Vec::new().into_iter(), parcels: Some(parcels), thread: Some(thread) })
}

struct Listing {
    parcel: vec::IntoIter<Result<Record>>,
    parcels: Option<Receiver<Vec<Result<Record>>>>,
    thread: Option<JoinHandle<()>>,
}

impl Iterator for Listing {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.parcel.next() {
                return Some(item);
            }
            self.parcel = self.parcels.as_ref()?.recv().ok()?.into_iter();
        }
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        // Without a receiver it ends at its next parcel.
        self.parcels = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Reader {
    sessions: Arc<dyn Sessions>,
    query: Query,
    parcel: Vec<Result<Record>>,
    bytes: usize,
    sender: SyncSender<Vec<Result<Record>>>,
}

impl Reader {
    fn run(mut self, walk: Walk) {
        let mut left = self.query.limit.unwrap_or(u64::MAX);
        for spot in walk {
            if left == 0 {
                break;
            }
            let item = match spot.and_then(|spot| self.sessions.read_active(&spot, self.query)) {
                Ok(None) => continue,
                Ok(Some(record)) => Ok(record),
                Err(error) => Err(error),
            };
            let is_last = item.as_ref().is_err_and(|error| error.kind() != ErrorKind::Corrupt);
            left -= u64::from(item.is_ok());
            self.bytes += item.as_ref().map_or(0, |record| record.payload.bytes().len());
            self.parcel.push(item);
            let is_full = self.parcel.len() >= PARCEL || self.bytes >= PARCEL_BYTES;
            if is_full && !self.send() || is_last {
                break;
            }
        }
        self.send();
    }

    /// Hands a parcel over, and tells whether anybody took it.
    fn send(&mut self) -> bool {
        self.bytes = 0;
        let parcel = std::mem::replace(&mut self.parcel, Vec::with_capacity(PARCEL));
        self.sender.send(parcel).is_ok()
    }
}
