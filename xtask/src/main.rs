//! Chores of the workspace: `cargo xtask --help`.

mod bench;
mod ci;
mod demo;
mod fuzz;
mod matrix;
mod packages;
mod run;
mod servers;
mod test;
#[cfg(test)]
mod tidy;
mod venv;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "Chores of the workspace")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Brings what the tests need, under target/, and runs them all
    Test {
        /// Lets real Beaker and this project read each other's sessions in every store, and prints what came of it
        #[arg(long, conflicts_with = "args")]
        matrix: bool,

        /// Writes that into docs/reference/compatibility.md
        #[arg(long, requires = "matrix")]
        write: bool,

        /// For `cargo test`: `-p` and a package, `--test it`, a part of the names of tests
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Checks everything that a change must keep, the tests included; nothing may be skipped
    Ci,
    /// Makes examples/demo anew with real Beaker
    Demo,
    /// Looks for payloads that break a promise of the codec; what it finds is under target/fuzz
    Fuzz(fuzz::FuzzArgs),
    /// Starts PostgreSQL, MariaDB and Redis as the tests do, and says how to get there, until Ctrl-C
    Serve,
    /// Measures decoding, listing, cleaning and its harm, beside CPython, the databases' clients and the original; writes
    /// docs/benchmarks.md
    Bench(bench::BenchArgs),
}

fn main() -> ExitCode {
    let done = match Cli::parse().chore {
        Chore::Test { matrix: true, write, .. } => matrix::run(write),
        Chore::Test { args, .. } => test::run(&args, test::Skips::Allowed),
        Chore::Ci => ci::run_all(),
        Chore::Demo => demo::run_demo(),
        Chore::Fuzz(args) => fuzz::run_all(&args),
        Chore::Serve => servers::serve(),
        Chore::Bench(args) => bench::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            run::say(&format!("error: {failure}"));
            ExitCode::FAILURE
        }
    }
}
