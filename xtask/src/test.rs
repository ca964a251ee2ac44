//! `cargo xtask test`: the tests with all that they need.

use crate::run::{self, Result, cargo};
use crate::venv;

/// What a test does that finds something missing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skips {
    /// It says so, unless the environment forbids it.
    Allowed,
    /// It fails.
    Forbidden,
}

/// Runs the tests; `args` go to `cargo test`.
pub(crate) fn run(args: &[String], skips: Skips) -> Result {
    let environments = venv::ensure()?;
    let mut tests = cargo(&["test", "--all-features"]);
    if !args.iter().any(|arg| arg == "--package" || arg.starts_with("-p")) {
        tests.arg("--workspace");
    }
    tests.env("BEAKERHELPERS_PYTHON", environments.current());
    tests.env("BEAKERHELPERS_PYTHON_OLDER", environments.older());
    if skips == Skips::Forbidden {
        tests.env("BEAKERHELPERS_NO_SKIP", "1");
        // One run shows all that is wrong.
        tests.arg("--no-fail-fast");
    }
    tests.args(args);
    run::run(&mut tests)
}
