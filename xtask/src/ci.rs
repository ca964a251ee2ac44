//! `cargo xtask ci`: everything that a change must keep.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Instant;
use std::{env, fs, iter};

use serde_json::Value as Json;

use crate::packages;
use crate::run::{Result, cargo, output, run, say};
use crate::test::{self, Skips};

/// So many sessions are in the demo, old ones too.
const DEMO: &str = "11";

type Step = (&'static str, fn() -> Result);

const STEPS: [Step; 10] = [
    ("system packages", packages::bring_openssl),
    ("format", || run(&mut cargo(&["fmt", "--all", "--check"]))),
    ("lints", || {
        run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny", "warnings"]))
    }),
    ("documentation", || {
        run(cargo(&["doc", "--workspace", "--no-deps", "--all-features"]).env("RUSTDOCFLAGS", "--deny warnings"))
    }),
    ("features", features),
    // Nothing is linked, so this needs neither the fuzzer nor a C++ compiler.
    ("fuzz targets", || {
        let manifest = ["--manifest-path", "fuzz/Cargo.toml"];
        run(cargo(&["fmt", "--check"]).args(manifest))?;
        let mut lints = cargo(&["clippy", "--no-default-features", "--bins"]);
        lints.args(manifest).args(["--", "--deny", "warnings"]);
        run(lints.env("CARGO_TARGET_DIR", crate::run::target().join("fuzz/check")))
    }),
    ("tests", || test::run(&[], Skips::Forbidden)),
    // Optimisation across crates must not lose the plugins.
    ("release", || {
        let tests = ["test", "--release", "--package", "beakerhelpers-cli", "--test", "it", "dispatcher::"];
        let said = output(&mut cargo(&tests))?;
        // A name that no test has would be a success.
        if passed(&said) == 0 { Err(format!("no test ran:\n{said}")) } else { Ok(()) }
    }),
    ("example", || {
        let manifest = "examples/plugin-count/Cargo.toml";
        let target = crate::run::target().join("example");
        let count = ["run", "--quiet", "--manifest-path", manifest, "--", "count", "examples/demo/demo.ini"];
        let said = output(cargo(&count).env("CARGO_TARGET_DIR", target))?;
        if said.trim() == DEMO { Ok(()) } else { Err(format!("it counts {}, not {DEMO}", said.trim())) }
    }),
    ("packages", package_all),
];

/// Takes every step, whatever becomes of the others: one run shows all that is wrong.
pub(crate) fn run_all() -> Result {
    let mut failures = Vec::new();
    let mut times = Vec::new();
    for (name, step) in STEPS {
        say(&format!("\n== {name}"));
        let started = Instant::now();
        if let Err(failure) = step() {
            say(&format!("error: {failure}"));
            failures.push(name);
        }
        times.push(format!("{name} {} s", started.elapsed().as_secs()));
    }
    say(&format!("\ntimes: {}", times.join(", ")));
    if failures.is_empty() { Ok(()) } else { Err(format!("failed: {}", failures.join(", "))) }
}

/// How many tests passed, by what the test harness says.
fn passed(said: &str) -> u64 {
    let results = said.lines().filter_map(|line| line.strip_prefix("test result: ok. ")?.split_once(" passed;"));
    results.filter_map(|(number, _)| number.parse::<u64>().ok()).sum()
}

/// Every package builds without its default features, and with each of its features alone. Where its manifest says
/// `each-feature`, its unit tests pass so, too.
fn features() -> Result {
    for package in members()? {
        let Some(features) = package["features"].as_object().filter(|features| !features.is_empty()) else { continue };
        let alone = ["--quiet", "--no-default-features", "--package", name(&package)?, "--features"];
        let tests = package["metadata"]["tests"]["each-feature"] == true;
        for feature in iter::once("").chain(features.keys().map(String::as_str)).filter(|name| *name != "default") {
            let command: &[&str] = if tests { &["test", "--lib"] } else { &["check"] };
            run(cargo(command).args(alone).arg(feature))?;
        }
    }
    Ok(())
}

/// Everything that is published can be packaged, and builds from what its package includes.
fn package_all() -> Result {
    let mut package = cargo(&["package", "--quiet", "--allow-dirty"]);
    let mut names = Vec::new();
    for member in members()? {
        // `null` is everywhere, an empty list nowhere.
        if member["publish"].is_null() {
            let version = member["version"].as_str().unwrap_or_default();
            forget_builds(name(&member)?)?;
            names.push(format!("{}-{version}", name(&member)?));
            package.args(["--package", name(&member)?]);
        }
    }
    forget_packages(&names)?;
    run(&mut package)
}

/// Has cargo build a package anew: what is in a registry never changes, so that it takes what an earlier run built for this.
fn forget_builds(package: &str) -> Result {
    let Ok(builds) = fs::read_dir(crate::run::target().join("debug/.fingerprint")) else { return Ok(()) };
    let is_its = |build: &fs::DirEntry| {
        build.file_name().to_str().and_then(|name| name.rsplit_once('-')).is_some_and(|(name, _)| name == package)
    };
    for build in builds.flatten().filter(is_its).map(|build| build.path()) {
        fs::remove_dir_all(&build).map_err(|error| format!("{}: {error}", build.display()))?;
    }
    Ok(())
}

/// Removes what earlier runs left of these packages. Cargo builds them against each other from a registry of its own,
/// whose packages it unpacks beside all others, and does not unpack again what has the same name and version.
fn forget_packages(names: &[String]) -> Result {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let Some(registry) = home.map(|home| home.join("registry")) else { return Ok(()) };
    for part in ["src", "cache"] {
        let Ok(registries) = fs::read_dir(registry.join(part)) else { continue };
        // One without a host is a folder of this machine.
        let local = registries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with('-'));
        for registry in local.map(|entry| entry.path()) {
            for name in names {
                let (unpacked, packed) = (registry.join(name), registry.join(format!("{name}.crate")));
                for removed in [fs::remove_dir_all(&unpacked), fs::remove_file(&packed)] {
                    match removed {
                        Err(error) if error.kind() != ErrorKind::NotFound => {
                            return Err(format!("{}: {error}", unpacked.display()));
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    Ok(())
}

pub(crate) fn members() -> Result<Vec<Json>> {
    let metadata = output(&mut cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let mut metadata: Json = serde_json::from_str(&metadata).map_err(|error| format!("`cargo metadata`: {error}"))?;
    match metadata["packages"].take() {
        Json::Array(packages) => Ok(packages),
        _ => Err("`cargo metadata` gives no packages".to_owned()),
    }
}

pub(crate) fn name(package: &Json) -> Result<&str> {
    package["name"].as_str().ok_or_else(|| "`cargo metadata` gives a package without a name".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tests_that_ran_are_counted() {
        let none = "running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 30 filtered out\n";
        assert_eq!(passed(none), 0);
        assert_eq!(passed(&none.replace("ok. 0 passed", "ok. 12 passed").repeat(2)), 24);
        assert_eq!(passed("test result: FAILED. 3 passed; 1 failed"), 0);
    }
}
