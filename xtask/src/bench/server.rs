//! Sessions on a server, which is started for them with what Debian's packages set and more memory.

mod mariadb;
mod postgres;

use std::path::Path;
use std::process::{Command, Stdio};

use beakerhelpers_testkit::Server;
use beakerhelpers_testkit::servers::{Durability, Kind, User, Via};

use super::backend::{Backend, Database, Set};
use super::data::Folder;
use super::machine;
use super::measure;
use super::size::Size;
use super::sqlite::Sqlite;
use super::tools::Tools;
use crate::run::{Result, output, say};
use crate::servers;

/// A server with databases for sessions.
#[derive(Debug)]
pub(crate) struct OnServer<'f> {
    folder: &'f Folder,
    dialect: &'static dyn Dialect,
    server: Server,
}

/// What each kind of server has of its own.
trait Dialect: std::fmt::Debug {
    fn database(&self) -> Database;

    fn kind(&self) -> Kind;

    /// What SQLAlchemy calls the driver.
    fn scheme(&self) -> &'static str;

    /// The argument of the client before a statement.
    fn statement(&self) -> &'static str;

    /// What was set, as the server itself says it: one row, the version first.
    fn facts(&self) -> &'static str;

    fn create(&self, name: &str) -> String;

    /// Makes a database with the sessions of another one.
    fn copy(&self, from: &str, to: &str) -> Vec<String>;

    fn drop(&self, name: &str) -> String;

    /// After loading: what the server would do by itself sooner or later.
    fn loaded(&self) -> &'static str;

    /// Waits until it has nothing left to write.
    fn settle(&self, server: &Server) -> Result;

    /// Arguments of the client, and a statement: the least that a listing can cost.
    fn floor(&self) -> (&'static [&'static str], &'static str);
}

impl<'f> OnServer<'f> {
    /// Starts one, for a kind of database that needs it.
    pub(crate) fn start(folder: &'f Folder, database: Database) -> Result<Option<Self>> {
        let dialect: &dyn Dialect = match database {
            Database::Sqlite | Database::Files => return Ok(None),
            Database::Postgresql => &postgres::Postgres,
            Database::Mariadb => &mariadb::MariaDb,
        };
        let started = servers::start(&[dialect.kind()], Durability::Default)?;
        let server = started.into_iter().next().ok_or_else(|| format!("{} did not start", database.name()))?;
        if machine::is_memory(server.home()) {
            say(&format!("warning: the data of {} are on a tmpfs: no disk is measured", database.name()));
        }
        Ok(Some(Self { folder, dialect, server }))
    }

    /// Its version, and what of its settings matters here.
    pub(crate) fn facts(&self) -> Result<String> {
        let said = ask(&self.server, self.dialect, None, self.dialect.facts())?;
        let mut facts = said.trim().split('\t');
        let version = facts.next().unwrap_or_default();
        let disk = machine::disk(self.server.home());
        Ok(format!("{version}; {}; its data on {disk}", facts.collect::<Vec<_>>().join(", ")))
    }

    fn admin(&self, database: Option<&str>, sql: &str) -> Result<String> {
        ask(&self.server, self.dialect, database, sql)
    }

    fn set(&self, name: String, database: &str) -> Result<Set> {
        let url = self.server.url(self.dialect.scheme(), User::SITE, database, Via::Socket);
        self.folder.set(name, url)
    }

    /// As the site, where all programs run.
    fn site(&self, tools: &Tools, set: &Set) -> Result<Command> {
        let client = self.server.client(User::SITE, Some(&database(&set.name))).map_err(|error| error.to_string())?;
        let mut command = tools.command(Path::new(client.get_program()));
        command.args(client.get_args());
        command.envs(client.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Ok(command)
    }
}

/// What a database is called: the site may use those that begin like this.
fn database(name: &str) -> String {
    format!("t_bench_{name}")
}

/// Runs statements as the administrator, for what they print.
fn ask(server: &Server, dialect: &dyn Dialect, database: Option<&str>, sql: &str) -> Result<String> {
    let mut client = server.client(User::ADMIN, database).map_err(|error| error.to_string())?;
    output(client.stdin(Stdio::null()).arg(dialect.statement()).arg(sql))
}

impl Backend for OnServer<'_> {
    fn database(&self) -> Database {
        self.dialect.database()
    }

    fn title(&self) -> String {
        self.database().name().to_owned()
    }

    fn short(&self) -> String {
        self.title()
    }

    fn load(&self, tools: &Tools, size: Size) -> Result<Set> {
        let name = database(&size.to_string());
        let file = Sqlite::file(self.folder, size)?;
        let set = self.set(size.to_string(), &name)?;
        say(&format!("loading {size} sessions into {}", self.title()));
        for sql in [self.dialect.drop(&name), self.dialect.create(&name)] {
            self.admin(None, &sql)?;
        }
        output(tools.python("xtask/bench/load.py").arg(file).arg(&set.url))?;
        self.admin(Some(&name), self.dialect.loaded())?;
        Ok(set)
    }

    fn copy(&self, _tools: &Tools, set: &Set) -> Result<Set> {
        let name = database("copy");
        // One that failed may have left it.
        self.admin(None, &self.dialect.drop(&name))?;
        for sql in self.dialect.copy(&database(&set.name), &name) {
            self.admin(None, &sql)?;
        }
        self.set("copy".to_owned(), &name)
    }

    fn remove(&self, copy: Set) -> Result {
        self.admin(None, &self.dialect.drop(&database(&copy.name))).map(drop)
    }

    fn settle(&self) -> Result {
        self.dialect.settle(&self.server)?;
        measure::settle()
    }

    fn client(&self, tools: &Tools, set: &Set, sql: &str) -> Result<Command> {
        let mut client = self.site(tools, set)?;
        client.arg(self.dialect.statement()).arg(sql);
        Ok(client)
    }

    fn floor(&self, tools: &Tools, set: &Set) -> Result<Command> {
        let (options, sql) = self.dialect.floor();
        let mut client = self.site(tools, set)?;
        client.args(options).arg(self.dialect.statement()).arg(sql);
        Ok(client)
    }
}
