//! `cargo xtask demo`: the example that the README shows.

use std::process::Command;

use crate::run::{Result, root, run};
use crate::venv;

/// Lets real Beaker write the sessions of a small web shop. What it writes is the same each time.
pub(crate) fn run_demo() -> Result {
    let script = root().join("xtask/demo.py");
    // Beaker stores the local times of its machine: this one stands in UTC.
    run(Command::new(venv::ensure()?.current())
        .arg(script)
        .arg(root())
        .env("TZ", "UTC")
        .env("PYTHONDONTWRITEBYTECODE", "1"))
}
