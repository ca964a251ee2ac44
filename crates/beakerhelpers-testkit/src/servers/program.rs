//! What a kind of server has to say for itself.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::Signal;

use super::account::{Account, forget_settings};
use super::process::run_with_input;
use super::{Certificates, Durability, User, Via};

/// Where a server is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The folder of its data, of which nobody else has a say.
    pub(super) data: PathBuf,
    /// The folder of its unix sockets.
    pub(super) sockets: PathBuf,
    /// The port on 127.0.0.1.
    pub(super) port: u16,
    /// Another one: Redis takes encrypted connections there, and a node of its cluster the other nodes.
    pub(super) other_port: u16,
    pub(super) certificates: Certificates,
}

/// A kind of server. How it is started, stopped and cleaned up is the same for all.
pub(super) trait Program: Sync {
    /// What folders are called after it.
    fn slug(&self) -> &'static str;

    /// The variable that tells tests about the one that is shared.
    fn variable(&self) -> &'static str;

    /// The version that is installed. The error says what is missing.
    fn version(&self) -> io::Result<String>;

    /// All that decides what [`initialise`](Self::initialise) makes, besides the version.
    fn recipe(&self) -> String;

    /// Makes a data folder with the [users](User) in it.
    fn initialise(&self, data: &Path, account: &Account) -> io::Result<()>;

    /// Makes the data folder of a replica, of another server's data or of the template that it began with.
    fn copy_for_replica(&self, primary: &Place, template: &Path, data: &Path, account: &Account) -> io::Result<()> {
        let _ = (primary, template, data, account);
        Err(lacks("replicas"))
    }

    /// The statements that make a new server with such a folder a replica; none where its data say it.
    fn become_replica(&self, primary: &Place) -> String {
        let _ = primary;
        String::new()
    }

    /// The command that is the server.
    fn server(&self, place: &Place, durability: Durability, account: &Account) -> io::Result<Command>;

    /// Ends it in good order, whoever is connected.
    fn stop_signal(&self) -> Signal;

    /// Ends it at once, without leaving anything in the system; its data will be thrown away.
    fn abandon_signal(&self) -> Signal;

    /// Whether it answers by now. The error says what it lacks.
    fn answers(&self, place: &Place) -> io::Result<()> {
        if !self.socket(place).exists() {
            return Err(io::Error::other("no socket"));
        }
        run_client(self.client(place, User::ADMIN, None), "SELECT 1;").map(drop)
    }

    /// The file of its unix socket.
    fn socket(&self, place: &Place) -> PathBuf;

    /// Its own client, which reads statements from the standard input and prints rows: fields that tabs separate.
    fn client(&self, place: &Place, user: User, database: Option<&str>) -> io::Result<Command>;

    /// A URL as SQLAlchemy takes it, without the scheme.
    fn address(&self, place: &Place, user: User, database: &str, via: Via) -> String;

    /// Makes an empty database for [`User::SITE`], and gives its name.
    fn create_database(&self, place: &Place) -> io::Result<String>;

    /// Removes a database, though somebody is connected.
    fn drop_database(&self, place: &Place, name: &str) -> io::Result<()>;
}

/// Runs statements with a server's own client, and gives what it prints.
pub(super) fn run_client(client: io::Result<Command>, statements: &str) -> io::Result<String> {
    let mut client = client?;
    forget_settings(&mut client);
    run_with_input(&mut client, statements)
}

/// A name of a database that nobody else has.
pub(super) fn new_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("t_{}_{number}", std::process::id())
}

/// What a kind of server does not do.
pub(super) fn lacks(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("the testkit has no {what} of this kind of server"))
}

/// The first folder that has the program: those given, then those of the PATH, then those of root's PATH.
pub(super) fn find(program: &str, folders: &[PathBuf]) -> io::Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin"].map(PathBuf::from);
    let all = folders.iter().cloned().chain(env::split_paths(&path)).chain(system);
    let found = all.map(|folder| folder.join(program)).find(|file| file.is_file());
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("`{program}` is not installed")))
}
