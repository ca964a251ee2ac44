//! A server as tests see it.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value as Json, json};

use super::account::forget_settings;
use super::instance::Instance;
use super::program::{Place, Program, run_client};
use super::{Certificates, Database, Durability, Home, Kind, User, Via};
use crate::skip::skip;

/// A database server for tests: the one that all share, or one of one's own.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    home: PathBuf,
    place: Place,
    /// `None`: somebody else's.
    instance: Option<Instance>,
}

impl Server {
    /// The server that `cargo xtask test` has started for all tests. Where there is none it says so on the standard
    /// error, past the test harness, and panics under CI.
    pub fn shared(kind: Kind) -> Option<Self> {
        let variable = kind.program().variable();
        let facts = env::var(variable).map_err(|_| "the environment names none".to_owned());
        let server = facts.and_then(|facts| Self::parse(kind, &facts).ok_or_else(|| format!("{variable} is broken")));
        let skipped = |why| skip(&format!("no {} server: {why} — run `cargo xtask test`", kind.name()));
        server.map_err(skipped).ok()
    }

    /// A new server that nobody else uses, with [`Durability::None`]: to be stopped, killed and loaded. Skips and fails
    /// as [`shared`](Self::shared) does. Starting takes about a second.
    pub fn own(kind: Kind) -> Option<Self> {
        let shared = Self::shared(kind)?;
        let started = Home::open(&shared.home).and_then(|home| home.start(kind, Durability::None));
        Some(started.unwrap_or_else(|error| panic!("{error}")))
    }

    /// Starts a replica, which nobody else uses, of a server with [`Durability::None`]. It follows on its own; how far it
    /// is must be asked. Panics where it does not start.
    #[must_use]
    pub fn replica(&self) -> Self {
        let home = Home::open(&self.home);
        home.and_then(|home| home.start_replica(self.kind, &self.place)).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The folder of its [`Home`].
    pub fn home(&self) -> &Path {
        &self.home
    }

    pub(super) fn started(home: PathBuf, instance: Instance) -> Self {
        Self { kind: instance.kind(), home, place: instance.place().clone(), instance: Some(instance) }
    }

    /// The variable of the environment, and its value, that tells tests about this server.
    pub fn environment(&self) -> (&'static str, String) {
        let Place { data, sockets, port, other_port, certificates } = &self.place;
        let facts = json!({
            "home": self.home,
            "data": data,
            "sockets": sockets,
            "port": port,
            "other_port": other_port,
            "certificates": certificates.folder(),
        });
        (self.program().variable(), facts.to_string())
    }

    fn parse(kind: Kind, facts: &str) -> Option<Self> {
        let facts: Json = serde_json::from_str(facts).ok()?;
        let path = |name: &str| facts[name].as_str().map(PathBuf::from);
        let port = |name: &str| facts[name].as_u64()?.try_into().ok();
        let place = Place {
            data: path("data")?,
            sockets: path("sockets")?,
            port: port("port")?,
            other_port: port("other_port")?,
            certificates: Certificates::at(path("certificates")?),
        };
        Some(Self { kind, home: path("home")?, place, instance: None })
    }

    fn program(&self) -> &'static dyn Program {
        self.kind.program()
    }

    /// What it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The port on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.place.port
    }

    /// The port on 127.0.0.1 where Redis takes encrypted connections. Others take them where they take all.
    pub const fn tls_port(&self) -> u16 {
        self.place.other_port
    }

    /// The file of the unix socket. Its folder holds nothing else.
    pub fn socket(&self) -> PathBuf {
        self.program().socket(&self.place)
    }

    /// The certificates to verify it with.
    pub const fn certificates(&self) -> &Certificates {
        &self.place.certificates
    }

    /// A URL of somebody, [`User::ADMIN`] over the socket only, as SQLAlchemy takes it, with any scheme: `postgresql+psycopg2`, `mysql+pymysql`. It has a query where the
    /// way is [`Via::Socket`], and none where it is [`Via::Tcp`].
    pub fn url(&self, scheme: &str, user: User, database: &str, via: Via) -> String {
        format!("{scheme}{}", self.program().address(&self.place, user, database, via))
    }

    /// An empty database with a name of its own. It is dropped with what is returned.
    pub fn create_database(&self) -> Database<'_> {
        let name = self.program().create_database(&self.place).unwrap_or_else(|error| panic!("{error}"));
        Database::new(self, name)
    }

    pub(super) fn drop_database(&self, name: &str) -> io::Result<()> {
        self.program().drop_database(&self.place, name)
    }

    /// The server's own client, `psql` or `mariadb`, logged in over the unix socket. It reads statements from its
    /// standard input, stops at the first that fails, and prints a line a row, fields separated by tabs.
    ///
    /// # Errors
    ///
    /// It is not installed.
    pub fn client(&self, user: User, database: Option<&str>) -> io::Result<Command> {
        let mut client = self.program().client(&self.place, user, database)?;
        forget_settings(&mut client);
        Ok(client)
    }

    /// Runs statements as [`User::ADMIN`] with the server's own client, in a database or where one is put at first, and
    /// gives what it prints. Panics where one fails.
    pub fn run(&self, database: Option<&str>, sql: &str) -> String {
        run_client(self.client(User::ADMIN, database), sql).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Stops it in good order: connections are closed, data written. Panics where it is not one's own.
    pub fn stop(&self) {
        self.end(self.program().stop_signal());
    }

    /// Kills it, as a crash does. Panics where it is not one's own.
    pub fn kill(&self) {
        self.end(Signal::KILL);
    }

    /// Starts it again, with its data, on the same port, and waits until it answers. Panics where it is not one's own,
    /// and where it does not start.
    pub fn start(&self) {
        self.instance().start().unwrap_or_else(|error| panic!("{error}"));
    }

    /// Its log. Panics where it is not one's own.
    pub fn log(&self) -> String {
        read(&self.instance().log())
    }

    fn end(&self, signal: Signal) {
        self.instance().end(signal).unwrap_or_else(|error| panic!("{}: {error}", self.kind.name()));
    }

    fn instance(&self) -> &Instance {
        self.instance.as_ref().expect("a server that others use, too, is not to be stopped: start your own")
    }
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

/// Gives the [`Server`](crate::Server) of this kind that all tests share, or ends the test where there is none: it
/// prints `skipped:` and how to get one. Under CI that is a failure.
#[macro_export]
macro_rules! server {
    ($kind:expr) => {
        match $crate::Server::shared($kind) {
            Some(server) => server,
            None => return,
        }
    };
}

/// Gives a new [`Server`](crate::Server) of this kind to the test alone, or ends the test as [`server!`](crate::server)
/// does.
#[macro_export]
macro_rules! own_server {
    ($kind:expr) => {
        match $crate::Server::own($kind) {
            Some(server) => server,
            None => return,
        }
    };
}
