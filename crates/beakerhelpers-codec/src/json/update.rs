//! Changing some members of an object and nothing else.

use std::borrow::Cow;
use std::collections::HashMap;

use beakerhelpers_core::{Result, Value};

use super::cursor::{Cursor, SPACE};
use super::string::{self, Text};
use super::write;
use crate::fault::Fault;

/// Appends the object that is `original` but for some members. What is not changed keeps its text and its order; what
/// is changed keeps its place; what is new, or was removed and set again, comes last.
///
/// `original` was read before, so it is known to be whole. `changes` are as those of
/// [`Session::changes`](beakerhelpers_core::Session::changes).
///
/// # Errors
///
/// As [`write`](super::write()), and [`Corrupt`](beakerhelpers_core::ErrorKind::Corrupt) where `original` is no object.
pub(super) fn object<'a>(
    original: &str,
    changes: impl IntoIterator<Item = (&'a str, Option<Value<'a>>)>,
    out: &mut String,
) -> Result<()> {
    let mut pending: Vec<(&str, Option<Value<'_>>)> = changes.into_iter().collect();
    let mut first: HashMap<&str, usize> = HashMap::with_capacity(pending.len());
    for (at, (key, _)) in pending.iter().enumerate() {
        first.entry(key).or_insert(at);
    }
    let mut separator = "";
    let mut separate = |out: &mut String| {
        out.push_str(separator);
        separator = ", ";
    };
    out.push('{');
    for member in Members::of(original).map_err(super::damaged_json)? {
        let Member { key, text } = member.map_err(super::damaged_json)?;
        let Some(change) = key.and_then(|key| first.get(key.as_ref())).and_then(|at| pending.get_mut(*at)) else {
            separate(out);
            out.push_str(text);
            continue;
        };
        // Of equal keys the first place counts: a second one has nothing to write any more.
        if let (key, Some(value)) = (change.0, change.1.take()) {
            separate(out);
            write::member(key, value, out)?;
        }
    }
    for (key, value) in pending {
        if let Some(value) = value {
            separate(out);
            write::member(key, value, out)?;
        }
    }
    out.push('}');
    Ok(())
}

/// A member of an object.
#[derive(Debug, PartialEq, Eq)]
struct Member<'a> {
    /// What its key means; `None` where that has lone surrogates.
    key: Option<Cow<'a, str>>,
    /// All of it as it stands there: key, colon and value.
    text: &'a str,
}

/// The members of an object that is known to be whole, one by one, without reading their values.
struct Members<'a> {
    json: &'a str,
    cursor: Cursor<'a>,
    is_first: bool,
}

impl<'a> Members<'a> {
    fn of(json: &'a str) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(json.as_bytes());
        cursor.skip_space();
        if cursor.take(b'{') { Ok(Self { json, cursor, is_first: true }) } else { Err(cursor.missing("an object")) }
    }

    fn member(&mut self) -> Result<Option<Member<'a>>, Fault> {
        let cursor = &mut self.cursor;
        cursor.skip_space();
        if cursor.take(b'}') {
            return Ok(None);
        }
        if !std::mem::take(&mut self.is_first) {
            if !cursor.take(b',') {
                return Err(cursor.missing("`,` or `}`"));
            }
            cursor.skip_space();
        }
        let start = cursor.at();
        let key = match cursor.key()? {
            Text::Plain(text) => std::str::from_utf8(text).ok().map(Cow::Borrowed),
            Text::Escaped(text) => {
                let mut key = Vec::new();
                string::unescape(text, &mut key)
                    .map_err(|fault| Fault { at: start.saturating_add(1).saturating_add(fault.at), ..fault })?;
                String::from_utf8(key).ok().map(Cow::Owned)
            }
        };
        let mut depth = 0_usize;
        loop {
            match cursor.peek() {
                Some(b'"') => {
                    cursor.string()?;
                    continue;
                }
                Some(b',' | b']' | b'}') if depth == 0 => break,
                Some(b'[' | b'{') => depth = depth.saturating_add(1),
                Some(b']' | b'}') => depth = depth.saturating_sub(1),
                Some(_) => {}
                None => return Err(cursor.missing("`}`")),
            }
            cursor.bump();
        }
        let text = self.json.get(start..cursor.at()).unwrap_or_default();
        Ok(Some(Member { key, text: text.trim_end_matches(SPACE) }))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<Member<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.member().transpose()
    }
}

#[cfg(test)]
mod tests {
    use beakerhelpers_core::Session;

    use super::*;

    fn updated(original: &str, changes: &[(&str, Option<&str>)]) -> Result<String> {
        let session = Session::from_pairs(changes.iter().map(|(key, value)| (*key, (*value).unwrap_or("").into())));
        let values = session.iter().map(|(_, value)| value);
        let changes = changes.iter().zip(values).map(|((key, change), value)| (*key, change.map(|_| value)));
        let mut out = String::from("before");
        object(original, changes, &mut out)?;
        Ok(out.strip_prefix("before").unwrap().to_owned())
    }

    #[test]
    fn what_is_not_changed_keeps_its_text() {
        let original =
            r#" { "a":1E5 , "b" : [-0, {"x,}": "]\""}] ,"\u0063":"\u00e9é\/","d":{ } , "e":12345678901234567890 } "#;
        assert_eq!(
            updated(original, &[]).unwrap(),
            r#"{"a":1E5, "b" : [-0, {"x,}": "]\""}], "\u0063":"\u00e9é\/", "d":{ }, "e":12345678901234567890}"#
        );
        assert_eq!(
            updated(original, &[("c", Some("é")), ("new", Some("1")), ("a", None), ("none", None), ("e", None)])
                .unwrap(),
            r#"{"b" : [-0, {"x,}": "]\""}], "c": "\u00e9", "d":{ }, "new": "1"}"#
        );
        for empty in ["{}", " { } "] {
            assert_eq!(updated(empty, &[("a", None)]).unwrap(), "{}");
            assert_eq!(updated(empty, &[("a", Some("1")), ("b", Some("2"))]).unwrap(), r#"{"a": "1", "b": "2"}"#);
        }
    }

    #[test]
    fn a_key_that_is_there_twice_is_written_once() {
        let original = r#"{"a": 1, "b": 2, "a": 3, "\ud800": 4}"#;
        assert_eq!(updated(original, &[("a", Some("x"))]).unwrap(), r#"{"a": "x", "b": 2, "\ud800": 4}"#);
        assert_eq!(updated(original, &[("a", None)]).unwrap(), r#"{"b": 2, "\ud800": 4}"#);
        assert_eq!(updated(original, &[("b", None)]).unwrap(), r#"{"a": 1, "a": 3, "\ud800": 4}"#);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for original in
            ["", "[]", "{", "{\"a\"", "{\"a\":1", "{\"a\":\"", "{\"a\":1]", "{\"a\" 1}", "{\"\\x\": 1}", "{\"a\": [[1}"]
        {
            assert!(updated(original, &[]).is_err(), "{original}");
        }
    }
}
