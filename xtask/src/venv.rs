//! The Python environments that the tests against real Beaker run in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use beakerhelpers_testkit::RELEASES as RELEASES_OF_BEAKER;
use sha2::{Digest, Sha256};

use crate::packages;
use crate::run::{Result, output, root, say, target};

/// Where the requirements are.
const REQUIREMENTS: &str = "crates/beakerhelpers-testkit/python/requirements";
/// The name of the requirements of the current Beaker.
const CURRENT: &str = "current";
/// The name of what all older releases need.
const OLDER: &str = "older";
/// The name of the same for the system's own Python.
const SYSTEM: &str = "system";
/// Where the releases are, each in a directory of its own.
const RELEASES: &str = "releases";

/// The Python that the tests run with by default.
const PYTHON: &str = "python3";

/// Tells which Python this is; fails where the packages do not run on it.
const DESCRIBE: &str = "import sys; print(sys.version, sys.executable); sys.exit(sys.version_info < (3, 10))";

/// What is installed.
pub(crate) struct Environments {
    directory: PathBuf,
    has_system: bool,
}

impl Environments {
    /// The interpreter that has the current Beaker.
    pub(crate) fn current(&self) -> PathBuf {
        interpreter(&self.directory.join(CURRENT))
    }

    /// The interpreter that has what older releases need.
    pub(crate) fn older(&self) -> PathBuf {
        interpreter(&self.directory.join(OLDER))
    }

    /// The system's own interpreter with the same, where it alone has modules that Debian packs apart from Python.
    pub(crate) fn system(&self) -> Option<PathBuf> {
        self.has_system.then(|| interpreter(&self.directory.join(SYSTEM)))
    }

    /// The directory of the releases, each under its number.
    pub(crate) fn releases(&self) -> PathBuf {
        self.directory.join(RELEASES)
    }
}

/// Makes every environment whose requirements, or whose Python, have changed since it was made.
pub(crate) fn ensure() -> Result<Environments> {
    let directory = target().join("python");
    let python = describe(PYTHON)?;
    let mut wanted = vec![
        Environment::new(&directory, CURRENT, CURRENT, PYTHON, &python)?,
        Environment::new(&directory, OLDER, OLDER, PYTHON, &python)?,
    ];
    let system = packages::bring_dbm()?.filter(|_| !packages::has_dbm(PYTHON)).and_then(|python| {
        // Where it is too old, the tests that need it say what they miss.
        let described = describe(python).inspect_err(|why| say(&format!("warning: {why}"))).ok()?;
        Some(Environment::new(&directory, SYSTEM, OLDER, python, &described))
    });
    let has_system = system.is_some();
    wanted.extend(system.transpose()?);
    let missing: Vec<_> = wanted.into_iter().filter(|environment| !environment.is_made()).collect();
    for environment in &missing {
        bring_venv(environment.python)?;
    }
    bring_tests_of_python()?;
    at_once(&missing, Environment::make)?;
    let environments = Environments { directory, has_system };
    let releases = RELEASES_OF_BEAKER.iter().map(|release| Release::new(&environments, release, &python));
    at_once(&releases.filter(|release| !release.is_made()).collect::<Vec<_>>(), Release::make)?;
    Ok(environments)
}

fn describe(python: &str) -> Result<String> {
    output(Command::new(python).args(["-c", DESCRIBE]))
        .map_err(|error| format!("the tests need Python 3.10 or later as `{python}`: {error}"))
}

/// Does some work for each of these, all at the same time.
fn at_once<T: Sync>(all: &[T], work: impl Fn(&T) -> Result + Copy + Send) -> Result {
    thread::scope(|scope| {
        let working: Vec<_> = all.iter().map(|one| scope.spawn(move || work(one))).collect();
        working.into_iter().try_for_each(|done| done.join().expect("an installation does not panic"))
    })
}

/// An environment as it should be.
struct Environment {
    python: &'static str,
    directory: PathBuf,
    requirements: PathBuf,
    stamp: String,
}

impl Environment {
    /// That of a name with these requirements, of a Python and what it says about itself.
    fn new(directory: &Path, name: &str, needs: &str, python: &'static str, described: &str) -> Result<Self> {
        let requirements = root().join(REQUIREMENTS).join(needs).with_extension("txt");
        let wanted = fs::read(&requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
        let stamp = Sha256::new().chain_update(described).chain_update(&wanted).finalize();
        Ok(Self { python, directory: directory.join(name), stamp: format!("{stamp:02x?}"), requirements })
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
        remove(directory)?;
        output(Command::new(self.python).args(["-m", "venv"]).arg(directory))?;
        install(&interpreter(directory), |pip| pip.arg("--requirement").arg(&self.requirements))?;
        // Last: an installation that was interrupted is made anew.
        fs::write(self.stamp_file(), &self.stamp).map_err(|error| format!("{}: {error}", directory.display()))
    }
}

/// A Beaker alone: what it needs is in the environment that all of them share.
struct Release {
    python: PathBuf,
    name: &'static str,
    directory: PathBuf,
    stamp: String,
}

impl Release {
    fn new(environments: &Environments, name: &'static str, python: &str) -> Self {
        let directory = environments.releases().join(name);
        Self { python: environments.older(), name, directory, stamp: format!("{name} {python}") }
    }

    fn is_made(&self) -> bool {
        fs::read_to_string(self.stamp_file()).is_ok_and(|found| found == self.stamp)
    }

    fn stamp_file(&self) -> PathBuf {
        self.directory.join("release.stamp")
    }

    fn make(&self) -> Result {
        let Self { python, name, directory, .. } = self;
        say(&format!("installing Beaker {name} into {}", directory.display()));
        remove(directory)?;
        let what = format!("Beaker=={name}");
        install(python, |pip| pip.args(["--no-deps", &what, "--target"]).arg(directory))?;
        fs::write(self.stamp_file(), &self.stamp).map_err(|error| format!("{}: {error}", directory.display()))
    }
}

fn remove(directory: &Path) -> Result {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(format!("{}: {error}", directory.display())),
        _ => Ok(()),
    }
}

fn install(python: &Path, what: impl FnOnce(&mut Command) -> &mut Command) -> Result {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "--disable-pip-version-check", "--quiet", "install"]);
    output(what(&mut pip)).map(drop).map_err(|error| {
        format!("{error}\nthe tests need these packages from PyPI once; after that they run without a network")
    })
}

/// Debian's Python comes without what makes environments.
fn bring_venv(python: &str) -> Result {
    packages::bring("python3-venv", "this Python cannot make virtual environments", || {
        output(Command::new(python).args(["-c", "import ensurepip, venv"])).is_ok()
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
