//! Sessions in files, as Beaker's type `file` keeps them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::backend::{Backend, Database, Set};
use super::cleaning::minutes;
use super::data::Folder;
use super::measure;
use super::size::Size;
use super::sqlite::Sqlite;
use super::tools::Tools;
use crate::run::{Result, output, say};

/// Folders of files, and `find` with what it starts.
#[derive(Debug)]
pub(crate) struct Files<'f> {
    folder: &'f Folder,
}

impl<'f> Files<'f> {
    pub(crate) const fn new(folder: &'f Folder) -> Self {
        Self { folder }
    }

    fn set(&self, name: &str) -> Result<Set> {
        let data = self.folder.path().join(name).display().to_string();
        let options = format!("beaker.session.type = file\nbeaker.session.data_dir = {}\n", data.replace('%', "%%"));
        self.folder.configured(name.to_owned(), data, &options)
    }

    /// `find` over the sessions; what it is to do follows.
    fn find(tools: &Tools, set: &Set) -> Command {
        let mut find = tools.command(Path::new("find"));
        find.arg(PathBuf::from(&set.url).join("container_file")).args(["-type", "f"]);
        find
    }
}

impl Backend for Files<'_> {
    fn database(&self) -> Database {
        Database::Files
    }

    fn title(&self) -> String {
        "files".to_owned()
    }

    fn short(&self) -> String {
        self.title()
    }

    fn load(&self, tools: &Tools, size: Size) -> Result<Set> {
        let file = Sqlite::file(self.folder, size)?;
        let set = self.set(&format!("{size}-files"))?;
        self.folder.make_once(&set.name, &["files.py", "data_set.py"], |_| {
            say(&format!("writing {size} sessions to files"));
            output(tools.python("xtask/bench/files.py").arg(&file).arg(&set.url))
        })?;
        Ok(set)
    }

    fn copy(&self, tools: &Tools, set: &Set) -> Result<Set> {
        let copy = self.set("copy-files")?;
        remove(&copy)?;
        output(tools.command(Path::new("cp")).arg("-a").arg(&set.url).arg(&copy.url))?;
        Ok(copy)
    }

    fn remove(&self, copy: Set) -> Result {
        remove(&copy)
    }

    fn settle(&self) -> Result {
        measure::settle()
    }

    fn client(&self, _tools: &Tools, _set: &Set, _sql: &str) -> Result<Command> {
        Err("files take no statements".to_owned())
    }

    fn floor(&self, tools: &Tools, set: &Set) -> Result<Command> {
        let mut find = Self::find(tools, set);
        find.args(["-exec", "cat", "{}", "+"]);
        Ok(find)
    }

    fn original(&self, tools: &Tools) -> Command {
        tools.python("xtask/bench/original_files.py")
    }

    fn count(&self, tools: &Tools, set: &Set) -> Result<u64> {
        output(Self::find(tools, set).args(["-printf", "."])).map(|dots| dots.len() as u64)
    }

    fn delete(&self, tools: &Tools, set: &Set) -> Result<Command> {
        let mut find = Self::find(tools, set);
        find.args(["-mmin", &format!("+{}", minutes()?), "-delete"]);
        Ok(find)
    }
}

fn remove(set: &Set) -> Result {
    match fs::remove_dir_all(&set.url) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {error}", set.url)),
        _ => Ok(()),
    }
}
