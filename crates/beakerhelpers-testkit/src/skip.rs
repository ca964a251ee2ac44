//! What a test does that finds something missing.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};

/// Each of these turns a skip into a failure.
const NO_SKIP: [&str; 2] = ["CI", "BEAKERHELPERS_NO_SKIP"];

/// Says that a test does not run, and why: `skipped: …` on standard error. The test is to return then.
///
/// # Panics
///
/// Where nothing may be skipped: under CI, that is where the environment variable `CI` or `BEAKERHELPERS_NO_SKIP` is set
/// to anything but `0` and `false`.
#[track_caller]
pub fn skip(why: &str) {
    skip_or_fail(why, skips_fail().is_some());
}

#[track_caller]
fn skip_or_fail(why: &str, skips_fail: bool) {
    assert!(!skips_fail, "{why}");
    // Not `eprintln!`: the harness shows that only where a test fails.
    let _ = writeln!(io::stderr(), "skipped: {why}");
}

/// What turns skips into failures, if anything does.
fn skips_fail() -> Option<OsString> {
    NO_SKIP.into_iter().filter_map(env::var_os).find(|value| !value.is_empty() && value != "0" && value != "false")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_is_a_failure_under_ci() {
        assert!(std::panic::catch_unwind(|| skip_or_fail("nothing is there", true)).is_err());
    }
}
