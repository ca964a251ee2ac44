//! The Python environments that the tests against real Beaker run in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use sha2::{Digest, Sha256};

use crate::packages;
use crate::run::{Result, output, root, say, target};

/// Where the requirements are: `current.txt`, and one file for each older release of Beaker, named after it.
const REQUIREMENTS: &str = "crates/beakerhelpers-testkit/python/requirements";
/// The name of the requirements of the current Beaker.
const CURRENT: &str = "current";

/// Tells which Python this is; fails where the packages do not run on it.
const DESCRIBE: &str = "import sys; print(sys.version, sys.executable); sys.exit(sys.version_info < (3, 10))";

/// What is installed.
pub(crate) struct Environments {
    directory: PathBuf,
}

impl Environments {
    /// The interpreter that has the current Beaker.
    pub(crate) fn current(&self) -> PathBuf {
        interpreter(&self.directory.join(CURRENT))
    }

    /// The directory of the older releases, an environment for each under its number.
    pub(crate) fn older(&self) -> PathBuf {
        self.directory.clone()
    }
}

/// Makes every environment whose requirements, or whose Python, have changed since it was made.
pub(crate) fn ensure() -> Result<Environments> {
    let directory = target().join("python");
    let python = output(Command::new("python3").args(["-c", DESCRIBE]))
        .map_err(|error| format!("the tests need Python 3.10 or later as `python3`: {error}"))?;
    let entries = fs::read_dir(root().join(REQUIREMENTS)).map_err(|error| format!("{REQUIREMENTS}: {error}"))?;
    let mut missing = Vec::new();
    for entry in entries {
        let requirements = entry.map_err(|error| format!("{REQUIREMENTS}: {error}"))?.path();
        let environment = Environment::new(&directory, requirements, &python)?;
        if !environment.is_made() {
            missing.push(environment);
        }
    }
    if !missing.is_empty() {
        bring_venv()?;
    }
    bring_tests_of_python()?;
    thread::scope(|scope| {
        let making: Vec<_> = missing.iter().map(|environment| scope.spawn(|| environment.make())).collect();
        making.into_iter().try_for_each(|made| made.join().expect("making an environment does not panic"))
    })?;
    Ok(Environments { directory })
}

/// An environment as it should be.
struct Environment {
    directory: PathBuf,
    requirements: PathBuf,
    stamp: String,
}

impl Environment {
    fn new(directory: &Path, requirements: PathBuf, python: &str) -> Result<Self> {
        let name = requirements.file_stem().ok_or("a requirements file has no name")?;
        let wanted = fs::read(&requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
        let stamp = Sha256::new().chain_update(python).chain_update(&wanted).finalize();
        Ok(Self { directory: directory.join(name), stamp: format!("{stamp:02x?}"), requirements })
    }

    fn is_made(&self) -> bool {
        fs::read_to_string(self.stamp_file()).is_ok_and(|found| found == self.stamp)
    }

    fn stamp_file(&self) -> PathBuf {
        self.directory.join("requirements.stamp")
    }

    fn make(&self) -> Result {
        let directory = &self.directory;
        say(&format!("installing {} into {}", self.requirements.display(), directory.display()));
        if directory.exists() {
            fs::remove_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        }
        output(Command::new("python3").args(["-m", "venv"]).arg(directory))?;
        let pip = ["-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--requirement"];
        output(Command::new(interpreter(directory)).args(pip).arg(&self.requirements)).map_err(|error| {
            format!("{error}\nthe tests need these packages from PyPI once; after that they run without a network")
        })?;
        // Last: an installation that was interrupted is made anew.
        fs::write(self.stamp_file(), &self.stamp).map_err(|error| format!("{}: {error}", directory.display()))
    }
}

/// Debian's Python comes without what makes environments.
fn bring_venv() -> Result {
    packages::bring("python3-venv", "this Python cannot make virtual environments", || {
        output(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_ok()
    })
}

/// CPython's own tests of pickle are run again by ours; Debian's Python comes without them.
fn bring_tests_of_python() -> Result {
    let package = "import sys; print('libpython%d.%d-testsuite' % sys.version_info[:2])";
    let package = output(Command::new("python3").args(["-c", package]))?;
    packages::bring(package.trim(), "this Python lacks its own tests", || {
        output(Command::new("python3").args(["-c", "import test.pickletester, test.test_pickle"])).is_ok()
    })
}

fn interpreter(environment: &Path) -> PathBuf {
    environment.join("bin/python")
}
