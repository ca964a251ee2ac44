//! `cargo xtask fuzz`: inputs that nobody thought of, for everything that decodes.

mod outcome;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use self::outcome::Outcome;
use crate::bench::report::{Table, number};
use crate::run::{Result, cargo, output, root, run, say, target};

/// What rustc adds to a program for libFuzzer to see where an input went, with any compiler.
const FLAGS: [&str; 7] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// What an input may cost, in libFuzzer's words: MB, seconds, bytes.
const LIMITS: [&str; 3] = ["-rss_limit_mb=1024", "-timeout=10", "-max_len=8192"];

#[derive(Debug, clap::Args)]
pub(crate) struct FuzzArgs {
    /// Targets, such as `pickle` [default: all]
    targets: Vec<String>,

    /// For how long, each of them
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
}

/// Where inputs and findings are, under `target`, and where the targets are built.
struct Folder(PathBuf);

impl Folder {
    /// A folder for one target, made unless it is there.
    fn of(&self, what: &str, target: &str) -> Result<PathBuf> {
        let path = self.0.join(what).join(target);
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }
}

/// Runs the targets one after another. A finding is a failure, once all have run.
pub(crate) fn run_all(args: &FuzzArgs) -> Result {
    let targets = chosen(&args.targets, &targets()?)?;
    let folder = Folder(target().join("fuzz"));
    let programs = build(&folder)?;
    write_seeds(&folder)?;
    let mut outcomes = Vec::new();
    for target in targets {
        say(&format!("fuzzing {target} for {} seconds", args.seconds));
        outcomes.push(fuzz(&folder, &programs.join(&target), target, args.seconds)?);
    }
    say(&format!("\n{}", table(&outcomes)));
    let found: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.finding(&programs)).collect();
    if found.is_empty() {
        Ok(())
    } else {
        Err(format!("inputs that break a promise were found:\n\n{}", found.join("\n")))
    }
}

/// All targets.
fn targets() -> Result<Vec<String>> {
    let path = root().join("fuzz/fuzz_targets");
    let entries = fs::read_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut names: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn chosen(wanted: &[String], all: &[String]) -> Result<Vec<String>> {
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(name)) {
        return Err(format!("there is no target `{unknown}`; there are {}", all.join(", ")));
    }
    Ok(if wanted.is_empty() { all } else { wanted }.to_vec())
}

/// Builds the targets, and returns where they are.
fn build(folder: &Folder) -> Result<PathBuf> {
    let said = output(Command::new("rustc").arg("-vV").current_dir(root()))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc does not say what it runs on")?;
    let path = folder.0.join("build");
    let manifest = "fuzz/Cargo.toml";
    // With a target named, the flags are for the targets alone and not for what runs while they are built.
    let mut build = cargo(&["build", "--release", "--quiet", "--bins", "--manifest-path", manifest, "--target", host]);
    build.env("CARGO_TARGET_DIR", &path).env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    run(&mut build)
        .map_err(|error| format!("{error}\na C++ compiler is needed: libFuzzer is built from its source"))?;
    Ok(path.join(host).join("release"))
}

/// Makes the inputs to begin with: what Beaker and CPython wrote.
fn write_seeds(folder: &Folder) -> Result {
    let (values, seeds) = (folder.0.join("values.txt"), folder.0.join("seeds"));
    let in_file = |path: &Path, error| format!("{}: {error}", path.display());
    let python = |script: &str| {
        let mut python = Command::new("python3");
        python.arg(root().join(script)).env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONIOENCODING", "utf-8");
        python
    };
    // Those of another day may not be there any more.
    if seeds.exists() {
        fs::remove_dir_all(&seeds).map_err(|error| in_file(&seeds, error))?;
    }
    let file = File::create(&values).map_err(|error| in_file(&values, error))?;
    run(python("crates/beakerhelpers-codec/tests/data/values.py").stdout(file))?;
    let file = File::open(&values).map_err(|error| in_file(&values, error))?;
    run(python("xtask/fuzz/seeds.py").arg(root()).arg(&seeds).stdin(file))
}

/// Runs one target, and reads what it said.
fn fuzz(folder: &Folder, program: &Path, target: String, seconds: u32) -> Result<Outcome> {
    let log = folder.0.join(format!("{target}.log"));
    let file = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let crashes = folder.of("crashes", &target)?;
    let mut fuzzer = Command::new(program);
    // The first folder is where it keeps what it finds interesting. What once broke something is tried again.
    fuzzer.arg(folder.of("corpus", &target)?).arg(folder.of("seeds", &target)?).arg(&crashes);
    fuzzer.args(LIMITS).arg("-print_final_stats=1").arg(format!("-max_total_time={seconds}"));
    fuzzer.arg(format!("-dict={}", root().join("fuzz/pickle.dict").display()));
    fuzzer.arg(format!("-artifact_prefix={}/", crashes.display()));
    fuzzer.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    let status = fuzzer.status().map_err(|error| format!("`{}`: {error}", program.display()))?;
    let said = fs::read(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let outcome = Outcome::read(target, &String::from_utf8_lossy(&said));
    if !status.success() && outcome.input.is_none() {
        return Err(format!("`{}` failed: {status}; see {}", program.display(), log.display()));
    }
    Ok(outcome)
}

fn table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new(&["target", "executions", "per second", "coverage", "inputs kept", "peak MB", "found"]);
    for outcome in outcomes {
        let numbers =
            [outcome.executions, outcome.per_second, outcome.coverage, outcome.kept, outcome.peak].map(number);
        let found = if outcome.input.is_some() { "1" } else { "0" };
        table.add([outcome.target.clone()].into_iter().chain(numbers).chain([found.to_owned()]));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_targets_are_refused_and_none_means_all() {
        let all = ["edit", "pickle"].map(str::to_owned);
        assert_eq!(chosen(&[], &all).unwrap(), all);
        assert_eq!(chosen(&["pickle".to_owned()], &all).unwrap(), ["pickle"]);
        assert_eq!(
            chosen(&["pickel".to_owned()], &all).unwrap_err(),
            "there is no target `pickel`; there are edit, pickle"
        );
    }

    #[test]
    fn every_target_is_in_the_manifest() {
        let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
        let targets = targets().unwrap();
        assert!(targets.len() >= 4, "{targets:?}");
        for target in targets {
            let wanted = format!("[[bin]]\nname = \"{target}\"\npath = \"fuzz_targets/{target}.rs\"\n");
            assert!(manifest.contains(&wanted), "{target}");
        }
    }
}
