//! Values that CPython pickles and prints.

use std::io::Write as _;
use std::process::Stdio;

use beakerhelpers_testkit::{Python, python};

use super::{repr_of, session, str_of};

const SCRIPT: &str = include_str!("../data/values.py");

/// Runs the script with the Python of the tests.
pub(super) fn run(python: &Python) -> String {
    let mut child = python
        .command()
        .arg("-")
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    child.stdin.take().unwrap().write_all(SCRIPT.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the script failed");
    String::from_utf8(output.stdout).unwrap()
}

pub(super) fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn every_value_prints_as_in_python_whatever_the_protocol() {
    let mut seen = 0;
    for line in run(&python!()).lines() {
        let fields: Vec<_> = line.split('|').collect();
        let [protocol, pickle, string, representation] = fields[..] else { panic!("{} fields", fields.len()) };
        let pickle = unhex(pickle);
        let session = session(&pickle);
        let value = session.value("v").unwrap();
        for (ours, theirs) in [(str_of(value), string), (repr_of(value), representation)] {
            let theirs = String::from_utf8(unhex(theirs)).unwrap();
            assert_eq!(ours, theirs, "protocol {protocol}, {}", pickle.escape_ascii());
        }
        seen += 1;
    }
    assert!(seen > 3000, "{seen}");
}
