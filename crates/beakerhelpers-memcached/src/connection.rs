//! One connection to a server, and the commands of memcached's text protocol that sessions need.

mod stream;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::time::Duration;

use beakerhelpers_core::{Error, ErrorKind, escape_controls};

use self::stream::Stream;
use crate::address::Address;
use crate::key::Key;
use crate::value::Item;

/// No line of an answer is longer: a key is 250 bytes, each of which may be escaped to three.
const LONGEST_LINE: u64 = 4096;

/// So many bytes may be in all items of an answer together. Servers take items of 1 MiB by default, and of 1 GiB at most.
const LONGEST_ANSWER: u64 = 256 << 20;

/// So many items are asked for before any answer is read: a server that cannot answer does not listen either, so that
/// both would wait for each other.
const AT_ONCE: usize = 100;

/// Why a command came to nothing.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The connection is of no use any more.
    Io(io::Error),
    /// The server says no, or something that is no answer.
    Refused(Error),
    /// The server is at work on a listing, its own or somebody's.
    Busy,
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

type Result<T> = std::result::Result<T, Fault>;

/// What came of deleting an item that was to be as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    Deleted,
    Changed,
    Missing,
}

pub(crate) struct Connection {
    stream: BufReader<Stream>,
    /// Whether the server can read an item without noting that it was read; `None` before it was asked.
    reads_unnoticed: Option<bool>,
}

impl Connection {
    /// Connects. Neither this nor the next bytes of an answer are waited for longer than `wait`, once the name is
    /// resolved.
    pub(crate) fn open(address: &Address, wait: Duration) -> io::Result<Self> {
        Ok(Self { stream: BufReader::new(Stream::open(address, wait)?), reads_unnoticed: None })
    }

    /// Reads items, in the order of the keys. Where the server can do so (memcached 1.6), reading leaves the order alone
    /// in which it drops items that have no room.
    pub(crate) fn get(&mut self, keys: &[&Key]) -> Result<Vec<Option<Item>>> {
        let Some(first) = keys.first() else { return Ok(Vec::new()) };
        let unnoticed = if let Some(known) = self.reads_unnoticed {
            known
        } else {
            self.send(&[b"mg ", first.bytes(), b" u\r\n"])?;
            let answer = self.line()?;
            *self.reads_unnoticed.insert(answer == b"EN" || answer == b"HD")
        };
        let (mut items, mut left) = (Vec::with_capacity(keys.len()), LONGEST_ANSWER);
        for keys in keys.chunks(AT_ONCE) {
            if unnoticed {
                self.get_unnoticed(keys, &mut items, &mut left)?;
            } else {
                self.get_noticed(keys, &mut items, &mut left)?;
            }
        }
        Ok(items)
    }

    fn get_unnoticed(&mut self, keys: &[&Key], items: &mut Vec<Option<Item>>, left: &mut u64) -> Result<()> {
        let mut request = Vec::new();
        for key in keys {
            request.extend_from_slice(b"mg ");
            request.extend_from_slice(key.bytes());
            request.extend_from_slice(b" u f c v\r\n");
        }
        self.send(&[&request])?;
        for _ in keys {
            let line = self.line()?;
            if line == b"EN" {
                items.push(None);
                continue;
            }
            let mut words = words(&line);
            let (true, Some(len)) = (words.next() == Some("VA"), words.next().and_then(|len| len.parse().ok())) else {
                return Err(refused(&line));
            };
            let (mut flags, mut cas) = (0, 0);
            for word in words {
                if let Some(value) = word.strip_prefix('f') {
                    flags = value.parse().map_err(|_| refused(&line))?;
                } else if let Some(value) = word.strip_prefix('c') {
                    cas = value.parse().map_err(|_| refused(&line))?;
                }
            }
            items.push(Some(Item { flags, cas, bytes: self.data(len, left)? }));
        }
        Ok(())
    }

    fn get_noticed(&mut self, keys: &[&Key], items: &mut Vec<Option<Item>>, left: &mut u64) -> Result<()> {
        let mut request = b"gets".to_vec();
        for key in keys {
            request.push(b' ');
            request.extend_from_slice(key.bytes());
        }
        request.extend_from_slice(b"\r\n");
        self.send(&[&request])?;
        // What is there comes in the order of the keys.
        let mut rest = keys.iter();
        loop {
            let line = self.line()?;
            if line == b"END" {
                items.extend(rest.map(|_| None));
                return Ok(());
            }
            let mut parts = line.split(|byte| *byte == b' ');
            let (Some(b"VALUE"), Some(key)) = (parts.next(), parts.next()) else { return Err(refused(&line)) };
            let mut number = || parts.next().and_then(|part| std::str::from_utf8(part).ok()?.parse::<u64>().ok());
            let (Some(flags), Some(len), Some(cas)) = (number(), number(), number()) else {
                return Err(refused(&line));
            };
            loop {
                match rest.next() {
                    None => return Err(refused(&line)),
                    Some(expected) if expected.bytes() == key => break,
                    Some(_) => items.push(None),
                }
            }
            let flags = u32::try_from(flags).map_err(|_| refused(&line))?;
            items.push(Some(Item { flags, cas, bytes: self.data(len, left)? }));
        }
    }

    /// Saves an item: `set`, or `add`, which tells `false` where the key is taken. `expires` is a time as memcached takes
    /// it, 0 for never.
    pub(crate) fn store(&mut self, command: &str, key: &Key, flags: u32, expires: i32, bytes: &[u8]) -> Result<bool> {
        let rest = format!(" {flags} {expires} {}\r\n", bytes.len());
        self.send(&[command.as_bytes(), b" ", key.bytes(), rest.as_bytes(), bytes, b"\r\n"])?;
        let line = self.line()?;
        match &line[..] {
            b"STORED" => Ok(true),
            b"NOT_STORED" => Ok(false),
            _ => Err(refused(&line)),
        }
    }

    /// Deletes an item and tells whether there was one.
    pub(crate) fn delete(&mut self, key: &Key) -> Result<bool> {
        self.send(&[b"delete ", key.bytes(), b"\r\n"])?;
        let line = self.line()?;
        match &line[..] {
            b"DELETED" => Ok(true),
            b"NOT_FOUND" => Ok(false),
            _ => Err(refused(&line)),
        }
    }

    /// Deletes each item that is as it was when it was read. It is replaced, in one step with the comparison, by an empty
    /// one that has expired: every memcached that can compare can do that.
    pub(crate) fn delete_unchanged(&mut self, items: &[(&Key, u64)]) -> Result<Vec<Compared>> {
        let mut request = Vec::new();
        for (key, cas) in items {
            request.extend_from_slice(b"cas ");
            request.extend_from_slice(key.bytes());
            request.extend_from_slice(format!(" 0 -1 0 {cas}\r\n\r\n").as_bytes());
        }
        self.send(&[&request])?;
        let compared = items.iter().map(|_| {
            let line = self.line()?;
            match &line[..] {
                b"STORED" => Ok(Compared::Deleted),
                b"EXISTS" => Ok(Compared::Changed),
                b"NOT_FOUND" => Ok(Compared::Missing),
                _ => Err(refused(&line)),
            }
        });
        compared.collect()
    }

    /// Lists all items: `take` gets each line, `key=… exp=… …`. Nothing else may have been asked before the answer is
    /// here.
    pub(crate) fn dump(&mut self, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> Result<()> {
        self.send(&[b"lru_crawler metadump all\r\n"])?;
        loop {
            let line = self.line()?;
            match &line[..] {
                b"END" => return Ok(()),
                line if line.starts_with(b"key=") => take(line)?,
                line if line.starts_with(b"BUSY") => return Err(Fault::Busy),
                // Before 1.4.31 the command is unknown, and administrators can forbid it.
                line if line.starts_with(b"ERROR") || line.starts_with(b"CLIENT_ERROR") => {
                    let why = String::from_utf8_lossy(line);
                    return Err(Fault::Refused(
                        Error::unsupported(format!("this server does not list its keys: `{}`", escape_controls(&why)))
                            .with_hint(
                                "memcached lists keys by `lru_crawler metadump` alone: 1.4.31 or later, started with \
                         `-o lru_crawler` and without `-X`; sessions can still be shown and deleted by their ids",
                            ),
                    ));
                }
                line => return Err(refused(line)),
            }
        }
    }

    /// The length of the longest item, its key and some 50 bytes more among it; `None` where the server does not tell.
    pub(crate) fn longest_item(&mut self) -> Result<Option<usize>> {
        self.send(&[b"stats settings\r\n"])?;
        let mut longest = None;
        loop {
            let line = self.line()?;
            if line == b"END" {
                return Ok(longest);
            }
            let mut words = words(&line);
            match (words.next(), words.next()) {
                (Some("STAT"), Some("item_size_max")) => longest = words.next().and_then(|size| size.parse().ok()),
                (Some("STAT"), _) => {}
                _ => return Err(refused(&line)),
            }
        }
    }

    /// Waits until the server has done with what was asked before. It answers while it still holds the items of the
    /// answer.
    pub(crate) fn settle(&mut self) -> Result<()> {
        self.send(&[b"version\r\n"])?;
        let line = self.line()?;
        if line.starts_with(b"VERSION") { Ok(()) } else { Err(refused(&line)) }
    }

    fn send(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        let stream = self.stream.get_mut();
        // One packet where it is small.
        let request = parts.concat();
        stream.write_all(&request)
    }

    /// A line without its end.
    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        (&mut self.stream).take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            let cut =
                if line.len() as u64 + 1 >= LONGEST_LINE { "an answer is too long" } else { "an answer ends early" };
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, cut));
        }
        line.pop_if(|last| *last == b'\r');
        Ok(line)
    }

    /// So many bytes, and the end of their line. Memory is taken as they come, within what is left.
    fn data(&mut self, len: u64, left: &mut u64) -> Result<Vec<u8>> {
        if let Some(rest) = left.checked_sub(len) {
            *left = rest;
            let mut bytes = Vec::new();
            (&mut self.stream).take(len).read_to_end(&mut bytes)?;
            let mut end = [0; 2];
            self.stream.read_exact(&mut end)?;
            if &end == b"\r\n" && bytes.len() as u64 == len {
                return Ok(bytes);
            }
        }
        Err(Fault::Io(io::Error::new(io::ErrorKind::InvalidData, "an item is not as long as announced, or too long")))
    }
}

/// An answer that is none. Of what servers say only errors are shown: other answers have keys in them.
fn refused(line: &[u8]) -> Fault {
    let text = String::from_utf8_lossy(line);
    let said = ["SERVER_ERROR", "CLIENT_ERROR", "ERROR"].iter().any(|error| text.starts_with(error));
    let error = match () {
        () if text.contains("object too large") => too_large(),
        () if text.contains("out of memory") => {
            Error::new(ErrorKind::Unavailable, "memcached has no memory left for this session")
                .with_hint("give it more with `-m`")
        }
        () if text.contains("unauthenticated") => Error::new(
            ErrorKind::PermissionDenied,
            "memcached wants to know who this is, which Beaker cannot tell it either",
        ),
        () if said => Error::new(ErrorKind::Other, "memcached refuses").with_context("answer", escape_controls(&text)),
        () => Error::new(ErrorKind::Other, "what answers does not speak as memcached does"),
    };
    Fault::Refused(error)
}

pub(crate) fn too_large() -> Error {
    Error::unsupported("the session is longer than the longest item that this memcached takes: it was not saved")
        .with_hint("start memcached with a larger `-I`; python-memcached itself saves nothing above 1 MiB")
}

fn words(line: &[u8]) -> std::str::SplitWhitespace<'_> {
    std::str::from_utf8(line).unwrap_or_default().split_whitespace()
}
