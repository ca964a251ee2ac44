//! All sessions of a store, a page at a time.

mod scan;
mod values;

use std::collections::VecDeque;
use std::sync::Arc;

use beakerhelpers_core::{Error, Result};
use redis::{Cmd, Value, cmd};

use self::scan::Scan;
use self::values::Values;
pub(crate) use self::values::{Entry, Page, Part, Purpose};
use crate::failure::{explain, restarted};
use crate::pipeline::{Pipeline, bytes, is_elsewhere, is_wrong_type, number, refusal};
use crate::place::Address;
use crate::seen::Seen;
use crate::server::{Server, Twice};
use crate::watched;

/// What is larger is not read: Redis itself would take half a gigabyte.
const LARGEST: i64 = 64 << 20;

/// The sessions of all masters, one master after another.
pub(crate) struct Walk {
    server: Arc<Server>,
    masters: VecDeque<Address>,
    master: Option<Master>,
    purpose: Purpose,
    /// Of all masters: a key may move from one to the next meanwhile.
    seen: Seen,
}

/// Keys come on one connection and their values on another, so that there is always something for the server to do.
struct Master {
    scan: Scan,
    /// Keys whose values are not asked for yet.
    keys: VecDeque<Vec<u8>>,
    values: Values,
}

impl Walk {
    /// Asks for the masters, and connects to none yet.
    pub(crate) fn start(server: &Arc<Server>, purpose: Purpose) -> Result<Self> {
        let masters = server.masters().map_err(|error| explain(&error, &server.place))?;
        Ok(Self { server: Arc::clone(server), masters: masters.into(), master: None, purpose, seen: Seen::default() })
    }

    /// The next sessions, so many at most where they are to be deleted, and none where a part of the server has none.
    /// `None` is the end.
    pub(crate) fn page(&mut self, most: usize) -> Result<Option<Page>> {
        loop {
            let master = match &mut self.master {
                Some(master) => master,
                none => {
                    let Some(address) = self.masters.pop_front() else { return Ok(None) };
                    none.insert(Master::open(&self.server, &address, self.purpose)?)
                }
            };
            if let Some(page) = master.page(most, &mut self.seen)? {
                return Ok(Some(page));
            }
            self.master = None;
        }
    }

    /// The whole value of a key, wherever it is; `None` where it is not there any more. `Corrupt` where it is no string,
    /// or too large.
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
        let mut answers = self.values().node().run(|wire| pipeline.run(wire))?;
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
        self.values().node().run(|wire| watched::delete(wire, key, judged))
    }

    fn values(&mut self) -> &mut Values {
        &mut self.master.as_mut().expect("it gave a page").values
    }
}

impl Master {
    fn open(server: &Arc<Server>, address: &Address, purpose: Purpose) -> Result<Self> {
        let (scan, mut values) = (Scan::open(server, address)?, Values::open(server, address, purpose)?);
        // A name that leads to several servers would give the keys of one and the values of another.
        if !scan.node().is_same_server(values.node()) {
            return Err(restarted(&server.place));
        }
        Ok(Self { scan, keys: VecDeque::new(), values })
    }

    /// `None` is the end of this master.
    fn page(&mut self, most: usize, seen: &mut Seen) -> Result<Option<Page>> {
        while self.values.wants_more() {
            if self.keys.is_empty() {
                match self.scan.next(seen)? {
                    Some(keys) => self.keys.extend(keys),
                    None => break,
                }
            }
            let keys = self.keys.drain(..most.min(self.keys.len())).collect();
            self.values.ask(keys);
        }
        self.values.next()
    }
}
