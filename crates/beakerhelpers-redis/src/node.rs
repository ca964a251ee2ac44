//! One master, all of whose sessions are read.

use std::sync::Arc;

use beakerhelpers_core::Result;
use redis::{ConnectionInfo, RedisError, RedisResult, cmd, from_redis_value};

use crate::connection::info;
use crate::failure::{ABSENCE, Backoff, Trouble, explain, restarted, trouble};
use crate::place::Address;
use crate::server::Server;
use crate::wire::Wire;

/// A connection to one master, which is made anew where it breaks.
pub(crate) struct Node {
    server: Arc<Server>,
    info: ConnectionInfo,
    wire: Option<Wire>,
    /// What the server calls this run of itself; `None` where it does not tell this user.
    run: Option<String>,
}

impl Node {
    pub(crate) fn open(server: &Arc<Server>, address: &Address) -> Result<Self> {
        let explained = |error: RedisError| explain(&error, &server.place);
        let info = info(&server.place, address).map_err(explained)?;
        let mut node = Self { server: Arc::clone(server), info, wire: None, run: None };
        let mut backoff = Backoff::start(server.wait);
        loop {
            let connected = node.connect();
            match connected {
                Ok((wire, run)) => {
                    (node.wire, node.run) = (Some(wire), run);
                    return Ok(node);
                }
                Err(error) if trouble(&error) == Trouble::NotYet && backoff.wait() => {}
                Err(error) => return Err(explained(error)),
            }
        }
    }

    /// Does something that can be done twice, and does it again on a new connection where this one breaks or the server
    /// loads. What is done may leave answers to be read by the next, but not where it fails.
    ///
    /// A server that was started anew is another one: it counts its keys in another order, so that nothing that was
    /// begun can be gone on with.
    pub(crate) fn run<T>(&mut self, mut work: impl FnMut(&mut Wire) -> RedisResult<T>) -> Result<T> {
        let mut backoff = Backoff::start(ABSENCE);
        loop {
            let error = match self.attempt(&mut work)? {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            // Answers may be on their way that nobody reads.
            self.wire = None;
            if trouble(&error) == Trouble::Final || !backoff.wait() {
                return Err(explain(&error, &self.server.place));
            }
        }
    }

    /// The outer error is a final one.
    fn attempt<T>(&mut self, work: &mut impl FnMut(&mut Wire) -> RedisResult<T>) -> Result<RedisResult<T>> {
        if self.wire.is_none() {
            let (wire, run) = match self.connect() {
                Ok(connected) => connected,
                Err(error) => return Ok(Err(error)),
            };
            if run.is_none() || run != self.run {
                return Err(restarted(&self.server.place));
            }
            self.wire = Some(wire);
        }
        let wire = self.wire.as_mut().expect("it was just made");
        Ok(work(wire))
    }

    /// Whether both lead to the same server, as far as it tells.
    pub(crate) fn is_same_server(&self, other: &Self) -> bool {
        self.run.is_none() || other.run.is_none() || self.run == other.run
    }

    fn connect(&self) -> RedisResult<(Wire, Option<String>)> {
        let mut wire = Wire::open(&self.info, self.server.wait)?;
        let told: RedisResult<String> =
            wire.ask(cmd("INFO").arg("server")).and_then(|told| Ok(from_redis_value(told)?));
        let run = match told {
            Ok(told) => {
                let line = told.lines().find_map(|line| line.strip_prefix("run_id:"));
                line.map(|id| id.trim().to_owned())
            }
            // It may not ask.
            Err(error) if trouble(&error) == Trouble::Final => None,
            Err(error) => return Err(error),
        };
        Ok((wire, run))
    }
}
