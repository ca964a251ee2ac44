//! The values of keys of one master.

use std::collections::VecDeque;
use std::sync::Arc;

use beakerhelpers_core::Result;

use super::page::{Page, Part, Read, Way};
use crate::node::Node;
use crate::place::Address;
use crate::server::Server;

/// So many pages the server has to work on, while somebody else has the processor that would read them: some
/// milliseconds' worth.
const AHEAD: usize = 2;
/// After so many short values many are asked for by one command, which takes the server half of the time. `SCAN` gives
/// keys in an order that has nothing to do with their values: that several of a command are large is as good as
/// impossible then, and a single one the application reads as a whole, too.
const EVIDENCE: usize = 512;

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

/// Asks for values, and reads them.
pub(super) struct Values {
    node: Node,
    purpose: Purpose,
    /// What is to be read, page by page.
    pages: VecDeque<Page>,
    /// So many of them, the last ones, the server has not been asked for.
    unsent: usize,
    /// Whether the server may be asked for many values in one command.
    may_group: bool,
    /// So many values in a row were short.
    short: usize,
}

impl Values {
    pub(super) fn open(server: &Arc<Server>, address: &Address, purpose: Purpose) -> Result<Self> {
        let node = Node::open(server, address)?;
        // In a cluster each key may be elsewhere, and the client that encrypts has all of an answer in memory.
        let may_group =
            purpose != (Purpose::List { expiry: true }) && !server.place.is_cluster && server.place.tls.is_none();
        Ok(Self { node, purpose, pages: VecDeque::new(), unsent: 0, may_group, short: 0 })
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
            Purpose::List { expiry: true } => Way::WithExpiry,
            _ if self.may_group && self.short >= EVIDENCE => Way::Together,
            _ => Way::Single,
        };
        self.pages.push_back(Page { keys, way });
        self.unsent += 1;
    }

    /// The values of the first page that was asked for. `None`: there is none.
    pub(super) fn next(&mut self) -> Result<Option<Vec<Entry>>> {
        let Self { node, pages, unsent, .. } = self;
        let Some(first) = pages.front() else { return Ok(None) };
        let Read { values, long, refused } = node.run(|wire| {
            // A connection that is made anew after this will have been asked for nothing.
            let sent = pages.len() - std::mem::replace(unsent, pages.len());
            pages.range(sent..).try_for_each(|page| page.send(wire))?;
            first.read(wire)
        })?;
        *unsent = 0;
        self.may_group &= !refused;
        self.short = if long { 0 } else { self.short.saturating_add(values.len()) };
        let keys = pages.pop_front().map(|page| page.keys).unwrap_or_default();
        let entry = |(key, (value, left))| Entry { key, value, left };
        Ok(Some(keys.into_iter().zip(values).map(entry).collect()))
    }
}
