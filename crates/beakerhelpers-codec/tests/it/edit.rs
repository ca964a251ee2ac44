//! Sessions that are changed here and loaded by CPython.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use beakerhelpers_codec::{Decoded, Decoder, Encoder, classes};
use beakerhelpers_core::value::{Draft, NodeId};
use beakerhelpers_core::{ErrorKind, Framing, Payload, Session};
use beakerhelpers_testkit::{Python, python};

use super::cpython::unhex;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/edit.py");

/// Runs the script with the Python of the tests.
pub(super) fn run(python: &Python, what: &str, input: &str) -> String {
    let mut child = python
        .command()
        .args([SCRIPT, what])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    // Where it ends early, it says why.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "`{what}` failed");
    String::from_utf8(output.stdout).unwrap()
}

/// Number, form, protocol and payload of every session that CPython pickled.
pub(super) fn made(python: &Python) -> Vec<(usize, String, u8, Payload)> {
    let made = run(python, "make", "");
    let payload = |line: &str| {
        let fields: Vec<_> = line.split('|').collect();
        let [number, form, protocol, bytes] = fields[..] else { panic!("{} fields", fields.len()) };
        let framing = if matches!(form, "value" | "inner") { Framing::Value } else { Framing::Namespace };
        let payload = Payload::new(framing, unhex(bytes));
        (number.parse().unwrap(), form.to_owned(), protocol.parse().unwrap(), payload)
    };
    made.lines().map(payload).collect()
}

fn decoded(payload: &Payload) -> Session {
    let Decoded::Session(session) = Decoder::new().decode(payload).unwrap() else { panic!("no session") };
    session
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// `["new", key, {"n": [1.5, None]}]`, as the script makes it.
fn new_value(draft: &mut Draft, key: &str) -> NodeId {
    let number = draft.float(1.5);
    let (inner, name) = (draft.list(&[number, NodeId::NONE]), draft.str("n"));
    let parts = [draft.str("new"), draft.str(key), draft.dict(&[name, inner])];
    draft.list(&parts)
}

fn keys(session: &Session) -> Vec<String> {
    session.iter().filter_map(|(key, _)| key.as_str()).map(str::to_owned).collect()
}

/// What can be done to a session, with the name that the script knows.
fn change(session: &mut Session, action: &str, key: &str) {
    match action {
        "set" => session.set(key, |draft| new_value(draft, key)),
        "scalar" => session.set(key, |draft| draft.str("new text")),
        "delete" => assert!(session.remove(key)),
        "move" => {
            let truth = !matches!(key, "none" | "empty" | "none2" | "array0" | "last" | "end");
            session.remove(key);
            session.set(key, |draft| if truth { draft.int(0) } else { draft.str("moved") });
        }
        // Some of them need the memo and some do not.
        "mixed" => keys(session).iter().enumerate().for_each(|(index, key)| match index % 4 {
            0 => session.set(key, |draft| draft.str("new text")),
            1 => assert!(session.remove(key)),
            2 => session.set(key, |draft| new_value(draft, key)),
            _ => {}
        }),
        "all" => keys(session).iter().skip(1).for_each(|key| session.set(key, |draft| new_value(draft, key))),
        "clear" => keys(session).iter().for_each(|key| assert!(session.remove(key))),
        _ => unreachable!("no other is asked for"),
    }
}

#[test]
fn what_is_changed_is_all_that_changes() {
    let python = python!();
    let mut input = String::new();
    let mut refused = BTreeSet::new();
    let mut encoder = Encoder::new();
    for (number, form, protocol, payload) in made(&python) {
        let session = decoded(&payload);
        assert_eq!(encoder.update(&payload, &session).unwrap(), payload, "nothing is changed");
        let keys = keys(&session);
        // Of many keys the first, the last, and those where CPython begins a new batch.
        let some = |index: usize| keys.len() < 100 || [0, 999, 1000, 2499].contains(&index);
        let mut cases: Vec<_> = keys
            .iter()
            .enumerate()
            .filter(|(index, _)| some(*index))
            .flat_map(|(_, key)| ["set", "scalar", "delete"].map(|action| (action, key.as_str())))
            .collect();
        cases.extend([("set", "a new key"), ("mixed", ""), ("all", ""), ("clear", "")]);
        // What follows `and` in the script needs a value that is true or not.
        if number == 0 {
            cases.extend(
                keys.iter()
                    .filter(|key| !key.is_empty())
                    .map(|key| ("move", key.as_str()))
                    .filter(|(_, key)| !key.starts_with('_')),
            );
        }
        for (action, key) in cases {
            let mut session = session.clone();
            change(&mut session, action, key);
            match encoder.update(&payload, &session) {
                Ok(updated) => {
                    let again = decode_all(&updated);
                    assert_eq!(again, self::keys(&session), "{form} {protocol} {action} {key}");
                    writeln!(
                        input,
                        "{number}|{form}|{action}|{}|{}|{}",
                        hex(key.as_bytes()),
                        hex(payload.bytes()),
                        hex(updated.bytes())
                    )
                    .unwrap();
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Unsupported);
                    refused.insert(format!("{number} {action} {key}"));
                }
            }
        }
    }
    let many = input.lines().count();
    assert_eq!(run(&python, "check", &input).trim(), many.to_string());
    assert!(many > 6000, "{many}");
    // Python sets the state of these by a function, or makes them twice, and the key that stays needs them.
    let expected = ["4 delete h", "4 delete i", "7 delete shared", "7 mixed ", "7 scalar shared", "7 set shared"];
    assert!(refused.iter().eq(&expected), "{refused:#?}");
}

fn decode_all(payload: &Payload) -> Vec<String> {
    match Decoder::new().decode(payload).unwrap() {
        Decoded::Session(session) => keys(&session),
        Decoded::Empty => Vec::new(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_written_anew_is_the_same() {
    let python = python!();
    let mut input = String::new();
    let mut encoder = Encoder::new();
    for (number, form, protocol, payload) in made(&python) {
        // What a function did beside giving a value is not in a session.
        if number == 7 {
            continue;
        }
        let anew = encoder.encode(&decoded(&payload), Framing::Namespace);
        let anew = anew.unwrap_or_else(|error| panic!("{number} {form} {protocol}: {error}"));
        writeln!(input, "{form}|{}|{}", hex(payload.bytes()), hex(anew.bytes())).unwrap();
    }
    let many = input.lines().count();
    assert_eq!(run(&python, "same", &input).trim(), many.to_string());
    assert!(many > 150, "{many}");
}

#[test]
fn every_value_written_anew_is_the_same() {
    let python = python!();
    let mut input = String::new();
    let mut encoder = Encoder::new();
    for line in python.run(super::cpython::SCRIPT).lines() {
        let Some(pickle) = line.split('|').nth(1) else { panic!("no pickle") };
        let payload = Payload::new(Framing::Namespace, unhex(pickle));
        let anew = encoder.encode(&decoded(&payload), Framing::Namespace).unwrap();
        writeln!(input, "plain|{pickle}|{}", hex(anew.bytes())).unwrap();
    }
    let many = input.lines().count();
    assert_eq!(run(&python, "values", &input).trim(), many.to_string());
    assert!(many > 8000, "{many}");
}

#[test]
fn a_name_means_the_same_after_the_protocol_changed() {
    // In Python 2 `dbm` is what Python 3 calls `dbm.ndbm`; Python 3's `dbm` was `anydbm`.
    for (protocol, name, loaded) in [
        (2, "dbm\nerror", "dbm.ndbm.error"),
        (4, "dbm\nerror", "dbm.error"),
        (2, "__builtin__\nxrange", "builtins.range"),
        (4, "builtins\nrange", "builtins.range"),
        (0, "my.shop\nCart", "my.shop.Cart"),
    ] {
        let pickle = [&[0x80, protocol], format!("}}Vsession\n}}Va\nc{name}\nss.").as_bytes()].concat();
        let mut session = decoded(&Payload::new(Framing::Namespace, pickle.clone()));
        let named = |session: &Session| classes(session).into_iter().map(|class| class.name).collect::<Vec<_>>();
        assert_eq!(named(&session), [loaded]);
        let anew = Encoder::new().encode(&session, Framing::Namespace).unwrap();
        assert_eq!(named(&decoded(&anew)), [loaded]);
        session.set("b", |_| NodeId::TRUE);
        let updated = Encoder::new().update(&Payload::new(Framing::Namespace, pickle), &session).unwrap();
        assert_eq!(named(&decoded(&updated)), [loaded]);
    }
}
