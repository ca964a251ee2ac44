//! Connections that are kept for the next call.

use std::convert::Infallible;
use std::fmt;
use std::time::{Duration, Instant};

use super::client::{Client, Settings};
use crate::failure::Failure;

/// A connection that was idle for longer is asked whether it is still there.
const IDLE: Duration = Duration::from_secs(5);

/// What the pool hands out. A failure is handed out like a connection: the pool would try it again and again until its
/// timeout, which locks an account whose password is wrong, and lose the reason.
#[derive(Debug)]
pub(crate) enum Pooled<C> {
    Open { client: C, used: Instant },
    Failed(Option<Failure>),
}

/// Makes connections.
pub(crate) struct Manager<C: Client> {
    pub(crate) target: C::Target,
    pub(crate) settings: Settings,
}

impl<C: Client> fmt::Debug for Manager<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Manager({})", self.target)
    }
}

impl<C: Client> r2d2::ManageConnection for Manager<C> {
    type Connection = Pooled<C>;
    type Error = Infallible;

    fn connect(&self) -> Result<Self::Connection, Infallible> {
        Ok(match C::connect(&self.target, self.settings) {
            Ok(client) => Pooled::Open { client, used: Instant::now() },
            Err(failure) => Pooled::Failed(Some(failure)),
        })
    }

    fn is_valid(&self, _: &mut Self::Connection) -> Result<(), Infallible> {
        Ok(())
    }

    fn has_broken(&self, pooled: &mut Self::Connection) -> bool {
        match pooled {
            Pooled::Open { client, used } => {
                *used = Instant::now();
                client.is_broken()
            }
            Pooled::Failed(_) => true,
        }
    }
}

impl<C: Client> Manager<C> {
    /// The connection that there is, made anew where it was lost while nobody used it, or why there is none.
    pub(crate) fn client<'p>(&self, pooled: &'p mut Pooled<C>) -> Result<&'p mut C, Failure> {
        if let Pooled::Open { client, used } = pooled
            && (client.is_broken() || (used.elapsed() > IDLE && client.ping().is_err()))
        {
            *client = C::connect(&self.target, self.settings)?;
        }
        match pooled {
            Pooled::Open { client, used } => {
                *used = Instant::now();
                Ok(client)
            }
            Pooled::Failed(failure) => {
                if let Some(failure) = failure.take() {
                    return Err(failure);
                }
                let client = C::connect(&self.target, self.settings)?;
                *pooled = Pooled::Open { client, used: Instant::now() };
                self.client(pooled)
            }
        }
    }
}
