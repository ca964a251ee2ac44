//! The Python interpreters that have Beaker.

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::skip::skip;
use crate::{CURRENT_RELEASE, RELEASES};

/// The interpreter that has the current Beaker.
const CURRENT: &str = "BEAKERHELPERS_PYTHON";
/// The interpreter that has everything that older releases need, Beaker itself excepted.
const OLDER: &str = "BEAKERHELPERS_PYTHON_OLDER";
/// The system's own interpreter with the same, where it has modules that the others lack.
const SYSTEM: &str = "BEAKERHELPERS_PYTHON_SYSTEM";
/// The directory of the releases: one directory each, named like `1.11.0`, that has `beaker` in it.
const DIRECTORY: &str = "BEAKERHELPERS_BEAKER_RELEASES";

/// A Python interpreter that has Beaker, SQLAlchemy and PasteDeploy.
#[derive(Clone, Debug)]
pub struct Python {
    interpreter: PathBuf,
    zone: Option<String>,
    /// Where it finds Beaker, if not among its own packages.
    packages: Option<PathBuf>,
}

/// Gives the [`Python`](crate::Python) of a test, or ends the test where there is none: it prints `skipped:` and how to
/// get one. Under CI that is a failure.
///
/// `python!()` has the current Beaker, `python!("1.11.0")` that one of [`RELEASES`](crate::RELEASES).
#[macro_export]
macro_rules! python {
    () => {
        match $crate::Python::current() {
            Some(python) => python,
            None => return,
        }
    };
    ($release:expr) => {
        match $crate::Python::with_beaker($release) {
            Some(python) => python,
            None => return,
        }
    };
}

impl Python {
    /// The one with the current Beaker. Where there is none it says so on the standard error, past the test harness,
    /// and panics under CI.
    pub fn current() -> Option<Self> {
        let interpreter = env::var_os(CURRENT).map(PathBuf::from);
        or_skip(Self::found(interpreter, None, "the current Beaker"))
    }

    /// The one with this Beaker; as [`current`](Self::current).
    pub fn with_beaker(release: &str) -> Option<Self> {
        if release == CURRENT_RELEASE {
            return Self::current();
        }
        or_skip(Self::alone(OLDER, release))
    }

    /// One with this Beaker that has `dbm.gnu`, or `dbm.ndbm` with Berkeley DB, which not every Python comes with. As
    /// [`current`](Self::current).
    pub fn with_dbm(release: &str, module: &str) -> Option<Self> {
        let usual = Self::with_beaker(release)?;
        let system = Self::alone(SYSTEM, release).ok();
        let found = [Some(usual), system].into_iter().flatten().find(|python| python.imports(module));
        let why = || {
            format!(
                "no Python with {module}: on Debian and Ubuntu python3-gdbm has it, and `cargo xtask test` brings that"
            )
        };
        or_skip(found.ok_or_else(why))
    }

    /// One with the current Beaker that has a module which newer Pythons come with: the interpreter of
    /// [`current`](Self::current) or a newer one. For what can be done without.
    pub fn having(module: &str) -> Option<Self> {
        let current = Self::current()?;
        let others = ["python3.13", "python3.14"].map(|interpreter| Self {
            interpreter: interpreter.into(),
            zone: None,
            packages: Some(current.own_packages()),
        });
        let works = |python: &Self| python.imports(module) && python.imports("beaker.middleware, paste.deploy");
        [current].into_iter().chain(others).find(works)
    }

    /// The same interpreter with the packages of another one, as far as they are nothing but Python.
    #[must_use]
    pub fn with_packages_of(self, other: &Self) -> Self {
        Self { packages: Some(other.own_packages()), ..self }
    }

    fn own_packages(&self) -> PathBuf {
        PathBuf::from(self.run("import sysconfig; print(sysconfig.get_paths()['purelib'])").trim())
    }

    /// Whether it has a module, or several with commas between. `dbm.ndbm` is another one with another library.
    pub fn imports(&self, module: &str) -> bool {
        let library = "\nassert dbm.ndbm.library.startswith('Berkeley DB')";
        let script = format!("import {module}{}", if module == "dbm.ndbm" { library } else { "" });
        self.command().args(["-c", &script]).output().is_ok_and(|output| output.status.success())
    }

    /// Starts a command line with the interpreter, to which a script or `-c` is to be added. What the environment says
    /// about Python does not reach it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.interpreter);
        for name in ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"] {
            command.env_remove(name);
        }
        command.envs(self.packages.as_ref().map(|packages| ("PYTHONPATH", packages)));
        command.envs(self.zone.as_ref().map(|zone| ("TZ", zone)));
        command.env("PYTHONUTF8", "1").env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Runs a script and gives what it prints. Panics where it fails; what it says then is on the standard error.
    pub fn run(&self, script: &str) -> String {
        let mut command = self.command();
        let command = command.arg("-").env("PYTHONIOENCODING", "utf-8").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("Python starts");
        child.stdin.take().expect("it is a pipe").write_all(script.as_bytes()).expect("Python reads its script");
        let output = child.wait_with_output().expect("Python ends");
        assert!(output.status.success(), "the script failed");
        String::from_utf8(output.stdout).expect("the script prints text")
    }

    /// Lets it run in another time zone, `Europe/Vilnius`: Beaker stores the local times of its machine.
    #[must_use]
    pub fn with_time_zone(mut self, zone: &str) -> Self {
        self.zone = Some(zone.to_owned());
        self
    }

    /// One whose environment has all but Beaker.
    fn alone(interpreter: &str, release: &str) -> Result<Self, String> {
        assert!(RELEASES.contains(&release), "{release} is none of {RELEASES:?}");
        let interpreter = env::var_os(interpreter).map(PathBuf::from);
        let directory = env::var_os(DIRECTORY).map(|releases| PathBuf::from(releases).join(release));
        Self::found(interpreter, directory, &format!("Beaker {release}"))
    }

    /// The error says what is missing.
    fn found(interpreter: Option<PathBuf>, packages: Option<PathBuf>, what: &str) -> Result<Self, String> {
        let problem = match (interpreter, packages) {
            (Some(interpreter), _) if !interpreter.is_file() => format!("{} is not there", interpreter.display()),
            (_, Some(packages)) if !packages.is_dir() => format!("{} is not there", packages.display()),
            (Some(interpreter), packages) => return Ok(Self { interpreter, zone: None, packages }),
            (None, _) => "the environment names no interpreter".to_owned(),
        };
        Err(format!("no Python with {what}: {problem} — run `cargo xtask test`"))
    }
}

fn or_skip(found: Result<Python, String>) -> Option<Python> {
    found.map_err(|why| skip(&why)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_python_is_named() {
        let why = Python::found(Some("/nonexistent".into()), None, "Beaker").expect_err("there is none");
        assert_eq!(why, "no Python with Beaker: /nonexistent is not there — run `cargo xtask test`");
    }

    #[test]
    fn whatever_is_a_file_is_taken_for_an_interpreter() {
        let file = env::current_exe().expect("this test is a file");
        assert!(Python::found(Some(file.clone()), None, "Beaker").is_ok());
        let why = Python::found(Some(file), Some("/nonexistent".into()), "Beaker 1").expect_err("there is none");
        assert_eq!(why, "no Python with Beaker 1: /nonexistent is not there — run `cargo xtask test`");
    }
}
