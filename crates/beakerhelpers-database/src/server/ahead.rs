//! Reading ahead: while somebody works on the sessions of one page, the server is busy with the next.

use std::panic;
use std::sync::mpsc::{self, Receiver};
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

/// The records of a query, read by a thread of its own. It ends with the page that it reads when this is dropped.
struct Ahead {
    parts: Receiver<Vec<Result<Record>>>,
    part: vec::IntoIter<Result<Record>>,
    reader: Option<JoinHandle<()>>,
}

/// Iterates over the records of a query. Where no thread can be had, each page is read when it is asked for.
pub(super) fn records<C: Client>(store: &ServerStore<C>, query: Query) -> Records<'_> {
    let (send, parts) = mpsc::sync_channel(WAITING);
    let behind = store.clone();
    let spawned = thread::Builder::new().name("pages".to_owned()).spawn(move || {
        let mut pages = Pages::new(&behind, query);
        loop {
            let part = next_part(&mut pages);
            // Nobody listens any more, or there is no more.
            if part.is_empty() || send.send(part).is_err() {
                return;
            }
        }
    });
    match spawned {
        Ok(reader) => Box::new(Ahead { parts, part: Vec::new().into_iter(), reader: Some(reader) }),
        Err(_) => Box::new(Pages::new(store, query)),
    }
}

fn next_part(records: &mut impl Iterator<Item = Result<Record>>) -> Vec<Result<Record>> {
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
            match self.parts.recv() {
                Ok(part) => self.part = part.into_iter(),
                Err(_) => {
                    // A reader that failed must not look like one that has read all.
                    if let Some(Err(failure)) = self.reader.take().map(JoinHandle::join) {
                        panic::resume_unwind(failure);
                    }
                    return None;
                }
            }
        }
    }
}
