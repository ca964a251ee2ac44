//! One master, all of whose sessions are read.

use std::sync::Arc;
use std::time::Duration;

use beakerhelpers_core::Result;
use redis::{Connection, ConnectionInfo, RedisError, RedisResult, cmd};

use crate::connection::{connect, info};
use crate::failure::{ABSENCE, Backoff, Trouble, explain, restarted, trouble};
use crate::place::Address;
use crate::server::Server;

/// A connection to one master, which is made anew where it breaks.
pub(crate) struct Node {
    server: Arc<Server>,
    info: ConnectionInfo,
    connection: Option<Connection>,
    /// What the server calls this run of itself; `None` where it does not tell this user.
    run: Option<String>,
}

impl Node {
    pub(crate) fn open(server: &Arc<Server>, address: &Address) -> Result<Self> {
        let explained = |error: RedisError| explain(&error, &server.place);
        let info = info(&server.place, address).map_err(explained)?;
        let mut node = Self { server: Arc::clone(server), info, connection: None, run: None };
        let mut backoff = Backoff::start(server.wait);
        loop {
            let connected = node.connect();
            match connected {
                Ok((connection, run)) => {
                    (node.connection, node.run) = (Some(connection), run);
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
    pub(crate) fn run<T>(&mut self, mut work: impl FnMut(&mut Connection) -> RedisResult<T>) -> Result<T> {
        let mut backoff = Backoff::start(ABSENCE);
        loop {
            let error = match self.attempt(&mut work)? {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            // Answers may be on their way that nobody reads.
            self.connection = None;
            if trouble(&error) == Trouble::Final || !backoff.wait() {
                return Err(explain(&error, &self.server.place));
            }
        }
    }

    /// The outer error is a final one.
    fn attempt<T>(&mut self, work: &mut impl FnMut(&mut Connection) -> RedisResult<T>) -> Result<RedisResult<T>> {
        if self.connection.is_none() {
            let (connection, run) = match self.connect() {
                Ok(connected) => connected,
                Err(error) => return Ok(Err(error)),
            };
            if run.is_none() || run != self.run {
                return Err(restarted(&self.server.place));
            }
            self.connection = Some(connection);
        }
        let connection = self.connection.as_mut().expect("it was just made");
        Ok(work(connection))
    }

    fn connect(&self) -> RedisResult<(Connection, Option<String>)> {
        let wait: Duration = self.server.wait;
        let mut connection = connect(&self.info, wait)?;
        let told: RedisResult<String> = cmd("INFO").arg("server").query(&mut connection);
        let run = match told {
            Ok(told) => {
                let line = told.lines().find_map(|line| line.strip_prefix("run_id:"));
                line.map(|id| id.trim().to_owned())
            }
            // It may not ask.
            Err(error) if trouble(&error) == Trouble::Final => None,
            Err(error) => return Err(error),
        };
        Ok((connection, run))
    }
}
