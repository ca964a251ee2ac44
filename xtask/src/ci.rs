//! `cargo xtask ci`: everything that a change must keep.

use std::time::Instant;

use serde_json::Value as Json;

use crate::run::{Result, cargo, output, run, say};
use crate::test::{self, Skips};

type Step = (&'static str, fn() -> Result);

const STEPS: [Step; 8] = [
    ("format", || run(&mut cargo(&["fmt", "--all", "--check"]))),
    ("lints", || {
        run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny", "warnings"]))
    }),
    ("documentation", || {
        run(cargo(&["doc", "--workspace", "--no-deps", "--all-features"]).env("RUSTDOCFLAGS", "--deny warnings"))
    }),
    ("features", features),
    ("tests", || test::run(&[], Skips::Forbidden)),
    // Optimisation across crates must not lose the plugins.
    ("release", || {
        run(&mut cargo(&["test", "--release", "--package", "beakerhelpers-cli", "--test", "it", "dispatcher::"]))
    }),
    ("example", || {
        let manifest = "examples/plugin-count/Cargo.toml";
        let target = crate::run::target().join("example");
        run(cargo(&["run", "--quiet", "--manifest-path", manifest, "--", "count", "examples/demo/demo.ini"])
            .env("CARGO_TARGET_DIR", target))
    }),
    ("packages", packages),
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

/// Every package builds without its default features, and with each of its features alone.
fn features() -> Result {
    for package in members()? {
        let Some(features) = package["features"].as_object().filter(|features| !features.is_empty()) else { continue };
        let check = ["check", "--quiet", "--no-default-features", "--package", name(&package)?];
        run(&mut cargo(&check))?;
        for feature in features.keys().filter(|feature| *feature != "default") {
            run(cargo(&check).args(["--features", feature.as_str()]))?;
        }
    }
    Ok(())
}

/// Everything that is published can be packaged, and builds from what its package includes.
fn packages() -> Result {
    let mut package = cargo(&["package", "--quiet", "--allow-dirty"]);
    for member in members()? {
        // `null` is everywhere, an empty list nowhere.
        if member["publish"].is_null() {
            package.args(["--package", name(&member)?]);
        }
    }
    run(&mut package)
}

fn members() -> Result<Vec<Json>> {
    let metadata = output(&mut cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let mut metadata: Json = serde_json::from_str(&metadata).map_err(|error| format!("`cargo metadata`: {error}"))?;
    match metadata["packages"].take() {
        Json::Array(packages) => Ok(packages),
        _ => Err("`cargo metadata` gives no packages".to_owned()),
    }
}

fn name(package: &Json) -> Result<&str> {
    package["name"].as_str().ok_or_else(|| "`cargo metadata` gives a package without a name".to_owned())
}
