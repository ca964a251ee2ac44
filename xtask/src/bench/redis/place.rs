//! A Redis for sessions to be measured in.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use beakerhelpers_testkit::Server;
use beakerhelpers_testkit::servers::{Durability, Kind, User, Via};
use serde_json::Value as Json;

use crate::bench::backend::Set;
use crate::bench::data::Folder;
use crate::bench::size::Size;
use crate::bench::tools::Tools;
use crate::run::{Result, output, target};
use crate::servers;

const DATABASE: &str = "1";

/// The server, and the files for it.
pub(super) struct Place {
    folder: Folder,
    server: Server,
}

impl Place {
    pub(super) fn start(folder: &Folder) -> Result<Self> {
        let started = servers::start(&[Kind::Redis], Durability::Default)?;
        let server = started.into_iter().next().ok_or("Redis did not start")?;
        let place = Self { folder: folder.clone(), server };
        // A snapshot would be made in the middle of a run, by chance in one of them.
        place.ask(&["CONFIG", "SET", "save", "", "slowlog-log-slower-than", "500", "slowlog-max-len", "10000"])?;
        Ok(place)
    }

    /// The version, and what was set.
    pub(super) fn facts(&self) -> Result<String> {
        let told = self.ask(&["INFO", "server"])?;
        let version = told.lines().find_map(|line| line.trim().strip_prefix("redis_version:").map(str::to_owned));
        let version = version.ok_or("Redis tells no version")?;
        Ok(format!("{version}; as Debian sets it, but without snapshots; over the unix socket"))
    }

    /// Has so many sessions there, and nothing else.
    pub(super) fn load(&self, size: Size) -> Result<Set> {
        let name = format!("redis-{}", size.sessions());
        let path = self.folder.path().to_owned();
        let make = |script: &mut Command| output(script.arg(&path).arg(size.sessions().to_string()));
        self.folder.make_once(&name, &["redis_set.py", "data_set.py"], make)?;
        self.ask(&["FLUSHDB"])?;
        let commands = self.folder.path().join(format!("{name}.commands"));
        let commands = File::open(&commands).map_err(|error| format!("{}: {error}", commands.display()))?;
        let mut client = self.client()?;
        output(client.arg("--pipe").stdin(commands))?;
        if self.count()? != size.sessions() {
            return Err(format!("Redis has {} sessions, not {}", self.count()?, size.sessions()));
        }
        let url = self.server.url("unix", User::SITE, DATABASE, Via::Socket);
        let ini = self.folder.path().join(format!("{name}.ini"));
        let text =
            format!("[app:main]\nbeaker.session.type = ext:redis\nbeaker.session.url = {}\n", url.replace('%', "%%"));
        fs::write(&ini, text).map_err(|error| format!("{}: {error}", ini.display()))?;
        Ok(Set { name, ini, url })
    }

    /// The file with the ids of the young ones.
    pub(super) fn young(&self, size: Size) -> PathBuf {
        self.folder.path().join(format!("redis-{}.young", size.sessions()))
    }

    pub(super) fn count(&self) -> Result<u64> {
        let count = self.ask(&["DBSIZE"])?;
        count.trim().parse().map_err(|error| format!("{count:?} is no number of sessions: {error}"))
    }

    /// The least that a listing can cost.
    pub(super) fn floor(&self, tools: &Tools) -> Command {
        let mut floor = tools.command(&target().join("release/examples/floor"));
        floor.arg(self.server.socket()).args([User::SITE.name, User::SITE.password, DATABASE]);
        floor
    }

    /// Of the commands from here on the longest is asked for.
    pub(super) fn forget_commands(&self) -> Result {
        self.ask(&["SLOWLOG", "RESET"]).map(drop)
    }

    /// How long the longest command took, in milliseconds: half of one at least.
    pub(super) fn longest_command(&self) -> Result<f64> {
        let log = output(self.client()?.arg("--json").args(["SLOWLOG", "GET", "-1"]).stdin(Stdio::null()))?;
        let log: Json = serde_json::from_str(&log).map_err(|error| format!("the slow log: {error}"))?;
        let entries = log.as_array().ok_or("the slow log is no list")?;
        Ok(entries.iter().filter_map(|entry| entry[2].as_f64()).fold(500.0, f64::max) / 1e3)
    }

    pub(super) fn out(&self, name: &str) -> PathBuf {
        self.folder.out(&format!("redis-{name}"))
    }

    fn ask(&self, command: &[&str]) -> Result<String> {
        output(self.client()?.args(command).stdin(Stdio::null()))
    }

    fn client(&self) -> Result<Command> {
        self.server.client(User::ADMIN, Some(DATABASE)).map_err(|error| error.to_string())
    }
}
