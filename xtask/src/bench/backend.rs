//! The databases that sessions are in.

use std::path::PathBuf;
use std::process::Command;

use clap::ValueEnum;

use super::size::Size;
use super::tools::Tools;
use crate::run::{Result, output};

/// When the sessions end that are to go, as Beaker's column has it, and in seconds since the epoch: `data_set.py` says so.
pub(crate) const CUTOFF: (&str, u64) = ("2024-01-28 00:00:00.000000", 1_706_400_000);

/// A kind of database, or files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Database {
    Sqlite,
    Postgresql,
    Mariadb,
    /// Files, as Beaker's type `file` keeps them
    Files,
}

impl Database {
    pub(crate) const ALL: [Self; 4] = [Self::Sqlite, Self::Postgresql, Self::Mariadb, Self::Files];

    /// What people call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgresql => "PostgreSQL",
            Self::Mariadb => "MariaDB",
            Self::Files => "files",
        }
    }

    /// How its own client deletes the old ones.
    pub(crate) const fn deletion(self) -> &'static str {
        match self {
            Self::Files => "`-delete`",
            Self::Sqlite | Self::Postgresql | Self::Mariadb => "one DELETE",
        }
    }

    /// Its own client.
    pub(crate) const fn client(self) -> &'static str {
        match self {
            Self::Sqlite => "`sqlite3`",
            Self::Postgresql => "`psql`",
            Self::Mariadb => "`mariadb`",
            Self::Files => "`find`",
        }
    }
}

/// A table of sessions: Beaker's default one in a database of its own.
#[derive(Debug)]
pub(crate) struct Set {
    /// What the database is called.
    pub(crate) name: String,
    /// The configuration that names it.
    pub(crate) ini: PathBuf,
    /// Where it is, as SQLAlchemy takes it.
    pub(crate) url: String,
}

/// A database that holds sessions, and what its own client makes of them.
pub(crate) trait Backend {
    /// Its kind.
    fn database(&self) -> Database;

    /// What it is called beside others of its kind.
    fn title(&self) -> String;

    /// The same, short, among targets.
    fn short(&self) -> String;

    /// So many sessions, to be read only. What takes long is done once, where it can be kept.
    fn load(&self, tools: &Tools, size: Size) -> Result<Set>;

    /// A copy that may be changed, made as the table itself was. There is one at a time.
    fn copy(&self, tools: &Tools, set: &Set) -> Result<Set>;

    /// Removes a copy.
    fn remove(&self, copy: Set) -> Result;

    /// Waits until all that was written is where it stays, so that no run pays for what another one left behind.
    fn settle(&self) -> Result;

    /// The database's own client with a statement, waiting for whoever is in its way.
    fn client(&self, tools: &Tools, set: &Set, sql: &str) -> Result<Command>;

    /// The least that a listing can cost.
    fn floor(&self, tools: &Tools, set: &Set) -> Result<Command>;

    /// Python's way: a command, the place and what that needs follow.
    fn original(&self, tools: &Tools) -> Command {
        tools.original()
    }

    /// How many sessions there are.
    fn count(&self, tools: &Tools, set: &Set) -> Result<u64> {
        let count = output(&mut self.client(tools, set, "select count(*) from beaker_cache")?)?;
        count.trim().parse().map_err(|error| format!("{count:?} is no number of sessions: {error}"))
    }

    /// Deletes the old ones in one statement.
    fn delete(&self, tools: &Tools, set: &Set) -> Result<Command> {
        let (cutoff, _) = CUTOFF;
        self.client(tools, set, &format!("delete from beaker_cache where accessed < '{cutoff}'"))
    }
}
