//! All sessions of a store, a page at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use beakerhelpers_core::{Error, Result};
use redis::{Cmd, Connection, RedisError, RedisResult, Value, cmd};

use crate::failure::{Trouble, explain, trouble};
use crate::keys::PATTERN;
use crate::node::Node;
use crate::pipeline::{Pipeline, bytes, is_elsewhere, is_wrong_type, number, refusal, unexpected};
use crate::place::Address;
use crate::seen::Seen;
use crate::server::{Server, Twice};

/// So many keys the server looks at in one `SCAN`: a fraction of a millisecond.
const COUNT: usize = 512;
/// So many bytes of each value are read with the others of its page, which is nearly always the whole value.
const PART: usize = 16 << 10;
/// What is larger is not read: Redis itself would take half a gigabyte.
const LARGEST: i64 = 64 << 20;

/// The sessions of all masters, one master after another. `SCAN` gives each key that is there all the time once at
/// least, whatever happens meanwhile, and keeps nothing on the server.
pub(crate) struct Walk {
    server: Arc<Server>,
    masters: VecDeque<Address>,
    node: Option<Node>,
    cursor: Cursor,
    /// Keys whose values are not read yet.
    keys: VecDeque<Vec<u8>>,
    seen: Seen,
    with_expiry: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Cursor {
    At(Vec<u8>),
    Done,
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
    /// It is empty, or not there any more, or longer than what is read at once: [`Walk::value`] tells.
    Unknown,
    /// It is no string.
    WrongType,
}

impl Walk {
    /// Asks for the masters, and connects to none yet.
    pub(crate) fn start(server: &Arc<Server>, with_expiry: bool) -> Result<Self> {
        let masters = server.masters().map_err(|error| explain(&error, &server.place))?;
        Ok(Self {
            server: Arc::clone(server),
            masters: masters.into(),
            node: None,
            cursor: Cursor::Done,
            keys: VecDeque::new(),
            seen: Seen::default(),
            with_expiry,
        })
    }

    /// The next sessions, so many at most, and none where a part of the server has none. `None` is the end.
    pub(crate) fn page(&mut self, most: usize) -> Result<Option<Vec<Entry>>> {
        if self.keys.is_empty() && self.cursor == Cursor::Done {
            let Some(address) = self.masters.pop_front() else { return Ok(None) };
            self.node = Some(Node::open(&self.server, &address)?);
            self.cursor = Cursor::At(b"0".to_vec());
        }
        let page: Vec<_> = self.keys.iter().take(most).cloned().collect();
        // While the server is at it.
        let scan = match &self.cursor {
            Cursor::At(cursor) if self.keys.len() <= page.len() => Some(scan(cursor)),
            _ => None,
        };
        let mut pipeline = Pipeline::default();
        for key in &page {
            pipeline.add(cmd("GETRANGE").arg(key).arg(0).arg(PART - 1));
            if self.with_expiry {
                pipeline.add(cmd("PTTL").arg(key));
            }
        }
        if let Some(scan) = &scan {
            pipeline.add(scan);
        }
        let with_expiry = self.with_expiry;
        let node = self.node.as_mut().expect("there is one until the end");
        let (entries, scanned) =
            node.run(|connection| read(&pipeline, connection, &page, with_expiry, scan.is_some()))?;
        self.keys.drain(..page.len());
        if let Some((cursor, keys)) = scanned {
            self.cursor = cursor;
            self.keys.extend(keys.into_iter().filter(|key| self.seen.is_new(key)));
        }
        Ok(Some(entries))
    }

    /// The whole value of a key; `None` where it is not there any more, or is no string.
    pub(crate) fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        value(&self.server, key)
    }

    /// Runs commands, each about one key, on the master that gave the last page, and gives their answers. Where the key is
    /// elsewhere by now, or the server has forgotten a script, it runs what `anew` gives for this number instead.
    pub(crate) fn run_all(&mut self, commands: &[Cmd], anew: impl Fn(usize) -> Cmd) -> Result<Vec<Value>> {
        let mut pipeline = Pipeline::default();
        for command in commands {
            pipeline.add(command);
        }
        let node = self.node.as_mut().expect("a page was read");
        let mut answers = node.run(|connection| pipeline.run(connection))?;
        for (n, answer) in answers.iter_mut().enumerate() {
            if let Some(error) = refusal(answer) {
                let is_elsewhere = self.server.place.is_cluster && is_elsewhere(&error);
                if !is_elsewhere && error.kind() != redis::ServerErrorKind::NoScript.into() {
                    return Err(explain(&error, &self.server.place));
                }
                *answer = self.server.run(&anew(n), Twice::Same)?;
            }
        }
        Ok(answers)
    }

    /// Deletes a key of the master that gave the last page if it still holds what was judged: 1; -1: it holds something
    /// else; 0: there is none. `None`: nothing was done, because this user may not, or because it is elsewhere.
    pub(crate) fn delete_watched(&mut self, key: &[u8], judged: &[u8]) -> Result<Option<i64>> {
        let node = self.node.as_mut().expect("a page was read");
        node.run(|connection| delete_watched(connection, key, judged))
    }
}

/// Compares here and deletes in a transaction, which the server does not do if somebody touches the key in between.
fn delete_watched(connection: &mut Connection, key: &[u8], judged: &[u8]) -> RedisResult<Option<i64>> {
    let mut look = Pipeline::default();
    look.add(cmd("WATCH").arg(key));
    look.add(cmd("GET").arg(key));
    let [watched, found] = exactly(look.run(connection)?)?;
    if refusal(&watched).is_some() || refusal(&found).is_some() {
        return Ok(None);
    }
    let found = bytes(found)?;
    if found.as_deref() != Some(judged) {
        cmd("UNWATCH").query::<Value>(connection)?;
        return Ok(Some(if found.is_some() { -1 } else { 0 }));
    }
    // Alone: outside of a transaction the next command would delete at once.
    match cmd("MULTI").query::<Value>(connection) {
        Ok(_) => {}
        Err(error) if trouble(&error) == Trouble::Final => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut delete = Pipeline::default();
    delete.add(cmd("DEL").arg(key));
    delete.add(&cmd("EXEC"));
    let [_queued, done] = exactly(delete.run(connection)?)?;
    match done {
        // Somebody touched it.
        Value::Nil => Ok(Some(-1)),
        Value::Array(answers) => answers.first().map_or_else(|| Err(unexpected()), number).map(Some),
        _ => Err(refusal(&done).unwrap_or_else(unexpected)),
    }
}

fn exactly<const N: usize>(answers: Vec<Value>) -> RedisResult<[Value; N]> {
    answers.try_into().map_err(|_| unexpected())
}

/// The whole value of a key, wherever it is.
fn value(server: &Server, key: &[u8]) -> Result<Option<Vec<u8>>> {
    let length = server.run(cmd("STRLEN").arg(key), Twice::Same)?;
    if number(&length).is_ok_and(|length| length > LARGEST) {
        return Err(Error::corrupt("what a key of a session holds is larger than any session"));
    }
    let answer = server.run(cmd("GET").arg(key), Twice::Same)?;
    bytes(answer).map_err(|error| explain(&error, &server.place))
}

fn scan(cursor: &[u8]) -> Cmd {
    let mut scan = cmd("SCAN");
    scan.arg(cursor).arg("MATCH").arg(PATTERN).arg("COUNT").arg(COUNT);
    scan
}

type Scanned = (Cursor, Vec<Vec<u8>>);

fn read(
    pipeline: &Pipeline,
    connection: &mut Connection,
    page: &[Vec<u8>],
    with_expiry: bool,
    scans: bool,
) -> RedisResult<(Vec<Entry>, Option<Scanned>)> {
    let mut answers = pipeline.run(connection)?.into_iter();
    let mut next = || answers.next().ok_or_else(unexpected);
    let mut entries = Vec::with_capacity(page.len());
    for key in page {
        let value = match bytes(next()?) {
            Ok(Some(bytes)) if !bytes.is_empty() && bytes.len() < PART => Part::Whole(bytes),
            Ok(_) => Part::Unknown,
            Err(error) if is_wrong_type(&error) => Part::WrongType,
            Err(error) if is_elsewhere(&error) => Part::Unknown,
            Err(error) => return Err(error),
        };
        let left = if with_expiry { left(&next()?)? } else { None };
        entries.push(Entry { key: key.clone(), value, left });
    }
    let scanned = if scans { Some(scanned(next()?)?) } else { None };
    Ok((entries, scanned))
}

/// What `PTTL` says; of a key that is elsewhere it says nothing.
fn left(answer: &Value) -> RedisResult<Option<i64>> {
    match number(answer) {
        Ok(left) => Ok(Some(left)),
        Err(error) if is_elsewhere(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn scanned(answer: Value) -> RedisResult<Scanned> {
    if let Some(error) = refusal(&answer) {
        return Err(error);
    }
    let parts: Result<[Value; 2], RedisError> = match answer {
        Value::Array(parts) => parts.try_into().map_err(|_| unexpected()),
        _ => Err(unexpected()),
    };
    let [cursor, Value::Array(keys)] = parts? else { return Err(unexpected()) };
    let cursor = bytes(cursor)?.ok_or_else(unexpected)?;
    let keys = keys.into_iter().map(|key| bytes(key)?.ok_or_else(unexpected)).collect::<RedisResult<_>>()?;
    Ok((if cursor == b"0" { Cursor::Done } else { Cursor::At(cursor) }, keys))
}
