//! Running other programs.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a chore fails with: a message for the person who started it.
pub(crate) type Result<T = ()> = std::result::Result<T, String>;

/// The directory of the workspace.
pub(crate) fn root() -> PathBuf {
    // At run time: cargo says which workspace it runs in, while this program may have been built for another one.
    let xtask = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&xtask).parent().expect("xtask is in the workspace").to_owned()
}

/// The directory for everything that is made and can be thrown away.
pub(crate) fn target() -> PathBuf {
    root().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// The cargo that runs this.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.args(args).current_dir(root());
    cargo
}

/// Tells the person something, on the standard error like cargo.
pub(crate) fn say(line: &str) {
    // There is nobody to tell that nobody reads.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Runs a command whose output the person sees.
pub(crate) fn run(command: &mut Command) -> Result {
    say(&format!("$ {}", shown(command)));
    let status = command.status().map_err(|error| format!("`{}`: {error}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", shown(command))) }
}

/// Runs a command for its output, which the person sees only where it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } =
        command.output().map_err(|error| format!("`{}`: {error}", shown(command)))?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let said = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Err(format!("`{}` failed: {status}\n{said}", shown(command)))
}

/// The words of a command, as a person would type them.
pub(crate) fn shown(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
