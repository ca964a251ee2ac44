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
    /// Keys whose values are not asked for yet.
    keys: VecDeque<Vec<u8>>,
    /// What was asked for and not read yet.
    sent: Option<Request>,
    seen: Seen,
    purpose: Purpose,
}

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

/// A page: its values, and the cursor from which on the keys of the next are to be looked for.
struct Request {
    keys: Vec<Vec<u8>>,
    scan: Option<Vec<u8>>,
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
    pub(crate) fn start(server: &Arc<Server>, purpose: Purpose) -> Result<Self> {
        let masters = server.masters().map_err(|error| explain(&error, &server.place))?;
        Ok(Self {
            server: Arc::clone(server),
            masters: masters.into(),
            node: None,
            cursor: Cursor::Done,
            keys: VecDeque::new(),
            sent: None,
            seen: Seen::default(),
            purpose,
        })
    }

    /// The next sessions, so many at most where they are to be deleted, and none where a part of the server has none.
    /// `None` is the end.
    pub(crate) fn page(&mut self, most: usize) -> Result<Option<Vec<Entry>>> {
        let (request, mut sent) = match self.sent.take() {
            Some(request) => (request, true),
            None => match self.request(most)? {
                Some(request) => (request, false),
                None => return Ok(None),
            },
        };
        let purpose = self.purpose;
        let node = self.node.as_mut().expect("there is one until the end");
        let (values, scanned, next) = node.run(|connection| {
            // A connection that was made anew has been asked for nothing.
            if !std::mem::take(&mut sent) {
                request.send(connection, purpose)?;
            }
            let scanned = request.scan.as_ref().map(|_| scanned(connection.recv_response()?)).transpose()?;
            let (scanned, next) = match (scanned, purpose) {
                (Some((cursor, keys)), Purpose::List { .. }) => (None, Request::new(keys, cursor)),
                (scanned, _) => (scanned, None),
            };
            if let Some(next) = &next {
                next.send(connection, purpose)?;
            }
            Ok((request.read(connection, purpose)?, scanned, next))
        })?;
        self.sent = next;
        if let Some((cursor, keys)) = scanned {
            self.cursor = cursor;
            self.keys.extend(keys);
        } else if request.scan.is_some() {
            // What is left of this master was asked for.
            self.cursor = Cursor::Done;
        }
        let read = request.keys.into_iter().zip(values).filter(|(key, _)| self.seen.is_new(key));
        Ok(Some(read.map(|(key, (value, left))| Entry { key, value, left }).collect()))
    }

    /// What to ask for next, where nothing was asked for: of the next master, where this one has no more.
    fn request(&mut self, most: usize) -> Result<Option<Request>> {
        if self.keys.is_empty() && self.cursor == Cursor::Done {
            let Some(address) = self.masters.pop_front() else { return Ok(None) };
            self.node = Some(Node::open(&self.server, &address)?);
            self.cursor = Cursor::At(b"0".to_vec());
        }
        let keys: Vec<_> = self.keys.drain(..most.min(self.keys.len())).collect();
        let scan = match &self.cursor {
            Cursor::At(cursor) if self.keys.is_empty() => Some(cursor.clone()),
            _ => None,
        };
        Ok(Some(Request { keys, scan }))
    }

    /// The whole value of a key, wherever it is; `None` where it is not there any more. `Corrupt` where it is no string, or too large.
    pub(crate) fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let length = self.server.run(cmd("STRLEN").arg(key), Twice::Same)?;
        if number(&length).is_ok_and(|length| length > LARGEST) {
            return Err(Error::corrupt("what a key of a session holds is larger than any session"));
        }
        let answer = self.server.run(cmd("GET").arg(key), Twice::Same)?;
        bytes(answer).map_err(|error| explain(&error, &self.server.place))
    }

    /// Runs commands, each about one key, on the master that gave the last page, and gives their answers. Where the key is
    /// elsewhere by now, or the server has forgotten a script, it runs what `anew` gives for this number instead. Where the
    /// key holds no string any more, the answer is what the server says of that.
    pub(crate) fn run_all(&mut self, commands: &[Cmd], anew: impl Fn(usize) -> Cmd) -> Result<Vec<Value>> {
        let mut pipeline = Pipeline::default();
        for command in commands {
            pipeline.add(command);
        }
        let node = self.node.as_mut().expect("a page was read");
        let mut answers = node.run(|connection| pipeline.run(connection))?;
        for (n, answer) in answers.iter_mut().enumerate() {
            if let Some(error) = refusal(answer).filter(|error| !is_wrong_type(error)) {
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

impl Request {
    /// `None` where there is nothing left to ask for.
    fn new(keys: Vec<Vec<u8>>, cursor: Cursor) -> Option<Self> {
        let scan = match cursor {
            Cursor::At(cursor) => Some(cursor),
            Cursor::Done => None,
        };
        (scan.is_some() || !keys.is_empty()).then_some(Self { keys, scan })
    }

    /// Sends the commands. `SCAN` is the first, since its answer is needed first.
    fn send(&self, connection: &mut Connection, purpose: Purpose) -> RedisResult<()> {
        let mut pipeline = Pipeline::default();
        if let Some(cursor) = &self.scan {
            pipeline.add(cmd("SCAN").arg(cursor).arg("MATCH").arg(PATTERN).arg("COUNT").arg(COUNT));
        }
        for key in &self.keys {
            pipeline.add(cmd("GETRANGE").arg(key).arg(0).arg(PART - 1));
            if purpose == (Purpose::List { expiry: true }) {
                pipeline.add(cmd("PTTL").arg(key));
            }
        }
        pipeline.send(connection)
    }

    /// Reads the answers about the keys.
    fn read(&self, connection: &mut Connection, purpose: Purpose) -> RedisResult<Vec<Read>> {
        let mut values = Vec::with_capacity(self.keys.len());
        for _ in &self.keys {
            let value = match bytes(connection.recv_response()?) {
                Ok(Some(bytes)) if !bytes.is_empty() && bytes.len() < PART => Part::Whole(bytes),
                Ok(_) => Part::Unknown,
                Err(error) if is_wrong_type(&error) => Part::WrongType,
                Err(error) if is_elsewhere(&error) => Part::Unknown,
                Err(error) => return Err(error),
            };
            let left = match purpose {
                Purpose::List { expiry: true } => left(&connection.recv_response()?)?,
                _ => None,
            };
            values.push((value, left));
        }
        Ok(values)
    }
}

/// What was read of a key, and how long it has left.
type Read = (Part, Option<i64>);
/// Where to go on, and the keys until there.
type Scanned = (Cursor, Vec<Vec<u8>>);

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
