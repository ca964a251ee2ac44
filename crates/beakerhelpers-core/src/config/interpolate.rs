//! `%(name)s` and `%%`, as Python's `configparser.BasicInterpolation` reads them.

use std::sync::Arc;

use super::ini::{DEFAULT, shown};
use super::paste::{Entry, Loaded};
use crate::{Error, Result};

/// How deep values may refer to each other, as in Python.
const DEEPEST: usize = 10;

/// What may still be spent on one configuration: a few lines that refer to each other can stand for more text than
/// fits into memory, or for none at all in more steps than anyone can wait for.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: usize,
    steps: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: 64 * 1024 * 1024, steps: 100_000 }
    }
}

/// A value that is being read.
struct Frame {
    text: String,
    /// What of it is done.
    at: usize,
    /// What a `%(name)s` in it sees.
    loaded: Arc<Loaded>,
    section: String,
    /// The name by which it was referred to.
    name: String,
    /// How many values of this scope it is nested in.
    depth: usize,
}

/// The value of an entry, interpolated.
///
/// The values that it is put together from may be secrets; no error shows any part of them.
pub(super) fn resolve(entry: &Entry, budget: &mut Budget) -> Result<String> {
    expand(entry, budget).map_err(|what| {
        let error = Error::config(format!("cannot interpolate the value of `{}`: {}", shown(&entry.key), what.message));
        let error = error.with_context("at", entry.at());
        match what.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    })
}

struct Failure {
    message: &'static str,
    hint: Option<String>,
}

impl Failure {
    fn new(message: &'static str) -> Self {
        Self { message, hint: None }
    }
}

const PERCENT: &str = "a `%` that is meant as such is written `%%`";

fn expand(entry: &Entry, budget: &mut Budget) -> Result<String, Failure> {
    let mut out = String::new();
    let mut frames = Vec::new();
    enter(&mut frames, entry.clone(), 1, &mut out, budget)?;
    while let Some(frame) = frames.last_mut() {
        let rest = &frame.text[frame.at..];
        let Some(percent) = rest.find('%') else {
            out.push_str(rest);
            frames.pop();
            continue;
        };
        out.push_str(&rest[..percent]);
        let rest = &rest[percent + 1..];
        if rest.starts_with('%') {
            out.push('%');
            frame.at += percent + 2;
            continue;
        }
        let name = rest.strip_prefix('(').and_then(|rest| rest.split_once(")s")).map(|(name, _)| name);
        let Some(name) = name.filter(|name| !name.is_empty() && !name.contains(')')) else {
            return Err(Failure {
                message: "a `%` in it begins neither `%(name)s` nor `%%`",
                hint: Some(PERCENT.into()),
            });
        };
        let name = name.to_owned();
        frame.at += percent + 1 + "()s".len() + name.len();
        let found = frame.loaded.visible(&frame.section, &name);
        let Some(found) = found else { return Err(unknown(frame, &name)) };
        let same_scope = Arc::ptr_eq(&found.loaded, &frame.loaded) && found.section == frame.section;
        let depth = if same_scope { frame.depth + 1 } else { 1 };
        if frames.iter().any(|frame| frame.name == name && frame.section == found.section && same_file(frame, &found)) {
            return Err(Failure::new("it refers to itself"));
        }
        enter(&mut frames, found, depth, &mut out, budget)?;
    }
    Ok(out)
}

fn same_file(frame: &Frame, entry: &Entry) -> bool {
    Arc::ptr_eq(&frame.loaded, &entry.loaded)
}

/// Begins to read a value, unless it is plain text, which is appended at once.
fn enter(
    frames: &mut Vec<Frame>,
    entry: Entry,
    depth: usize,
    out: &mut String,
    budget: &mut Budget,
) -> Result<(), Failure> {
    let text = entry.text();
    let spent = (budget.bytes.checked_sub(text.len()), budget.steps.checked_sub(1));
    let (Some(bytes), Some(steps)) = spent else {
        return Err(Failure::new("with all that it refers to it is too large"));
    };
    *budget = Budget { bytes, steps };
    if entry.is_literal() || !text.contains('%') {
        out.push_str(text);
        return Ok(());
    }
    if depth > DEEPEST {
        return Err(Failure::new("more than 10 values refer to each other"));
    }
    let text = text.to_owned();
    frames.push(Frame { text, at: 0, loaded: entry.loaded, section: entry.section, name: entry.key, depth });
    Ok(())
}

/// What a reference names may be a part of a password that holds a `%`: only names that exist are shown.
fn unknown(frame: &Frame, name: &str) -> Failure {
    let section = frame.loaded.file.keys(&frame.section);
    let known = ["here", "__file__"].into_iter().chain(section).chain(frame.loaded.file.keys(DEFAULT));
    let near = known.map(|known| (strsim::jaro_winkler(known, name), known)).max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = match near.filter(|(nearness, _)| *nearness > 0.85) {
        Some((_, near)) => format!("did you mean `%({})s`?", shown(near)),
        None => PERCENT.to_owned(),
    };
    Failure { message: "a `%(name)s` in it names nothing that is set", hint: Some(hint) }
}
