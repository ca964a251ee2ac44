//! What the system's package manager brings.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::run::{Result, output, run, say};

/// Makes sure of something that a Debian package has: installs the package where this may be done, else says how to.
/// Several have spaces between their names.
pub(crate) fn bring(package: &str, lacks: &str, there: impl Fn() -> bool) -> Result {
    if there() {
        return Ok(());
    }
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !root || !on_path("apt-get") {
        let sudo = if root { "" } else { "sudo " };
        return Err(format!("{lacks}: on Debian and Ubuntu `{sudo}apt-get install {package}` brings what is missing"));
    }
    say(&format!("installing {package}"));
    let install = || {
        let args = ["install", "--yes", "--no-install-recommends"];
        run(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(args).args(package.split(' ')))
    };
    // A fresh machine has no lists of packages yet.
    install().or_else(|_| run(Command::new("apt-get").arg("update")).and_then(|()| install()))?;
    if there() { Ok(()) } else { Err(format!("{package} is installed, yet {lacks}")) }
}

/// What a TLS connection to PostgreSQL is built with.
pub(crate) fn bring_openssl() -> Result {
    bring("libssl-dev pkg-config", "OpenSSL's headers are not to be found", || {
        output(Command::new("pkg-config").args(["--exists", "openssl"])).is_ok()
    })
}

/// Debian's Python comes without `dbm.gnu` and `dbm.ndbm`, beside which dbm databases are tested. Gives the Python that has
/// them now; elsewhere those tests say what they miss.
pub(crate) fn bring_dbm() -> Result<Option<&'static str>> {
    if !Path::new("/etc/debian_version").exists() {
        return Ok(None);
    }
    let python = "/usr/bin/python3";
    bring("python3-gdbm", "the system's Python cannot write dbm databases", || has_dbm(python))?;
    Ok(Some(python))
}

/// Whether a Python has these modules.
pub(crate) fn has_dbm(python: &str) -> bool {
    output(Command::new(python).args(["-c", "import dbm.gnu, dbm.ndbm"])).is_ok()
}

fn on_path(program: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|directory| directory.join(program).is_file()))
}
