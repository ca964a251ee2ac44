//! Redis, by itself and as a node of a cluster.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::account::Account;
use super::process::run;
use super::program::{Place, Program, find, run_client};
use super::url::encoded;
use super::{Durability, User, Via};

/// The program and what it is called when it is the server. Debian has it in the package `redis-tools`, which starts no
/// server of the system's, under the name of a check; it goes by the name that it is called by.
const PROGRAMS: [&str; 2] = ["redis-server", "redis-check-rdb"];

/// How many databases there are: each test takes another one.
const DATABASES: u32 = 4096;

/// Where the number of the last database that was given stands, in the first.
const TAKEN: &str = "beakerhelpers:databases";

/// What survives a crash of the server, and not of the machine.
const SMALL: [&str; 8] =
    ["--save", "", "--appendonly", "yes", "--appendfsync", "no", "--auto-aof-rewrite-percentage", "0"];

/// Runs by itself.
pub(super) struct Redis;
/// A node of a cluster.
pub(super) struct Node {
    /// Its port is for encrypted connections, from other nodes too.
    pub(super) encrypted: bool,
}

impl Program for Redis {
    fn slug(&self) -> &'static str {
        "redis"
    }

    fn variable(&self) -> &'static str {
        "BEAKERHELPERS_TEST_REDIS"
    }

    fn version(&self) -> io::Result<String> {
        find("redis-cli", &[])?;
        let version = run(Command::new(program()?).arg0(PROGRAMS[0]).arg("--version"))?;
        Ok(version.trim().to_owned())
    }

    fn recipe(&self) -> String {
        users()
    }

    fn initialise(&self, data: &Path, account: &Account) -> io::Result<()> {
        fs::create_dir(data)?;
        fs::write(configuration(data), users())?;
        account.give_alone(data)?;
        account.give(&configuration(data))
    }

    fn server(&self, place: &Place, durability: Durability, account: &Account) -> io::Result<Command> {
        let mut command = server(place, &self.socket(place), durability, account)?;
        command.args(["--databases", &DATABASES.to_string(), "--port", &place.port.to_string()]);
        encrypt(&mut command, place, place.other_port);
        Ok(command)
    }

    fn stop_signal(&self) -> Signal {
        Signal::TERM
    }

    fn abandon_signal(&self) -> Signal {
        Signal::KILL
    }

    fn socket(&self, place: &Place) -> PathBuf {
        place.sockets.join("redis.sock")
    }

    fn client(&self, place: &Place, user: User, database: Option<&str>) -> io::Result<Command> {
        let mut command = Command::new(find("redis-cli", &[])?);
        // Without `-e` a command that fails is none that failed.
        command.args(["-e", "--no-auth-warning", "--user", user.name, "-s"]).arg(self.socket(place));
        command.env("REDISCLI_AUTH", user.password);
        if let Some(database) = database {
            command.args(["-n", database]);
        }
        Ok(command)
    }

    fn address(&self, place: &Place, user: User, database: &str, via: Via) -> String {
        let (name, password) = (user.name, encoded(user.password));
        match via {
            Via::Tcp => format!("://{name}:{password}@127.0.0.1:{}/{database}", place.port),
            Via::Socket => format!("://{name}:{password}@{}?db={database}", self.socket(place).display()),
        }
    }

    fn answers(&self, place: &Place) -> io::Result<()> {
        // A client that reaches nobody says so and ends as if all were well.
        let answer = run_client(self.client(place, User::ADMIN, None), "PING\n")?;
        if answer.trim() == "PONG" { Ok(()) } else { Err(io::Error::other(answer)) }
    }

    fn create_database(&self, place: &Place) -> io::Result<String> {
        let taken = run_client(self.client(place, User::ADMIN, None), &format!("INCR {TAKEN}\n"))?;
        let number: u32 = taken.trim().parse().map_err(|_| io::Error::other("Redis counts in no numbers"))?;
        // The first is where they are counted.
        let database = (number % (DATABASES - 1) + 1).to_string();
        self.drop_database(place, &database)?;
        Ok(database)
    }

    fn drop_database(&self, place: &Place, name: &str) -> io::Result<()> {
        run_client(self.client(place, User::ADMIN, Some(name)), "FLUSHDB ASYNC\n").map(drop)
    }
}

impl Program for Node {
    fn slug(&self) -> &'static str {
        if self.encrypted { "redis-tls-node" } else { "redis-node" }
    }

    fn variable(&self) -> &'static str {
        Redis.variable()
    }

    fn version(&self) -> io::Result<String> {
        Redis.version()
    }

    fn recipe(&self) -> String {
        Redis.recipe()
    }

    fn initialise(&self, data: &Path, account: &Account) -> io::Result<()> {
        Redis.initialise(data, account)
    }

    fn server(&self, place: &Place, durability: Durability, account: &Account) -> io::Result<Command> {
        let mut command = server(place, &self.socket(place), durability, account)?;
        command.args(["--cluster-enabled", "yes", "--cluster-node-timeout", "5000"]);
        command.args(["--cluster-port", &place.other_port.to_string()]);
        if self.encrypted {
            command.args(["--port", "0", "--tls-cluster", "yes"]);
            encrypt(&mut command, place, place.port);
        } else {
            command.args(["--port", &place.port.to_string()]);
        }
        Ok(command)
    }

    fn stop_signal(&self) -> Signal {
        Redis.stop_signal()
    }

    fn abandon_signal(&self) -> Signal {
        Redis.abandon_signal()
    }

    fn socket(&self, place: &Place) -> PathBuf {
        Redis.socket(place)
    }

    fn client(&self, place: &Place, user: User, database: Option<&str>) -> io::Result<Command> {
        Redis.client(place, user, database)
    }

    fn address(&self, place: &Place, user: User, database: &str, via: Via) -> String {
        Redis.address(place, user, database, via)
    }

    fn answers(&self, place: &Place) -> io::Result<()> {
        Redis.answers(place)
    }

    fn create_database(&self, _place: &Place) -> io::Result<String> {
        Err(super::program::lacks("databases"))
    }

    fn drop_database(&self, _place: &Place, _name: &str) -> io::Result<()> {
        Err(super::program::lacks("databases"))
    }
}

/// The command that both kinds share.
fn server(place: &Place, socket: &Path, durability: Durability, account: &Account) -> io::Result<Command> {
    let data = &place.data;
    let mut command = account.command(program()?);
    command.arg0(PROGRAMS[0]).arg(configuration(data)).arg("--dir").arg(data);
    // Its command line names its folder as long as it does not write another one over it.
    command.args(["--set-proc-title", "no", "--bind", "127.0.0.1"]);
    command.arg("--unixsocket").arg(socket);
    if durability == Durability::None {
        command.args(SMALL);
    }
    Ok(command)
}

/// Has it take encrypted connections on a port.
fn encrypt(command: &mut Command, place: &Place, port: u16) {
    let certificates = &place.certificates;
    command.args(["--tls-port", &port.to_string(), "--tls-auth-clients", "no"]);
    command.arg("--tls-ca-cert-file").arg(certificates.authority());
    command.arg("--tls-cert-file").arg(certificates.certificate()).arg("--tls-key-file").arg(certificates.key());
}

fn program() -> io::Result<PathBuf> {
    let found = PROGRAMS.into_iter().find_map(|name| find(name, &[]).ok());
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("`{}` is not installed", PROGRAMS[0])))
}

fn configuration(data: &Path) -> PathBuf {
    data.join("redis.conf")
}

/// Makes the users: lines of the configuration. Whoever gives no name is the application.
fn users() -> String {
    let user = |name: &str, password: &str, rights: &str| format!("user {name} on \">{password}\" {rights}\n");
    let site = "~* &* +@all -@admin -@dangerous +info +keys";
    [
        user("default", User::SITE.password, site),
        user(User::ADMIN.name, User::ADMIN.password, "~* &* +@all"),
        user(User::SITE.name, User::SITE.password, site),
        user(User::READER.name, User::READER.password, "~* +@read +@connection +cluster|slots"),
        user(User::STRANGER.name, User::STRANGER.password, "-@all +@connection"),
    ]
    .concat()
}
