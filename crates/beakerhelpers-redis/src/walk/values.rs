//! The values of keys of one master.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

use beakerhelpers_core::{Result, Timestamp};
use redis::{RedisResult, Value};

use crate::node::Node;
use crate::pipeline::{Pipeline, bytes, is_elsewhere, is_wrong_type, number};
use crate::place::Address;
use crate::server::Server;
use crate::wire::Wire;

/// So many bytes of each value are read with the others of its page, which is nearly always the whole value.
const PART: usize = 16 << 10;
/// So many pages the server has to work on, while somebody else has the processor that would read them: some
/// milliseconds' worth.
const AHEAD: usize = 4;

/// After so many values none of which was longer than that, whole ones are asked for, which takes the server a tenth less of
/// its time, until the first that is longer. `SCAN` gives keys in an order that nobody chooses: where there are so many
/// short ones before the first that is not, there are hardly two of these on the way at once.
const EVIDENCE: usize = 16 << 10;

/// What sessions are walked over for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be read. While the answers of one page come in, the server is busy with the next.
    List {
        /// With what `PTTL` says of each.
        expiry: bool,
    },
    /// To be judged and deleted on the same connection, which therefore has no answers on the way between two pages.
    Delete,
}

/// A key and what was read of it.
pub(crate) struct Entry {
    pub(crate) key: Vec<u8>,
    pub(crate) value: Part,
    /// Milliseconds that it has left, as `PTTL` says; `None` where nobody asked.
    pub(crate) left: Option<i64>,
}

pub(crate) enum Part {
    /// All of it.
    Whole(Vec<u8>),
    /// It is empty, or not there any more.
    Unknown,
    /// It is longer than what is read at once.
    Long,
    /// It is no string.
    WrongType,
}

/// Some keys and what was read of them.
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    /// When the server was asked for it.
    pub(crate) asked: Timestamp,
}

/// Keys whose values are to be read.
struct Asked {
    keys: Vec<Vec<u8>>,
    /// When the server was asked; `None` where it was not yet.
    at: Option<Timestamp>,
    way: Way,
}

/// How the server is asked for values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The beginning of each.
    Part,
    /// The same, and what `PTTL` says.
    PartAndExpiry,
    /// Each as a whole.
    Whole,
}

/// Asks for values, and reads them.
pub(super) struct Values {
    node: Node,
    purpose: Purpose,
    /// What is to be read, page by page.
    pages: VecDeque<Asked>,
    /// Whether whole values may be asked for.
    may_be_whole: bool,
    /// How many values were read.
    read: usize,
}

impl Values {
    pub(super) fn open(server: &Arc<Server>, address: &Address, purpose: Purpose) -> Result<Self> {
        // The client that encrypts would have long ones in memory.
        let may_be_whole = purpose == (Purpose::List { expiry: false }) && server.place.tls.is_none();
        Ok(Self { node: Node::open(server, address)?, purpose, pages: VecDeque::new(), may_be_whole, read: 0 })
    }

    /// The connection, on which no answers are on their way where the purpose is to delete.
    pub(super) fn node(&mut self) -> &mut Node {
        &mut self.node
    }

    /// Whether to ask for another page before one is read.
    pub(super) fn wants_more(&self) -> bool {
        let most = if self.purpose == Purpose::Delete { 1 } else { AHEAD };
        self.pages.len() < most
    }

    /// Asks for the values of these keys, too.
    pub(super) fn ask(&mut self, keys: Vec<Vec<u8>>) {
        let way = match self.purpose {
            Purpose::List { expiry: true } => Way::PartAndExpiry,
            _ if self.may_be_whole && self.read >= EVIDENCE => Way::Whole,
            _ => Way::Part,
        };
        self.pages.push_back(Asked { keys, at: None, way });
    }

    /// The values of the first page that was asked for. `None`: there is none.
    pub(super) fn next(&mut self) -> Result<Option<Page>> {
        let Self { node, pages, .. } = self;
        if pages.is_empty() {
            return Ok(None);
        }
        let mut anew = false;
        let values = node.run(|wire| {
            // A connection that was made anew has been asked for nothing.
            if std::mem::replace(&mut anew, true) {
                for page in pages.iter_mut() {
                    page.at = None;
                }
            }
            for page in pages.iter_mut().filter(|page| page.at.is_none()) {
                page.at = Some(SystemTime::now().into());
                send(wire, &page.keys, page.way)?;
            }
            let Asked { keys, way, .. } = &pages[0];
            keys.iter().map(|_| read(wire, *way)).collect::<RedisResult<Vec<_>>>()
        })?;
        let Some(Asked { keys, at: Some(asked), .. }) = pages.pop_front() else { return Ok(None) };
        self.read += values.len();
        self.may_be_whole &= !values.iter().any(|(value, _)| matches!(value, Part::Long));
        let entry = |(key, (value, left))| Entry { key, value, left };
        Ok(Some(Page { entries: keys.into_iter().zip(values).map(entry).collect(), asked }))
    }
}

fn send(wire: &mut Wire, keys: &[Vec<u8>], way: Way) -> RedisResult<()> {
    let mut pipeline = Pipeline::default();
    let mut last = itoa::Buffer::new();
    let last = last.format(PART - 1).as_bytes();
    for key in keys {
        match way {
            Way::Whole => pipeline.add_words(&[b"GET", key]),
            Way::Part | Way::PartAndExpiry => pipeline.add_words(&[b"GETRANGE", key, b"0", last]),
        }
        if way == Way::PartAndExpiry {
            pipeline.add_words(&[b"PTTL", key]);
        }
    }
    pipeline.send(wire)
}

/// Reads the answers about one key: what was read of it, and how long it has left.
fn read(wire: &mut Wire, way: Way) -> RedisResult<(Part, Option<i64>)> {
    let value = match wire.answer_up_to(PART - 1)?.map(bytes) {
        Some(Ok(Some(bytes))) if !bytes.is_empty() => Part::Whole(bytes),
        Some(Ok(_)) => Part::Unknown,
        None => Part::Long,
        Some(Err(error)) if is_wrong_type(&error) => Part::WrongType,
        Some(Err(error)) if is_elsewhere(&error) => Part::Unknown,
        Some(Err(error)) => return Err(error),
    };
    let left = if way == Way::PartAndExpiry { left(&wire.answer()?)? } else { None };
    Ok((value, left))
}

/// What `PTTL` says; of a key that is elsewhere it says nothing.
fn left(answer: &Value) -> RedisResult<Option<i64>> {
    match number(answer) {
        Ok(left) => Ok(Some(left)),
        Err(error) if is_elsewhere(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
