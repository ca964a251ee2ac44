//! Values that CPython pickles and prints.

use beakerhelpers_codec::text::Text;
use beakerhelpers_core::Value;
use beakerhelpers_testkit::python;

use super::session;

pub(super) const SCRIPT: &str = include_str!("../data/values.py");

/// A value as CPython pickled it, and what CPython prints of it.
struct Case<'l> {
    protocol: &'l str,
    pickle: Vec<u8>,
    /// `str`, `repr`, and `repr` with the state of objects.
    texts: [String; 3],
}

impl<'l> Case<'l> {
    fn parse(line: &'l str) -> Self {
        let fields: Vec<_> = line.split('|').collect();
        let [protocol, pickle, texts @ ..] = &fields[..] else { panic!("{} fields", fields.len()) };
        let texts = texts.iter().map(|text| String::from_utf8(unhex(text)).unwrap()).collect::<Vec<_>>();
        Self { protocol, pickle: unhex(pickle), texts: texts.try_into().expect("three texts") }
    }

    /// Decodes it and compares what is printed. All that must hold of any value stands here.
    fn check(&self) {
        let session = session(&self.pickle);
        let value = session.value("v").unwrap();
        let context = || format!("protocol {}, {}", self.protocol, self.pickle.escape_ascii());
        assert_eq!(texts(value), self.texts, "{}", context());
    }
}

fn texts(value: Value<'_>) -> [String; 3] {
    let mut texts = [const { String::new() }; 3];
    let [string, representation, full] = &mut texts;
    Text::new().append_str(value, string).unwrap();
    Text::new().append_repr(value, representation).unwrap();
    Text::new().with_state().append_repr(value, full).unwrap();
    texts
}

pub(super) fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn every_value_prints_as_in_python_whatever_the_protocol() {
    let printed = python!().run(SCRIPT);
    let cases = printed.lines().map(Case::parse);
    let seen = cases.map(|case| case.check()).count();
    assert!(seen > 8000, "{seen}");
}
