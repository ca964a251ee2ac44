//! Which classes and functions a payload refers to, and which of them no session should.

mod danger;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use beakerhelpers_core::value::{Form, Global, Kind, Object};
use beakerhelpers_core::{Session, Value};

use crate::text::Text;

/// A class or function that a pickle refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Class {
    /// Module and qualified name, such as `datetime.datetime`, as Python 3 has them: what a pickle of protocol 2 calls
    /// `__builtin__.xrange` is `builtins.range`. It may hold any character.
    pub name: String,
    /// How often it is called, or referred to without that.
    pub uses: u64,
    /// What it can do that a session has no use for, in words such as `runs programs`.
    pub danger: Option<&'static str>,
}

/// A longer name is cut, and an ellipsis stands for the rest: it is no name of Python.
const LONGEST_NAME: usize = 200;

/// Finds the classes and functions that a payload refers to, by name: wherever a reference stands, in arguments, in
/// states, or in what was thrown away while reading. That includes what typed values are made of.
///
/// A [`Decoder`](crate::Decoder) leaves what it has read in the session that it was given, whether that was a session or
/// not, and whether it could be read to its end or not. So an attack can be found in any payload.
///
/// Names are told by text alone: nothing is imported. That a name is not among the dangerous ones does not make it safe
/// to load.
pub fn classes(session: &Session) -> Vec<Class> {
    let mut calls: HashMap<usize, Calls> = HashMap::new();
    for object in session.nodes().filter_map(object) {
        let Some(callable) = object.callable() else { continue };
        let harmless = reads_an_attribute(&object);
        calls.entry(callable.id()).or_default().add(harmless);
        // Helpers of `copyreg` call the class that is their first argument.
        let helped = object.args().get(0).filter(|first| callable_is_helper(callable) && global(*first).is_some());
        if let Some(class) = helped {
            calls.entry(class.id()).or_default().add(false);
        }
    }
    let mut found: BTreeMap<String, Class> = BTreeMap::new();
    for (id, class) in session.nodes().filter_map(|value| Some((value.id(), global(value)?))) {
        let calls = calls.get(&id).copied().unwrap_or_default();
        let (module, name) = (part(class.module, class.python3_name().0), part(class.name, class.python3_name().1));
        // A name of Python 2 is what it is, whatever protocol it stands in.
        let modern = Some(class.modern_name()).filter(|modern| *modern != (&module, &name));
        let danger = danger::of(&module, &name).or_else(|| modern.and_then(|(module, name)| danger::of(module, name)));
        let danger = danger.filter(|_| calls.all == 0 || calls.harmless < calls.all);
        let full = cut(format!("{module}.{name}"));
        let entry = found.entry(full.clone()).or_insert(Class { name: full, uses: 0, danger: None });
        entry.uses = entry.uses.saturating_add(calls.all.max(1));
        entry.danger = entry.danger.or(danger);
    }
    found.into_values().collect()
}

#[derive(Clone, Copy, Debug, Default)]
struct Calls {
    all: u64,
    /// Those that cannot do harm, whatever the name says.
    harmless: u64,
}

impl Calls {
    const fn add(&mut self, harmless: bool) {
        self.all = self.all.saturating_add(1);
        self.harmless = self.harmless.saturating_add(harmless as u64);
    }
}

fn object(value: Value<'_>) -> Option<Object<'_>> {
    match value.raw_kind() {
        Kind::Object(object) => Some(object),
        _ => None,
    }
}

fn global(value: Value<'_>) -> Option<Global<'_>> {
    match value.raw_kind() {
        Kind::Global(global) => Some(global),
        _ => None,
    }
}

fn callable_is_helper(callable: Value<'_>) -> bool {
    global(callable).is_some_and(|class| class.python3_name().0 == "copyreg")
}

/// Whether this is `getattr(Class, 'name')` of a class that is not dangerous: members of enumerations, methods and
/// `zoneinfo` are pickled so.
fn reads_an_attribute(object: &Object<'_>) -> bool {
    let is_getattr =
        object.callable().and_then(global).is_some_and(|class| class.python3_name() == ("builtins", "getattr"));
    let mut args = object.args();
    let (of, name) = (args.next().and_then(global), args.next().and_then(Value::as_str));
    let (Some(of), Some(name), true) = (of, name, is_getattr && object.form() == Form::Call) else { return false };
    let (module, class) = of.python3_name();
    args.is_empty() && danger::of(module, class).is_none() && danger::of("", name).is_none()
}

/// A part of a name as Python 3 has it; what is no text as that prints.
fn part<'a>(value: Value<'a>, python3: &'a str) -> Cow<'a, str> {
    if value.as_str().is_some() {
        return Cow::Borrowed(python3);
    }
    let mut text = String::new();
    // What is longer is no name.
    let shown = Text::new().with_max_len(LONGEST_NAME).append_str(value, &mut text);
    Cow::Owned(if shown.is_ok() { text } else { "…".to_owned() })
}

fn cut(mut name: String) -> String {
    if name.len() > LONGEST_NAME {
        let end = (0..=LONGEST_NAME).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
        name.truncate(end);
        name.push('…');
    }
    name
}

#[cfg(test)]
mod tests {
    use beakerhelpers_core::{Framing, Payload};

    use super::*;
    use crate::Decoder;

    /// What is found in a payload, whatever becomes of it.
    fn found(bytes: &[u8]) -> Vec<(String, u64, bool)> {
        let mut session = Session::new();
        let _ = Decoder::new().decode_into(&Payload::new(Framing::Namespace, bytes.to_vec()), &mut session);
        classes(&session).into_iter().map(|class| (class.name, class.uses, class.danger.is_some())).collect()
    }

    fn one(name: &str, uses: u64, danger: bool) -> (String, u64, bool) {
        (name.to_owned(), uses, danger)
    }

    #[test]
    fn calls_and_references_count() {
        let bytes = b"}Vsession\n}(Va\ncshop\nCart\nq\0)\x81Vb\nh\0)\x81Vc\nh\0Vd\nc__builtin__\nxrange\n(I1\nI2\nI3\ntRuVe\ncshop\nCart\nss.";
        assert_eq!(found(bytes), [one("builtins.range", 1, false), one("shop.Cart", 3, false)]);
        let bytes = b"}Vsession\n}Va\nccopy_reg\n_reconstructor\n(cmy\nClass\nc__builtin__\nobject\nNtRss.";
        let expected = ["builtins.object", "copyreg._reconstructor", "my.Class"].map(|name| one(name, 1, false));
        assert_eq!(found(bytes), expected);
    }

    #[test]
    fn nothing_hides() {
        let attack = b"cos\nsystem\n(Vid\ntR";
        let expected = [one("os.system", 1, true)];
        for (before, after) in [
            // Thrown away; in a state; as a key; as an argument of what is typed; in a cache; in an empty session.
            (&b""[..], &b"0}Vsession\n}Va\nNss."[..]),
            (b"}Vsession\n}Va\ncx\nY\n)\x81", b"bss."),
            (b"}Vsession\n}", b"Nss."),
            (b"}Vkey\n(F1.5\nN", b"ts."),
            (b"", b"0}."),
            // No dict, no end, no text.
            (b"", b"."),
            (b"", b"(((("),
            (b"", b"\xff"),
            (b"", b"X\x02\0\0\0\xc3(."),
            // Before base64 of a session.
            (b"", b"0}Vsession\nVgAJ9cQBYBAAAAHVzZXJxAVgDAAAAam9lcQJzLg==\ns."),
        ] {
            let bytes = [before, attack, after].concat();
            let found: Vec<_> = found(&bytes).into_iter().filter(|(_, _, danger)| *danger).collect();
            assert_eq!(found, expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn getattr_is_dangerous_where_more_than_a_class_is_asked() {
        let getattr = |of: &str, name: &str| {
            let pickle = format!("}}Vsession\n}}Va\nc__builtin__\ngetattr\n(c{of}\nV{name}\ntRss.");
            found(pickle.as_bytes()).iter().find(|(name, ..)| name == "builtins.getattr").unwrap().2
        };
        assert!(!getattr("shop\nColor", "RED") && !getattr("zoneinfo\nZoneInfo", "_unpickle"));
        // A class may be a module that another one has imported.
        assert!(getattr("uuid\nos", "system") && getattr("random\n_os", "system"));
        assert!(!getattr("shop\nStatus", "new") && getattr("shop\nStatus", "os.system"));
        assert!(getattr("os\npath", "join") && getattr("shop\nColor", "__class__") && getattr("shop\nColor", "os.x"));
        assert_eq!(found(b"}Vsession\n}Va\nc__builtin__\ngetattr\nss."), [one("builtins.getattr", 1, true)]);
    }

    #[test]
    fn names_of_python_2_are_known() {
        for (old, new, danger) in [
            ("__builtin__ eval", "builtins.eval", true),
            ("__builtin__ file", "builtins.file", true),
            ("cPickle loads", "pickle.loads", true),
            ("commands getoutput", "subprocess.getoutput", true),
            ("urllib2 urlopen", "urllib.request.urlopen", true),
            ("posix system", "posix.system", true),
            ("nt system", "nt.system", true),
            ("_winreg SetValue", "winreg.SetValue", true),
            ("os getcwdu", "os.getcwdu", true),
            ("exceptions StandardError", "builtins.Exception", false),
            ("itertools ifilter", "builtins.filter", false),
            ("urlparse ParseResult", "urllib.parse.ParseResult", false),
        ] {
            let reference = format!("}}Vsession\n}}Va\nc{}\nss.", old.replace(' ', "\n"));
            for protocol in [&b""[..], b"\x80\x02"] {
                assert_eq!(found(&[protocol, reference.as_bytes()].concat()), [one(new, 1, danger)]);
            }
            // Python 3 loads what stands there, and Python 2 would not.
            let later = [b"\x80\x04", reference.as_bytes()].concat();
            let dangerous = danger || old.starts_with("__builtin__");
            assert_eq!(found(&later), [one(&old.replace(' ', "."), 1, dangerous)]);
        }
    }

    #[test]
    fn names_are_cut_and_need_not_be_text() {
        let long = [b"}Vsession\n}Va\nc", &[b'x'; 500][..], b"\n\xc3\xa9\nss."].concat();
        assert_eq!(found(&long), [one(&format!("{}…", "x".repeat(200)), 1, false)]);
        assert_eq!(found(b"}Vsession\n}Va\nI1\nN\x93ss."), [one("1.None", 1, false)]);
    }
}
