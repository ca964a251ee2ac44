//! The standard build of the `beakerhelpers` command.
#![expect(unused_crate_dependencies, reason = "the library of this package uses them")]

use std::process::ExitCode;

fn main() -> ExitCode {
    beakerhelpers_cli::main()
}
