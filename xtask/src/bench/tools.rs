//! The programs that are measured.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::data::Folder;
use crate::run::{Result, cargo, output, root, run, target};
use crate::{packages, venv};

/// What is there to be run, and where it may put its temporary files.
#[derive(Debug)]
pub(crate) struct Tools {
    python: PathBuf,
    temporary: PathBuf,
}

impl Tools {
    /// Brings those of others.
    pub(crate) fn bring(folder: &Folder) -> Result<Self> {
        packages::bring("sqlite3", "the benchmarks need the `sqlite3` shell", || {
            output(Command::new("sqlite3").arg("--version")).is_ok()
        })?;
        Ok(Self { python: venv::ensure()?.current(), temporary: folder.temporary() })
    }

    /// Builds a package of ours as it is released.
    pub(crate) fn build(what: &[&str]) -> Result {
        run(cargo(&["build", "--release", "--quiet"]).args(what))
    }

    /// Ours.
    pub(crate) fn ours(&self) -> Command {
        self.command(&target().join("release/beakerhelpers"))
    }

    /// SQLite's own shell: what SQLite takes for the same, and nothing around it. It waits a minute for a lock.
    pub(crate) fn shell(&self, database: &Path, sql: &str) -> Command {
        let mut shell = self.command(Path::new("sqlite3"));
        // The person's own settings are in a file there.
        shell.env("HOME", &self.temporary).args(["-batch", "-cmd", ".timeout 60000"]).arg(database).arg(sql);
        shell
    }

    /// The algorithm of BeakerHelpers 0.1.
    pub(crate) fn original(&self) -> Command {
        self.python("xtask/bench/original.py")
    }

    /// A script.
    pub(crate) fn python(&self, script: &str) -> Command {
        let mut python = self.command(&self.python);
        python.arg(root().join(script));
        python
    }

    /// Which ones these are, for people.
    pub(crate) fn versions(&self) -> Result<[(&'static str, String); 3]> {
        let shell = output(Command::new("sqlite3").arg("--version"))?;
        let script = "import platform, sqlite3\nfrom importlib.metadata import version\n\
                      print(f'{platform.python_version()}, SQLAlchemy {version(\"SQLAlchemy\")}, SQLite {sqlite3.sqlite_version}, '\n\
                      f'psycopg2 {version(\"psycopg2-binary\")}, PyMySQL {version(\"PyMySQL\")}, Beaker {version(\"Beaker\")}')";
        let python = output(self.command(&self.python).args(["-c", script]))?;
        let rustc = output(Command::new("rustc").arg("--version").current_dir(root()))?;
        Ok([
            ("Rust", rustc.trim().to_owned()),
            ("`sqlite3` shell", shell.split_whitespace().next().unwrap_or_default().to_owned()),
            ("Python", python.trim().to_owned()),
        ])
    }

    /// Any program, where all of them run.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).env("PYTHONDONTWRITEBYTECODE", "1");
        // The data sets are in the local time of a machine that stands there.
        command.env("TZ", "UTC");
        // The same disk for everyone: sorting and spooling need it.
        command.env("TMPDIR", &self.temporary).env_remove("SQLITE_TMPDIR");
        command
    }
}
