//! One server of a site.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use beakerhelpers_core::{Error, ErrorKind, Result, StoreConfig};

use crate::address::Address;
use crate::connection::{Compared, Connection, Fault, too_large};
use crate::key::Key;
use crate::listing::{Keys, Spool};
use crate::value::Item;

/// Where longer ones are saved, the server is asked first for how long they may be: it would throw the old item away
/// with the new one. No server's limit is lower by default.
const SURELY_TAKEN: usize = 500_000;
/// What an item takes beside key and data: 60 bytes on any machine, and some more for large ones.
const AROUND: usize = 512;
/// How long to wait before a server that lists for somebody else is asked again.
const PATIENCE: Duration = Duration::from_millis(5);
/// How long to wait before a server is asked for its list again: what it left out because it was in use is likely free
/// then.
const BREATH: Duration = Duration::from_millis(5);

pub(crate) struct Server {
    address: Address,
    /// Where the configuration names it.
    origin: String,
    wait: Duration,
    /// Connections that nobody uses now.
    idle: Mutex<Vec<Connection>>,
}

impl Server {
    pub(crate) fn new(address: Address, config: &StoreConfig) -> Self {
        Self { address, origin: config.origin("url"), wait: config.wait(), idle: Mutex::default() }
    }

    pub(crate) const fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn get(&self, keys: &[&Key]) -> Result<Vec<Option<Item>>> {
        self.ask(|connection| connection.get(keys))
    }

    pub(crate) fn get_one(&self, key: &Key) -> Result<Option<Item>> {
        Ok(self.get(&[key])?.pop().flatten())
    }

    /// Saves an item, whatever was there.
    pub(crate) fn set(&self, key: &Key, flags: u32, expires: i32, bytes: &[u8]) -> Result<()> {
        self.make_sure_of_room(bytes)?;
        self.ask(|connection| connection.store("set", key, flags, expires, bytes)).map(drop)
    }

    /// Saves an item unless there is one, and tells whether it did.
    pub(crate) fn add(&self, key: &Key, flags: u32, expires: i32, bytes: &[u8]) -> Result<bool> {
        self.make_sure_of_room(bytes)?;
        self.ask(|connection| connection.store("add", key, flags, expires, bytes))
    }

    fn make_sure_of_room(&self, bytes: &[u8]) -> Result<()> {
        if bytes.len() > SURELY_TAKEN {
            let longest = self.ask(Connection::longest_item)?;
            if longest.is_some_and(|longest| bytes.len() + AROUND > longest) {
                return Err(too_large());
            }
        }
        Ok(())
    }

    pub(crate) fn delete(&self, key: &Key) -> Result<bool> {
        self.ask(|connection| connection.delete(key))
    }

    /// A connection for what must be asked of one and the same server process.
    pub(crate) fn pin(&self) -> Result<Pinned<'_>> {
        let connection = Connection::open(&self.address, self.wait).map_err(|error| self.unreachable(error))?;
        Ok(Pinned { server: self, connection })
    }

    /// Lists the keys of all sessions.
    pub(crate) fn keys(&self) -> Result<Keys> {
        // What is in use at the moment is left out: that must not be by this program.
        let mut idle = std::mem::take(&mut *self.idle());
        idle.retain_mut(|connection| connection.settle().is_ok());
        self.idle().append(&mut idle);
        let mut spool = Spool::default();
        loop {
            self.list(&mut spool)?;
            if spool.is_done() {
                return Ok(spool.finish()?);
            }
            thread::sleep(BREATH);
        }
    }

    fn list(&self, spool: &mut Spool) -> Result<()> {
        let began = Instant::now();
        loop {
            // A connection of its own: while a server lists, it listens to nothing else there.
            let mut connection = Connection::open(&self.address, self.wait).map_err(|error| self.unreachable(error))?;
            match connection.dump(|line| spool.take(line)) {
                Ok(()) => return Ok(()),
                Err(Fault::Busy) if began.elapsed() < self.wait => thread::sleep(PATIENCE),
                Err(fault) => return Err(self.explain(fault)),
            }
        }
    }

    /// Asks on a connection that is open, or a new one. A server may have closed an open one long ago: it is asked again.
    fn ask<T>(&self, mut question: impl FnMut(&mut Connection) -> Result<T, Fault>) -> Result<T> {
        let idle = self.idle().pop();
        if let Some(mut connection) = idle {
            match question(&mut connection) {
                Err(Fault::Io(_)) => self.idle().clear(),
                answer => return self.answered(connection, answer),
            }
        }
        let mut connection = Connection::open(&self.address, self.wait).map_err(|error| self.unreachable(error))?;
        let answer = question(&mut connection);
        self.answered(connection, answer)
    }

    /// Keeps a connection for the next time, unless it may have an answer left.
    fn answered<T>(&self, connection: Connection, answer: Result<T, Fault>) -> Result<T> {
        if answer.is_ok() {
            self.idle().push(connection);
        }
        answer.map_err(|fault| self.explain(fault))
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // Connections are put in and taken out whole.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn explain(&self, fault: Fault) -> Error {
        match fault {
            Fault::Io(error) => self.unreachable(error),
            Fault::Refused(error) => self.named(error),
            Fault::Busy => {
                let busy = "memcached is busy listing its keys for somebody else";
                self.named(Error::new(ErrorKind::Unavailable, busy))
                    .with_hint("try again later, or wait longer with `--wait`")
            }
        }
    }

    /// An error that says which server it is about.
    fn named(&self, error: Error) -> Error {
        error.with_context("at", self.origin.as_str()).with_context("server", self.address.to_string())
    }

    fn unreachable(&self, error: std::io::Error) -> Error {
        use std::io::ErrorKind as Io;
        let hint = match error.kind() {
            Io::UnexpectedEof | Io::ConnectionReset => {
                "is it a memcached, and without `-S`? Such a one does not speak the text protocol"
            }
            _ => "start memcached, or correct `url`",
        };
        let kind =
            if error.kind() == Io::PermissionDenied { ErrorKind::PermissionDenied } else { ErrorKind::Unavailable };
        self.named(Error::new(kind, "cannot talk to memcached")).with_source(error).with_hint(hint)
    }
}

/// One connection. A server that starts again counts the changes of items from 1 again: what was read before must not be
/// compared after that, and a connection that broke is no proof of anything.
pub(crate) struct Pinned<'s> {
    server: &'s Server,
    connection: Connection,
}

impl Pinned<'_> {
    /// Makes sure that there is a connection, another one if need be: nothing that was read before counts from here on.
    pub(crate) fn renew(&mut self) -> Result<()> {
        if self.connection.settle().is_err() {
            self.connection = self.server.pin()?.connection;
        }
        Ok(())
    }

    pub(crate) fn get(&mut self, keys: &[&Key]) -> Result<Vec<Option<Item>>> {
        self.connection.get(keys).map_err(|fault| self.server.explain(fault))
    }

    /// Deletes each item that is as it was when it was read.
    pub(crate) fn delete_unchanged(&mut self, items: &[(&Key, u64)]) -> Result<Vec<Compared>> {
        self.connection.delete_unchanged(items).map_err(|fault| self.server.explain(fault))
    }

    /// Where a server keeps no count of changes, every item has the number 0.
    pub(crate) fn cannot_compare(&self) -> Error {
        let what =
            "this memcached cannot tell whether a session has changed since it was read: nothing is deleted by age";
        self.server.named(Error::unsupported(what)).with_hint("start it without `-C`")
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.address)
    }
}
