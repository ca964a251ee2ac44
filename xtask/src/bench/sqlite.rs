//! Sessions in SQLite's files.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::backend::{Backend, Database, Set};
use super::data::Folder;
use super::measure;
use super::size::Size;
use super::tools::Tools;
use crate::run::{Result, output, say};

const FLOOR: &str = "select namespace, accessed, created, data from beaker_cache order by accessed";
/// What SQLite may have beside a file.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Files that keep a commit whole in one of SQLite's ways.
#[derive(Debug)]
pub(crate) struct Sqlite<'f> {
    folder: &'f Folder,
    mode: &'static str,
}

impl<'f> Sqlite<'f> {
    /// As Beaker makes it.
    pub(crate) const fn new(folder: &'f Folder) -> Self {
        Self { folder, mode: "delete" }
    }

    /// One for each journal mode.
    pub(crate) fn modes(folder: &'f Folder) -> [Self; 2] {
        ["delete", "wal"].map(|mode| Self { folder, mode })
    }

    /// The file of these sessions, made unless it is there.
    pub(crate) fn file(folder: &Folder, size: Size) -> Result<PathBuf> {
        let file = folder.path().join(format!("{size}.db"));
        folder.make_once(&size.to_string(), &["data_set.py"], |script| {
            say(&format!("making {size} sessions"));
            remove(&file)?;
            output(script.arg(&file).arg(size.sessions().to_string()))
        })?;
        Ok(file)
    }

    fn path(&self, set: &Set) -> PathBuf {
        self.folder.path().join(format!("{}.db", set.name))
    }

    fn set(&self, name: String) -> Result<Set> {
        let file = self.folder.path().join(format!("{name}.db"));
        self.folder.set(name, format!("sqlite:///{}", file.display()))
    }
}

impl Backend for Sqlite<'_> {
    fn database(&self) -> Database {
        Database::Sqlite
    }

    fn title(&self) -> String {
        format!("SQLite, journal mode `{}`", self.mode)
    }

    fn short(&self) -> String {
        format!("`{}`", self.mode)
    }

    fn load(&self, _tools: &Tools, size: Size) -> Result<Set> {
        Self::file(self.folder, size)?;
        self.set(size.to_string())
    }

    fn copy(&self, tools: &Tools, set: &Set) -> Result<Set> {
        let copy = self.set("copy".to_owned())?;
        let file = self.path(&copy);
        remove(&file)?;
        let copied = fs::copy(self.path(set), &file).and_then(|_| File::open(&file)?.sync_all());
        copied.map_err(|error| format!("{}: {error}", file.display()))?;
        output(&mut self.client(tools, &copy, &format!("pragma journal_mode = {}", self.mode))?)?;
        Ok(copy)
    }

    fn remove(&self, copy: Set) -> Result {
        remove(&self.path(&copy))
    }

    fn settle(&self) -> Result {
        measure::settle()
    }

    fn client(&self, tools: &Tools, set: &Set, sql: &str) -> Result<Command> {
        Ok(tools.shell(&self.path(set), sql))
    }

    fn floor(&self, tools: &Tools, set: &Set) -> Result<Command> {
        self.client(tools, set, FLOOR)
    }
}

/// Removes a database, and what SQLite may have left beside it.
fn remove(file: &Path) -> Result {
    for suffix in [""].into_iter().chain(BESIDE) {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(format!("{}: {error}", Path::new(&name).display()));
            }
            _ => {}
        }
    }
    Ok(())
}
