//! Values as Python's `json.dumps` writes them.

use std::borrow::Cow;
use std::fmt::Write as _;

use beakerhelpers_core::value::{Items, Pairs};
use beakerhelpers_core::{Error, Kind, Result, Value, escape_controls};

use super::string::{push_surrogates, push_text};
use crate::ascii;
use crate::class::type_name;
use crate::text::{Text, float};

/// How deep a value may be nested. Python's own reader gives up at 1,000 levels less those of the calls that led to it,
/// and then the session is lost to its site.
const DEEPEST: usize = 500;

/// How long JSON may become: what a payload may be, by default. A short pickle can stand for JSON of any length, by
/// referring to the same value again and again.
const LONGEST: usize = 64 << 20;

/// Why a value cannot be written.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    Value(Cow<'static, str>),
    Key(Cow<'static, str>),
    LongInt,
    Recursive,
    Deep,
    Long,
}

/// Appends an object with these members, as `json.dumps` does without options: keys that are numbers, `True`, `False` or
/// `None` become text, tuples become lists, and all but ASCII is escaped.
///
/// # Errors
///
/// [`Unsupported`](beakerhelpers_core::ErrorKind::Unsupported) where JSON cannot hold a value, or a Python program could
/// not read it again; it names the key.
pub(super) fn object<'a>(pairs: impl IntoIterator<Item = (Value<'a>, Value<'a>)>, out: &mut String) -> Result<()> {
    out.push('{');
    let mut separator = "";
    for (key, value) in pairs {
        out.push_str(separator);
        separator = ", ";
        let written = push_key(key, out).and_then(|()| {
            out.push_str(": ");
            push(value, out)
        });
        written.map_err(|refusal| refused(&shown(key), &refusal))?;
    }
    out.push('}');
    Ok(())
}

/// Appends one member, without anything before or after it.
pub(super) fn member(key: &str, value: Value<'_>, out: &mut String) -> Result<()> {
    push_text(key, out);
    out.push_str(": ");
    push(value, out).map_err(|refusal| refused(&escape_controls(key), &refusal))
}

fn refused(key: &str, refusal: &Refusal) -> Error {
    let why = match refusal {
        Refusal::Value(class) => format!("there is no JSON for a `{class}`"),
        Refusal::Key(class) => format!("in JSON a `{class}` cannot be a key"),
        Refusal::LongInt => "Python reads no `int` of more than 4300 digits".to_owned(),
        Refusal::Recursive => "it contains itself".to_owned(),
        Refusal::Deep => format!("it is nested more than {DEEPEST} levels deep"),
        Refusal::Long => format!("its JSON would be longer than {LONGEST} bytes"),
    };
    Error::unsupported(format!("the value of `{key}` cannot be stored as JSON: {why}"))
}

/// A key for a message.
fn shown(key: Value<'_>) -> String {
    let mut text = String::new();
    match Text::new().with_max_len(200).append_str(key, &mut text) {
        Ok(()) => escape_controls(&text).into_owned(),
        Err(_) => "a long key".to_owned(),
    }
}

/// The rest of a container.
enum Frame<'a> {
    List(Items<'a>),
    Dict(Pairs<'a>),
}

fn push(value: Value<'_>, out: &mut String) -> Result<(), Refusal> {
    // With each container that is open, where the previous ones begin.
    let mut frames: Vec<(Frame<'_>, usize)> = Vec::new();
    let mut next = Some(value);
    loop {
        if let Some(value) = next.take() {
            match begin(value, out)? {
                Some(_) if frames.len() >= DEEPEST => return Err(too_deep(&frames, value)),
                Some(frame) => frames.push((frame, value.id())),
                None => {}
            }
        }
        if out.len() > LONGEST {
            return Err(Refusal::Long);
        }
        // A text in a container would end with a quote.
        let is_first = out.ends_with(['[', '{']);
        let Some((frame, _)) = frames.last_mut() else { return Ok(()) };
        let separator = if is_first { "" } else { ", " };
        match frame {
            Frame::List(items) => match items.next() {
                Some(item) => {
                    out.push_str(separator);
                    next = Some(item);
                    continue;
                }
                None => out.push(']'),
            },
            Frame::Dict(pairs) => match pairs.next() {
                Some((key, value)) => {
                    out.push_str(separator);
                    push_key(key, out)?;
                    out.push_str(": ");
                    next = Some(value);
                    continue;
                }
                None => out.push('}'),
            },
        }
        frames.pop();
    }
}

/// A value that contains itself is nested deeper than anything, and nothing else has the same container twice.
fn too_deep(frames: &[(Frame<'_>, usize)], value: Value<'_>) -> Refusal {
    let mut ids: Vec<usize> = frames.iter().map(|(_, id)| *id).chain([value.id()]).collect();
    ids.sort_unstable();
    let many = ids.len();
    ids.dedup();
    if ids.len() < many { Refusal::Recursive } else { Refusal::Deep }
}

/// Appends an atom, or the bracket that opens a container.
fn begin<'a>(value: Value<'a>, out: &mut String) -> Result<Option<Frame<'a>>, Refusal> {
    match value.kind() {
        Kind::List(items) | Kind::Tuple(items) => {
            out.push('[');
            return Ok(Some(Frame::List(items)));
        }
        // Python asks whether it is a dict, and these are.
        Kind::Dict(pairs) | Kind::OrderedDict(pairs) | Kind::DefaultDict { pairs, .. } | Kind::Counter(pairs) => {
            out.push('{');
            return Ok(Some(Frame::Dict(pairs)));
        }
        Kind::Str(text) => push_text(text, out),
        Kind::SurrogateStr(bytes) => push_surrogates(bytes, out),
        kind => {
            if !push_plain(&kind, out)? {
                return Err(Refusal::Value(type_name(value)));
            }
        }
    }
    Ok(None)
}

fn push_key(key: Value<'_>, out: &mut String) -> Result<(), Refusal> {
    match key.kind() {
        Kind::Str(text) => push_text(text, out),
        Kind::SurrogateStr(bytes) => push_surrogates(bytes, out),
        kind => {
            out.push('"');
            if !push_plain(&kind, out)? {
                return Err(Refusal::Key(type_name(key)));
            }
            out.push('"');
        }
    }
    Ok(())
}

/// Appends what is the same in quotes, as a key; `false` where it is nothing of that sort.
fn push_plain(kind: &Kind<'_>, out: &mut String) -> Result<bool, Refusal> {
    match *kind {
        Kind::None => out.push_str("null"),
        Kind::Bool(true) => out.push_str("true"),
        Kind::Bool(false) => out.push_str("false"),
        Kind::Int(int) => out.push_str(itoa::Buffer::new().format(int)),
        Kind::BigInt(int) => {
            let before = out.len();
            let written = write!(out, "{int}");
            debug_assert!(written.is_ok(), "a String takes everything");
            let digits = out.get(before..).unwrap_or_default().trim_start_matches('-');
            if digits.len() > ascii::MAX_DIGITS || digits.starts_with("0x") {
                return Err(Refusal::LongInt);
            }
        }
        Kind::Float(value) if value.is_nan() => out.push_str("NaN"),
        Kind::Float(f64::INFINITY) => out.push_str("Infinity"),
        Kind::Float(f64::NEG_INFINITY) => out.push_str("-Infinity"),
        Kind::Float(value) => float::push(out, value),
        _ => return Ok(false),
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use beakerhelpers_core::value::{Draft, NodeId};
    use beakerhelpers_core::{ErrorKind, Session};

    use super::*;

    fn written(build: impl FnOnce(&mut Draft) -> NodeId) -> Result<String> {
        let mut session = Session::from_pairs([("a", 1.into())]);
        session.set("b", build);
        let mut out = String::new();
        object(&session, &mut out)?;
        Ok(out.strip_prefix(r#"{"a": 1, "b": "#).unwrap().strip_suffix('}').unwrap().to_owned())
    }

    fn refused(build: impl FnOnce(&mut Draft) -> NodeId) -> String {
        let error = written(build).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        error.message().strip_prefix("the value of `b` cannot be stored as JSON: ").unwrap().to_owned()
    }

    fn nested(draft: &mut Draft, depth: usize) -> NodeId {
        (1..depth).fold(draft.list(&[]), |inner, _| draft.list(&[inner]))
    }

    #[test]
    fn keys_become_text() {
        let json = written(|draft| {
            let mut keys = vec![NodeId::NONE, NodeId::TRUE, NodeId::FALSE];
            keys.extend([
                draft.int(-7),
                draft.float(1e16),
                draft.float(f64::NAN),
                draft.big_int(&[0, 0, 0, 0, 0, 0, 0, 0, 64]),
                draft.str("é"),
            ]);
            keys.push(draft.surrogates(b"\xed\xa0\xbd"));
            let pairs: Vec<_> = keys.into_iter().flat_map(|key| [key, NodeId::NONE]).collect();
            draft.dict(&pairs)
        });
        let keys = ["null", "true", "false", "-7", "1e+16", "NaN", "1180591620717411303424", r"\u00e9", r"\ud83d"];
        let members: Vec<_> = keys.iter().map(|key| format!("\"{key}\": null")).collect();
        assert_eq!(json.unwrap(), format!("{{{}}}", members.join(", ")));
    }

    #[test]
    fn what_json_cannot_hold_is_named_and_not_shown() {
        assert_eq!(refused(|draft| draft.bytes(b"s3cret")), "there is no JSON for a `bytes`");
        let set = |draft: &mut Draft| {
            let set = draft.set(&[]);
            draft.list(&[NodeId::NONE, set])
        };
        assert_eq!(refused(set), "there is no JSON for a `set`");
        let key = |draft: &mut Draft| {
            let key = draft.tuple(&[NodeId::NONE]);
            draft.dict(&[key, NodeId::NONE])
        };
        assert_eq!(refused(key), "in JSON a `tuple` cannot be a key");
        assert_eq!(refused(|draft| draft.big_int(&[1; 2000])), "Python reads no `int` of more than 4300 digits");
        let error = write_one(|draft| draft.str("k\n"), |draft| draft.bytes(b""));
        assert_eq!(error, "the value of `k\\n` cannot be stored as JSON: there is no JSON for a `bytes`");
    }

    /// The message for a session with this key and value.
    fn write_one(key: impl FnOnce(&mut Draft) -> NodeId, value: impl FnOnce(&mut Draft) -> NodeId) -> String {
        let mut draft = Draft::new();
        let pair = [key(&mut draft), value(&mut draft)];
        let root = draft.dict(&pair);
        object(&draft.finish(root).unwrap(), &mut String::new()).unwrap_err().to_string()
    }

    #[test]
    fn what_has_no_end_is_refused() {
        assert_eq!(written(|draft| nested(draft, DEEPEST)).unwrap().len(), 2 * DEEPEST);
        assert_eq!(refused(|draft| nested(draft, DEEPEST + 1)), "it is nested more than 500 levels deep");
        let recursive = |draft: &mut Draft| {
            let list = draft.list(&[NodeId::NONE]);
            let dict = draft.dict(&[NodeId::NONE, list]);
            draft.append(list, &[dict]);
            list
        };
        assert_eq!(refused(recursive), "it contains itself");
        let laughs = |draft: &mut Draft| {
            let text = draft.str(&"x".repeat(1 << 20));
            (0..60).fold(text, |inner, _| draft.list(&[inner, inner]))
        };
        assert_eq!(refused(laughs), "its JSON would be longer than 67108864 bytes");
    }
}
