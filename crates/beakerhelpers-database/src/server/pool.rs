//! Connections that are kept for the next call.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use super::client::{Client, Settings};
use crate::failure::Failure;

/// A connection that was idle for longer is asked whether it is still there.
const IDLE: Duration = Duration::from_secs(5);

/// What the pool hands out: a connection, or a place for one. The pool would open it in a thread of its own, try it again
/// and again until its timeout, which locks an account whose password is wrong, and lose the reason.
#[derive(Debug)]
pub(crate) struct Pooled<C>(Option<Open<C>>);

#[derive(Debug)]
struct Open<C> {
    client: C,
    used: Instant,
}

impl<C: Client> Pooled<C> {
    /// The connection that there is, made now where there was none, or where it was lost while nobody used it; or why
    /// there is none. Making it is tried once.
    pub(crate) fn client(&mut self, target: &C::Target, settings: Settings) -> Result<&mut C, Failure> {
        self.0.take_if(|open| open.client.is_broken() || (open.used.elapsed() > IDLE && open.client.ping().is_err()));
        let open = match self.0.take() {
            Some(open) => open,
            None => Open { client: C::connect(target, settings)?, used: Instant::now() },
        };
        Ok(&mut self.0.insert(open).client)
    }
}

/// Makes places for connections.
pub(crate) struct Manager<C>(PhantomData<fn() -> C>);

impl<C> Default for Manager<C> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<C: Client> r2d2::ManageConnection for Manager<C> {
    type Connection = Pooled<C>;
    type Error = Infallible;

    fn connect(&self) -> Result<Self::Connection, Infallible> {
        Ok(Pooled(None))
    }

    fn is_valid(&self, _: &mut Self::Connection) -> Result<(), Infallible> {
        Ok(())
    }

    /// Whether it is not to be kept.
    fn has_broken(&self, pooled: &mut Self::Connection) -> bool {
        pooled.0.as_mut().is_some_and(|open| {
            open.used = Instant::now();
            open.client.is_broken()
        })
    }
}
