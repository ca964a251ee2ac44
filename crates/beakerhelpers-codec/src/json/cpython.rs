//! JSON against CPython's json and zlib: what it writes is read here, and what is written here it reads.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use beakerhelpers_core::value::Draft;
use beakerhelpers_core::{Framing, Payload, Session};
use beakerhelpers_testkit::{Python, python};

use super::{Limits, Reader};
use crate::text::Text;
use crate::{Decoded, Decoder};

const SCRIPT: &str = include_str!("../../tests/data/json_values.py");

/// Runs the script with the Python of the tests.
fn run(python: &Python, args: &[&str], input: String) -> String {
    let mut command = python.command();
    command.arg("-c").arg(SCRIPT).args(args).env("PYTHONIOENCODING", "utf-8");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python starts");
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the script failed");
    String::from_utf8(output.stdout).unwrap()
}

fn unhex(digits: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.as_bytes().chunks(2).map(byte).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").unwrap();
        digits
    })
}

fn read(reader: &mut Reader, zlib: &[u8]) -> Session {
    let mut draft = Draft::new();
    let root = reader.read(&mut draft, zlib, Limits::of(zlib.len(), 1 << 20)).unwrap();
    draft.finish(root).unwrap()
}

/// What `repr` prints of a dict with the keys and values of a session.
fn repr(session: &Session) -> String {
    let (mut out, mut separator) = (String::from("{"), "");
    for (key, value) in session {
        out.push_str(separator);
        Text::new().append_repr(key, &mut out).unwrap();
        out.push_str(": ");
        Text::new().append_repr(value, &mut out).unwrap();
        separator = ", ";
    }
    out + "}"
}

#[test]
fn what_python_writes_is_read_and_what_is_written_python_reads() {
    let python = python!();
    let (mut seen, mut refused, mut again) = ((0, 0), 0, String::new());
    let mut reader = Reader::default();
    for line in run(&python, &[], String::new()).lines() {
        let fields: Vec<_> = line.split('|').collect();
        match fields[..] {
            ["read", zlib, representation] => {
                let session = read(&mut reader, &unhex(zlib));
                assert_eq!(repr(&session), String::from_utf8(unhex(representation)).unwrap());
                let ours = super::write(&session).unwrap();
                writeln!(again, "{}|{representation}", hex(&ours)).unwrap();
                seen.0 += 1;
            }
            ["write", pickle, json] => {
                let payload = Payload::new(Framing::Namespace, unhex(pickle));
                let Ok(Decoded::Session(session)) = Decoder::new().decode(&payload) else { panic!("no session") };
                let mut ours = String::new();
                match super::write::object(&session, &mut ours) {
                    Ok(()) => assert_eq!(hex(ours.as_bytes()), json, "{ours}"),
                    Err(error) => {
                        assert_eq!(json, "", "{error}");
                        refused += 1;
                    }
                }
                seen.1 += 1;
            }
            _ => panic!("{} fields", fields.len()),
        }
    }
    assert!(seen.0 > 1500 && seen.1 > 1500 && (20..500).contains(&refused), "{seen:?} {refused}");
    assert_eq!(run(&python, &["check"], again).trim(), seen.0.to_string());
}
