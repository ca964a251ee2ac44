//! What the system's package manager brings.

use std::env;
use std::process::Command;

use crate::run::{Result, output, run, say};

/// Makes sure of something that a Debian package has: installs the package where this may be done, else says how to.
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
        let args = ["install", "--yes", "--no-install-recommends", package];
        run(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(args))
    };
    // A fresh machine has no lists of packages yet.
    install().or_else(|_| run(Command::new("apt-get").arg("update")).and_then(|()| install()))?;
    if there() { Ok(()) } else { Err(format!("{package} is installed, yet {lacks}")) }
}

fn on_path(program: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|directory| directory.join(program).is_file()))
}
