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
    /// It is empty, or not there any more, or longer than what is read at once.
    Unknown,
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
}

/// Asks for values, and reads them.
pub(super) struct Values {
    node: Node,
    purpose: Purpose,
    /// What is to be read, page by page.
    pages: VecDeque<Asked>,
}

impl Values {
    pub(super) fn open(server: &Arc<Server>, address: &Address, purpose: Purpose) -> Result<Self> {
        Ok(Self { node: Node::open(server, address)?, purpose, pages: VecDeque::new() })
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
        self.pages.push_back(Asked { keys, at: None });
    }

    /// The values of the first page that was asked for. `None`: there is none.
    pub(super) fn next(&mut self) -> Result<Option<Page>> {
        let Self { node, purpose, pages } = self;
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
                send(wire, &page.keys, *purpose)?;
            }
            pages[0].keys.iter().map(|_| read(wire, *purpose)).collect::<RedisResult<Vec<_>>>()
        })?;
        let Some(Asked { keys, at: Some(asked) }) = pages.pop_front() else { return Ok(None) };
        let entry = |(key, (value, left))| Entry { key, value, left };
        Ok(Some(Page { entries: keys.into_iter().zip(values).map(entry).collect(), asked }))
    }
}

fn send(wire: &mut Wire, keys: &[Vec<u8>], purpose: Purpose) -> RedisResult<()> {
    let mut pipeline = Pipeline::default();
    let mut last = itoa::Buffer::new();
    let last = last.format(PART - 1).as_bytes();
    for key in keys {
        pipeline.add_words(&[b"GETRANGE", key, b"0", last]);
        if purpose == (Purpose::List { expiry: true }) {
            pipeline.add_words(&[b"PTTL", key]);
        }
    }
    pipeline.send(wire)
}

/// Reads the answers about one key: what was read of it, and how long it has left.
fn read(wire: &mut Wire, purpose: Purpose) -> RedisResult<(Part, Option<i64>)> {
    let value = match bytes(wire.answer()?) {
        Ok(Some(bytes)) if !bytes.is_empty() && bytes.len() < PART => Part::Whole(bytes),
        Ok(_) => Part::Unknown,
        Err(error) if is_wrong_type(&error) => Part::WrongType,
        Err(error) if is_elsewhere(&error) => Part::Unknown,
        Err(error) => return Err(error),
    };
    let left = match purpose {
        Purpose::List { expiry: true } => left(&wire.answer()?)?,
        _ => None,
    };
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
