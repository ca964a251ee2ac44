//! Names with dots in them: of classes in classes, and of nothing at all.

use std::fmt::Write as _;

use beakerhelpers_codec::{Decoded, Decoder, Encoder};
use beakerhelpers_core::{Error, ErrorKind, Framing, Payload, Result, Session};
use beakerhelpers_testkit::python;

use super::{repr_of, session};

/// A session of one key, `v`, as a pickle of this protocol.
fn payload(protocol: u8, value: &[u8]) -> Payload {
    let pickle = [&[0x80, protocol], &b"}Vsession\n}Vv\n"[..], value, b"ss."].concat();
    Payload::new(Framing::Namespace, pickle)
}

fn decoded(payload: &Payload) -> Session {
    let Ok(Decoded::Session(session)) = Decoder::new().decode(payload) else { panic!("no session") };
    session
}

/// Written anew, in protocol 2.
fn anew(payload: &Payload) -> Result<Payload> {
    Encoder::new().encode(&decoded(payload), Framing::Namespace)
}

fn shown(payload: &Payload) -> String {
    repr_of(decoded(payload).value("v").unwrap())
}

/// Prints what Python makes of sessions that were written anew.
const SCRIPT: &str = "
import base64, pickle, sys, types

class Cart:
    class Item:
        pass

shop = sys.modules['shop'] = types.ModuleType('shop')
shop.Cart = Cart
setattr(shop, 'Cart.Item', 'one name')
for payload in PAYLOADS.split():
    value = pickle.loads(base64.b64decode(pickle.loads(bytes.fromhex(payload))['session']))['v']
    print('the class' if value is Cart.Item else value)
";

#[test]
fn a_name_with_a_dot_means_in_python_what_it_meant() {
    let mut payloads = String::new();
    // Only since protocol 4 Python looks up the parts of a name one after the other.
    for protocol in [4, 2, 0] {
        let anew = anew(&payload(protocol, b"cshop\nCart.Item\n")).unwrap();
        anew.bytes().iter().for_each(|byte| write!(payloads, "{byte:02x}").unwrap());
        payloads.push(' ');
    }
    let printed = python!().run(&format!("PAYLOADS = '{payloads}'\n{SCRIPT}"));
    assert_eq!(printed.lines().collect::<Vec<_>>(), ["the class", "one name", "one name"]);
}

#[test]
fn names_that_no_class_in_a_class_has_are_not_written() {
    let refused = |error: &Error| {
        error.kind() == ErrorKind::Unsupported
            && error.to_string().contains("`v`")
            && error.to_string().contains("name")
    };
    let deep = format!("A{}", ".A".repeat(9));
    for name in ["dic.", ".dic", "a..b", ".", "a.b c", "a.b'", "a.\u{200b}", &deep] {
        let value = format!("cshop\n{name}\n");
        let before = payload(4, value.as_bytes());
        let error = anew(&before).unwrap_err();
        assert!(refused(&error), "{name}: {error}");
        // It stays where it is not written anew.
        let mut session = decoded(&before);
        session.set("w", |draft| draft.int(8));
        let updated = Encoder::new().update(&before, &session).unwrap();
        assert_eq!(shown(&updated), shown(&before));
        // Protocols 0 to 2 have names with dots in them, and no parts.
        let before = payload(2, value.as_bytes());
        assert_eq!(shown(&anew(&before).unwrap()), format!("<class 'shop.{name}'>"));
    }
}

#[test]
fn a_class_in_a_class_is_named_whatever_it_came_by() {
    let deep = format!("A{}", ".A".repeat(8));
    let value = format!("(cshop\n{deep}\ncshop\nOuter.\u{915}\u{93f}\n)Rcbuiltins\nOuter.Error\n)Rl");
    let plain = "<shop.Outer.\u{915}\u{93f} object>, <Outer.Error object>]";
    let before = payload(4, value.as_bytes());
    assert_eq!(shown(&before), format!("[<class 'shop.{deep}'>, {plain}"));
    // What `getattr` gives may be a class, and may be a member of an enumeration.
    assert_eq!(shown(&anew(&before).unwrap()), format!("[shop.{deep}, {plain}"));
}

#[test]
fn a_class_in_a_class_may_be_given_to_others() {
    let inner = "c__builtin__\ngetattr\n(cm\nOuter\nVInner\ntR";
    for (value, expected) in [
        (format!("ccopy_reg\n_reconstructor\n({inner}c__builtin__\nobject\nNtR"), "<m.Outer.Inner object>"),
        (format!("ccopy_reg\n__newobj__\n({inner}I1\ntR"), "m.Outer.Inner(1)"),
        (
            format!("ccollections\ndefaultdict\n({inner}tRp1\nVk\ng1\ns"),
            "defaultdict(m.Outer.Inner, {'k': defaultdict(m.Outer.Inner, {...})})",
        ),
        ("czoneinfo\nZoneInfo._unpickle\n(VUTC\nI01\ntR".to_owned(), "zoneinfo.ZoneInfo(key='UTC')"),
    ] {
        let pickle = [b"}Vsession\n}Vv\n", value.as_bytes(), b"ss."].concat();
        assert_eq!(repr_of(session(&pickle).value("v").unwrap()), expected);
    }
}
