//! The sessions to list and to clean.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use super::size::Size;
use crate::run::{Result, output, root, say, target};

/// When the sessions end that are to go, as Beaker's column has it, and in seconds since the epoch: `data_set.py` says so.
pub(crate) const CUTOFF: (&str, u64) = ("2024-01-28 00:00:00.000000", 1_706_400_000);

/// Where the data sets are, and what is made of them.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The one under `target`.
    pub(crate) fn make() -> Result<Self> {
        let folder = Self { path: target().join("bench") };
        folder.make_part("out")?;
        folder.make_part("tmp")?;
        Ok(folder)
    }

    fn make_part(&self, name: &str) -> Result {
        let path = self.path.join(name);
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Removes what the programs printed. The data sets stay for the next time.
    pub(crate) fn clear(&self) -> Result {
        ["out", "tmp"]
            .iter()
            .map(|name| self.path.join(name))
            .try_for_each(|path| fs::remove_dir_all(&path).map_err(|error| format!("{}: {error}", path.display())))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the programs put their temporary files: on the disk of the data sets.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// The file for what a program prints.
    pub(crate) fn out(&self, name: &str) -> PathBuf {
        self.path.join("out").join(name)
    }

    /// The data set of so many sessions, made unless it is there.
    pub(crate) fn data_set(&self, size: Size) -> Result<DataSet> {
        let script = root().join("xtask/bench/data_set.py");
        let source = fs::read(&script).map_err(|error| format!("{}: {error}", script.display()))?;
        let wanted = format!("{:02x?}", Sha256::digest(&source));
        let set = DataSet { database: self.path.join(format!("{size}.db")) };
        let stamp = self.path.join(format!("{size}.stamp"));
        if !fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            say(&format!("making {size} sessions"));
            set.remove()?;
            output(Command::new("python3").arg(script).arg(&set.database).arg(size.sessions().to_string()))?;
            // Last: one that was interrupted is made anew.
            fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
        }
        set.configure()?;
        Ok(set)
    }

    /// A copy that may be changed.
    pub(crate) fn copy(&self, set: &DataSet) -> Result<DataSet> {
        let copy = DataSet { database: self.path.join("copy.db") };
        copy.remove()?;
        let copied = fs::copy(&set.database, &copy.database).and_then(|_| File::open(&copy.database)?.sync_all());
        copied.map_err(|error| format!("{}: {error}", copy.database.display()))?;
        copy.configure()?;
        Ok(copy)
    }
}

/// A database and the configuration that names it.
#[derive(Debug)]
pub(crate) struct DataSet {
    database: PathBuf,
}

impl DataSet {
    pub(crate) fn database(&self) -> &Path {
        &self.database
    }

    pub(crate) fn ini(&self) -> PathBuf {
        self.database.with_extension("ini")
    }

    fn configure(&self) -> Result {
        let ini = self.ini();
        let name = self.database.file_name().expect("it is a file").to_string_lossy();
        let text =
            format!("[app:main]\nbeaker.session.type = ext:database\nbeaker.session.url = sqlite:///%(here)s/{name}\n");
        fs::write(&ini, text).map_err(|error| format!("{}: {error}", ini.display()))
    }

    /// Removes it, and what SQLite may have left beside it.
    pub(crate) fn remove(&self) -> Result {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let mut name = self.database.clone().into_os_string();
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
}
