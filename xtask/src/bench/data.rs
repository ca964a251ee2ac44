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
        let set = DataSet { database: self.path.join(format!("{size}.db")) };
        self.make_once(&size.to_string(), &["data_set.py"], |script| {
            say(&format!("making {size} sessions"));
            set.remove()?;
            output(script.arg(&set.database).arg(size.sessions().to_string()))
        })?;
        set.configure()?;
        Ok(set)
    }

    /// The folder with the payloads, a file for each kind, made unless it is there.
    pub(crate) fn payloads(&self) -> Result<PathBuf> {
        self.make_part("payloads")?;
        let path = self.path.join("payloads");
        self.make_once("payloads", &["payloads.py", "data_set.py", "shop.py"], |script| output(script.arg(&path)))?;
        Ok(path)
    }

    /// Lets the first one of some scripts make something, unless the same ones did before.
    fn make_once(&self, name: &str, scripts: &[&str], make: impl FnOnce(&mut Command) -> Result<String>) -> Result {
        let scripts = scripts.iter().map(|script| root().join("xtask/bench").join(script)).collect::<Vec<_>>();
        let mut digest = Sha256::new();
        for script in &scripts {
            digest.update(fs::read(script).map_err(|error| format!("{}: {error}", script.display()))?);
        }
        let wanted = format!("{:02x?}", digest.finalize());
        let stamp = self.path.join(format!("{name}.stamp"));
        if !fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            make(Command::new("python3").args(scripts.first()).env("PYTHONDONTWRITEBYTECODE", "1"))?;
            // Last: one that was interrupted is made anew.
            fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
        }
        Ok(())
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
