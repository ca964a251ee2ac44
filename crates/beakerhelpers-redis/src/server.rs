//! The server, or the cluster, as a whole: commands that concern one session.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use beakerhelpers_core::{Result, StoreConfig};
use redis::cluster::ClusterConnection;
use redis::{Cmd, ConnectionLike, RedisResult, Value, cmd};

use crate::cluster;
use crate::connection::{check, info};
use crate::failure::{ABSENCE, Backoff, Trouble, explain, trouble};
use crate::place::{Address, Place};
use crate::wire::Wire;

/// A connection that rested for longer is asked whether it is still there.
const FRESH: Duration = Duration::from_secs(1);
/// So many connections wait for their next command; more are closed.
const IDLE: usize = 16;

/// The place, and connections to it.
pub(crate) struct Server {
    pub(crate) place: Place,
    /// How long to wait for a connection, and for each answer.
    pub(crate) wait: Duration,
    idle: Mutex<Vec<(Instant, Link)>>,
    /// Whether it has answered before.
    was_there: AtomicBool,
}

enum Link {
    One(Box<Wire>),
    All(Box<ClusterConnection>),
}

/// What a command does where it is run twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twice {
    /// The same as once.
    Same,
    /// Something else, or its answer is another one.
    Other,
}

impl Server {
    /// Connects to nothing yet.
    pub(crate) fn new(place: Place, config: &StoreConfig) -> Result<Self> {
        check(&place)?;
        // No time at all would mean for ever.
        let wait = config.wait().max(Duration::from_millis(100));
        Ok(Self { place, wait, idle: Mutex::default(), was_there: AtomicBool::new(false) })
    }

    /// Runs a command about one key, wherever that is. It is tried again where that can do no harm: for a while where
    /// the server was there before, and where it says that it comes back.
    pub(crate) fn run(&self, command: &Cmd, twice: Twice) -> Result<Value> {
        let mut backoff = Backoff::start(self.wait.min(ABSENCE));
        loop {
            let connected = self.link();
            let is_connected = connected.is_ok();
            let error = match connected.and_then(|link| self.ask(link, command)) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let again = match trouble(&error) {
                Trouble::Final => false,
                Trouble::NotYet => true,
                Trouble::Gone => self.was_there.load(Ordering::Relaxed) && (twice == Twice::Same || !is_connected),
            };
            if !again || !backoff.wait() {
                return Err(explain(&error, &self.place));
            }
        }
    }

    /// The connections to give to those who read everything: of a cluster all masters.
    pub(crate) fn masters(&self) -> RedisResult<Vec<Address>> {
        let masters = if self.place.is_cluster { cluster::masters(self)? } else { self.place.addresses.clone() };
        Ok(masters)
    }

    fn ask(&self, mut link: Link, command: &Cmd) -> RedisResult<Value> {
        let answer = match &mut link {
            Link::One(wire) => wire.send(&command.get_packed_command()).and_then(|()| wire.answer()),
            Link::All(connection) => connection.req_command(command),
        };
        // After an error that is not the server's an answer may still come, or a part of one, to whoever asks next.
        let is_whole = match (&link, &answer) {
            (_, Ok(_)) => true,
            (Link::One(_), Err(_)) => false,
            (Link::All(_), Err(error)) => trouble(error) != Trouble::Gone,
        };
        let answer = match answer {
            Ok(Value::ServerError(error)) => Err(error.into()),
            answer => answer,
        };
        if is_whole {
            self.was_there.store(true, Ordering::Relaxed);
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < IDLE {
                idle.push((Instant::now(), link));
            }
        }
        answer
    }

    fn link(&self) -> RedisResult<Link> {
        loop {
            let rested = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some((since, mut link)) = rested else { break };
            if since.elapsed() < FRESH || link.is_there() {
                return Ok(link);
            }
        }
        if self.place.is_cluster {
            return Ok(Link::All(Box::new(cluster::connect_to_all(self)?)));
        }
        let mut last = None;
        for address in &self.place.addresses {
            match info(&self.place, address).and_then(|info| Wire::open(&info, self.wait)) {
                Ok(wire) => return Ok(Link::One(Box::new(wire))),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("a place has an address"))
    }
}

impl Link {
    fn is_there(&mut self) -> bool {
        match self {
            Self::One(wire) => wire.ask(&cmd("PING")).is_ok(),
            Self::All(connection) => connection.check_connection(),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.place.location)
    }
}
