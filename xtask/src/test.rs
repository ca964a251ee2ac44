//! `cargo xtask test`: the tests with all that they need.

use std::process::Command;

use beakerhelpers_testkit::Server;

use crate::run::{self, Result, cargo};
use crate::{packages, servers, venv};

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
    let (mut tests, _servers) = command(args, skips)?;
    run::run(&mut tests)
}

/// What runs the tests, and the servers that they need: they end when these are dropped.
pub(crate) fn command(args: &[String], skips: Skips) -> Result<(Command, Vec<Server>)> {
    let environments = venv::ensure()?;
    packages::bring_openssl()?;
    let servers = servers::for_tests(args, skips)?;
    let mut tests = cargo(&["test", "--all-features"]);
    if chosen(args).is_empty() {
        tests.arg("--workspace");
    }
    tests.env("BEAKERHELPERS_PYTHON", environments.current());
    tests.env("BEAKERHELPERS_PYTHON_OLDER", environments.older());
    tests.envs(environments.system().map(|python| ("BEAKERHELPERS_PYTHON_SYSTEM", python)));
    tests.env("BEAKERHELPERS_BEAKER_RELEASES", environments.releases());
    tests.envs(servers.iter().map(Server::environment));
    if skips == Skips::Forbidden {
        tests.env("BEAKERHELPERS_NO_SKIP", "1");
        // One run shows all that is wrong.
        tests.arg("--no-fail-fast");
    }
    tests.args(args);
    Ok((tests, servers))
}

/// The packages that arguments of cargo choose, `None` where one is not to be understood; empty for all of them.
pub(crate) fn chosen(args: &[String]) -> Vec<Option<&str>> {
    let mut chosen = Vec::new();
    let mut args = args.iter().map(String::as_str).take_while(|arg| *arg != "--");
    while let Some(arg) = args.next() {
        let attached = arg.strip_prefix("--package=").or_else(|| arg.strip_prefix("-p"));
        match attached {
            _ if arg == "--package" || arg == "-p" => chosen.push(args.next()),
            Some(package) => chosen.push(Some(package.trim_start_matches('='))),
            None => {}
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_chosen_in_every_form_that_cargo_has() {
        let words = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for args in ["-p core", "--package core", "-pcore", "--package=core", "-p=core", "--test it -p core name"] {
            assert_eq!(chosen(&words(args)), [Some("core")], "{args}");
        }
        assert_eq!(chosen(&words("-p core -p cli")), [Some("core"), Some("cli")]);
        assert_eq!(chosen(&words("--test it -- -p")), []);
        assert_eq!(chosen(&words("-p")), [None]);
    }
}
