//! The machine against CPython's own tests of pickle.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use beakerhelpers_core::value::Draft;
use beakerhelpers_core::{Framing, Session};
use beakerhelpers_testkit::python;

use super::{Care, Fault, Machine, Reason};
use crate::text::Text;
use crate::{Decoder, Encoder};

const SCRIPT: &str = include_str!("../../tests/data/pickletester.py");

/// A session with the value of a pickle under `v`.
fn load(pickle: &[u8]) -> Result<Session, Fault> {
    let mut draft = Draft::new();
    let value = Machine::default().run(&mut draft, pickle, Care::Now)?;
    let key = draft.str("v");
    let root = draft.dict(&[key, value]);
    Ok(draft.finish(root).expect("with care, text is UTF-8"))
}

fn unhex(digits: &str) -> String {
    let bytes = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("hexadecimal"));
    let bytes = bytes.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal")).collect();
    String::from_utf8(bytes).expect("the script encodes text")
}

#[test]
fn every_opcode_of_pickletools_is_known() {
    let printed =
        python!().run("import pickletools; [print(opcode.code.encode('latin1')[0]) for opcode in pickletools.opcodes]");
    let opcodes: Vec<u8> = printed.lines().map(|line| line.parse().expect("a byte")).collect();
    assert!(opcodes.len() >= 68, "{}", opcodes.len());
    let unknown = |opcode: &u8| {
        let reason = load(&[*opcode]).err().map(|fault| fault.reason);
        matches!(reason, Some(Reason::UnknownOpcode(_)))
    };
    for opcode in 0..=u8::MAX {
        assert_eq!(unknown(&opcode), !opcodes.contains(&opcode), "0x{opcode:02x}");
    }
}

#[test]
fn every_pickle_of_cpythons_own_tests_is_read() {
    let printed = python!().run(SCRIPT);
    let mut lines = printed.lines();
    let ran: Vec<usize> = lines.next().expect("a line").split('|').skip(1).map(|n| n.parse().expect("n")).collect();
    assert!(matches!(ran[..], [ran, 0] if ran > 500), "{ran:?} tests ran and failed");
    let mut seen = BTreeMap::new();
    let mut compared = 0;
    for line in lines {
        let fields: Vec<_> = line.split('|').collect();
        let [outcome, pickle, text] = fields[..] else { panic!("{} fields", fields.len()) };
        let pickle = BASE64.decode(pickle).expect("the script encodes pickles");
        check(outcome, &pickle, text);
        *seen.entry(outcome).or_insert(0) += 1;
        compared += usize::from(!text.is_empty());
    }
    let least = [("loaded", 3000), ("malformed", 150), ("elsewhere", 5)];
    assert!(least.iter().all(|(outcome, least)| seen.get(outcome).is_some_and(|seen| seen >= least)), "{seen:?}");
    assert!(compared > 3000, "{compared}");
}

/// What the value prints once it was written by us and read again; `None` where that would be endless, or where it is
/// made of itself.
fn rewritten(session: &Session) -> Option<String> {
    let anew = Encoder::new().encode(session, Framing::Value).ok()?;
    let mut again = Session::new();
    Decoder::new().decode_into(&anew, &mut again).expect("what we write is read");
    let mut out = String::new();
    let text = Text::new().with_max_len(10 << 20).with_state();
    text.append_repr(again.value("v").expect("it is there"), &mut out).ok().map(|()| out)
}

/// Well-formed, and refused by Python because `len` is no class: here it is a name.
const MEANINGLESS: [&[u8]; 2] = [b"cbuiltins\nlen\n)\x81.", b"cbuiltins\nlen\n)}\x92."];

/// 0 in Python, which calls `int`.
const UNCALLED: [&[u8]; 3] = [b"cbuiltins\nint\n)\x81.", b"cbuiltins\nint\n)}\x92.", b"cbuiltins\nint\n)R."];

/// Reads a pickle of which Python has made this.
fn check(outcome: &str, pickle: &[u8], text: &str) {
    let shown = || format!("{outcome}: {}", pickle.get(..300).unwrap_or(pickle).escape_ascii());
    let session = match (outcome, load(pickle)) {
        ("loaded", Err(fault)) => panic!("{fault:?}, {}", shown()),
        ("elsewhere", read) => {
            assert!(matches!(read, Err(Fault { reason: Reason::OutOfBand, .. })), "{}", shown());
            return;
        }
        ("malformed", read) => {
            assert!(read.is_err() || MEANINGLESS.contains(&pickle), "{}", shown());
            return;
        }
        (_, Err(_)) => return,
        (_, Ok(session)) => session,
    };
    let mut out = String::new();
    let value = session.value("v").expect("it is there");
    let printed = Text::new().with_max_len(10 << 20).with_state().append_repr(value, &mut out);
    // Whatever it is, it can be written and read again; names of classes may become those of Python 2.
    let again = rewritten(&session);
    if !text.is_empty() {
        assert_eq!(again.as_ref(), Some(&out), "{}", shown());
        printed.expect("it is no longer than Python's");
        assert!(out == unhex(text) || UNCALLED.contains(&pickle), "{out} is not {}: {}", unhex(text), shown());
    }
}
