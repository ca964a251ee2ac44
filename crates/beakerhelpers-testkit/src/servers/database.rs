//! A database of a test.

use super::{Server, User, Via};

/// An empty database that a test has for itself. Dropping this drops it, whoever is connected.
#[derive(Debug)]
pub struct Database<'s> {
    server: &'s Server,
    name: String,
}

impl<'s> Database<'s> {
    pub(super) const fn new(server: &'s Server, name: String) -> Self {
        Self { server, name }
    }

    /// Its name, which needs no quotes; Redis has numbers.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server that it is on.
    pub const fn server(&self) -> &'s Server {
        self.server
    }

    /// Its URL for [`User::SITE`] over TCP, with any scheme of SQLAlchemy's, without a query.
    pub fn url(&self, scheme: &str) -> String {
        self.url_for(scheme, User::SITE, Via::Tcp)
    }

    /// Its URL for somebody: see [`Server::url`].
    pub fn url_for(&self, scheme: &str, user: User, via: Via) -> String {
        self.server.url(scheme, user, &self.name, via)
    }

    /// Runs statements in it as [`User::ADMIN`]: see [`Server::run`].
    pub fn run(&self, sql: &str) -> String {
        self.server.run(Some(&self.name), sql)
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        // A server that a test has stopped has nothing to be tidied.
        let _ = self.server.drop_database(&self.name);
    }
}
