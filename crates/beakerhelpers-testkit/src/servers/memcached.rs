//! memcached.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::account::Account;
use super::process::run;
use super::program::{Place, Program, find};
use super::{Durability, User, Via};

/// The memory of all items, which is taken as they come, and the longest item: 1 MiB by default.
const ROOM: [&str; 4] = ["-m", "256", "-I", "16m"];

pub(super) struct Memcached;

impl Program for Memcached {
    fn slug(&self) -> &'static str {
        "memcached"
    }

    fn variable(&self) -> &'static str {
        "BEAKERHELPERS_TEST_MEMCACHED"
    }

    fn version(&self) -> io::Result<String> {
        run(Command::new(find("memcached", &[])?).arg("--version")).map(|version| version.trim().to_owned())
    }

    fn recipe(&self) -> String {
        String::new()
    }

    fn initialise(&self, data: &Path, account: &Account) -> io::Result<()> {
        // It keeps nothing on a disk.
        fs::create_dir(data)?;
        account.give_alone(data)
    }

    fn copy_for_replica(&self, _primary: &Place, _template: &Path, _data: &Path, _account: &Account) -> io::Result<()> {
        Err(lacks("replicas"))
    }

    fn become_replica(&self, _primary: &Place) -> String {
        String::new()
    }

    fn server(&self, place: &Place, _durability: Durability, account: &Account) -> io::Result<Command> {
        let mut command = account.command(find("memcached", &[])?);
        command.args(["-l", "127.0.0.1", "-U", "0", "-p"]).arg(place.port.to_string()).args(ROOM);
        // `clean_up` looks for the folder in the command line.
        command.arg("-P").arg(place.data.join("pid"));
        Ok(command)
    }

    fn stop_signal(&self) -> Signal {
        Signal::TERM
    }

    fn abandon_signal(&self) -> Signal {
        Signal::KILL
    }

    fn answers(&self, place: &Place) -> io::Result<()> {
        let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, place.port))?;
        server.set_read_timeout(Some(Duration::from_secs(5)))?;
        server.write_all(b"version\r\n")?;
        let mut answer = [0; 8];
        server.read_exact(&mut answer)?;
        if &answer == b"VERSION " { Ok(()) } else { Err(io::Error::other("another program answers")) }
    }

    fn socket(&self, place: &Place) -> PathBuf {
        // It listens on a port or on a socket, not on both.
        place.sockets.join("none")
    }

    fn client(&self, _place: &Place, _user: User, _database: Option<&str>) -> io::Result<Command> {
        Err(lacks("a client"))
    }

    fn address(&self, place: &Place, _user: User, _database: &str, _via: Via) -> String {
        format!("127.0.0.1:{}", place.port)
    }

    fn create_database(&self, _place: &Place) -> io::Result<String> {
        Err(lacks("databases"))
    }

    fn drop_database(&self, _place: &Place, _name: &str) -> io::Result<()> {
        Err(lacks("databases"))
    }
}

fn lacks(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("memcached has not got {what}"))
}
