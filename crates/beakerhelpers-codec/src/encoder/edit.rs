//! Changes in a pickle: which bytes they concern.

use std::collections::{HashMap, HashSet};

use beakerhelpers_core::value::{Kind, Value};
use beakerhelpers_core::{Error, Result, Session, escape_controls};

use crate::decoder::damaged;
use crate::fault::Fault;
use crate::pickle::literal::{Literal, memo_number};
use crate::pickle::skim::{Halt, Pair, Skim, Slot};
use crate::pickle::splice::{Cut, New, Trouble, load, splice};
use crate::pickle::writer::{Scratch, Unwritable, Writer};

/// Why changes could not be put into a pickle.
#[derive(Debug)]
pub(super) enum Failed {
    /// It is not as Python would write it; perhaps it can be written anew.
    Irregular,
    Other(Error),
}

impl Failed {
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Irregular => irregular(),
            Self::Other(error) => error,
        }
    }
}

/// Changes a pickle whose value is the session.
pub(super) fn pickle(
    skim: &mut Skim,
    source: &[u8],
    what: &str,
    session: &Session,
    scratch: &mut Scratch,
) -> Result<Vec<u8>> {
    let edited = match skim.pickle(source) {
        Ok(()) => edit(source, skim, &skim.pairs, skim.end, session, scratch),
        Err(halt) => Err(halted(what, halt)),
    };
    match edited {
        Err(Failed::Irregular) => {
            check_plain(source, false)?;
            anew(source, session)
        }
        edited => edited.map_err(Failed::into_error),
    }
}

/// Writes a whole session as a pickle of the same protocol.
fn anew(source: &[u8], session: &Session) -> Result<Vec<u8>> {
    let mut out = match source {
        [0x80, protocol, ..] => vec![0x80, *protocol],
        _ => Vec::new(),
    };
    let mut writer = Writer::new(session, out.get(1).copied().unwrap_or(0), 0, Scratch::default());
    writer.survey(std::iter::once(session.root()));
    writer.write_root(&mut out).map_err(|(key, reason)| unwritable(key, reason))?;
    out.push(b'.');
    Ok(out)
}

/// Changes the session that is a value in a pickle's dict.
pub(super) fn part(
    dict: &mut Skim,
    source: &[u8],
    whole: &Skim,
    pair: &Pair,
    session: &Session,
    scratch: &mut Scratch,
) -> Result<Vec<u8>, Failed> {
    if let Some(pairs) = whole.inner(pair) {
        return edit(source, whole, pairs, pair.end as usize, session, scratch);
    }
    dict.part(source, whole, pair).map_err(|_| Failed::Irregular)?;
    edit(source, whole, &dict.pairs, dict.end, session, scratch)
}

/// Changes a dict in a pickle, of which these are the pairs and the end, and leaves everything else.
fn edit(
    source: &[u8],
    whole: &Skim,
    pairs: &[Pair],
    end: usize,
    session: &Session,
    scratch: &mut Scratch,
) -> Result<Vec<u8>, Failed> {
    let mut changes = session.changes();
    if let (Some((key, Some(value))), None) = (changes.next(), changes.next()) {
        // Most often it is the access time, in its place.
        let mut place = [None];
        find(source, whole, pairs, &[key], &mut place)?;
        let cut = match place {
            [Some(pair)] => replacement(&pair, key, value),
            [None] => Cut { from: end, to: end, new: New::Pairs(vec![(key, value)]) },
        };
        return splice(source, whole, &[cut], session, scratch).map_err(|failure| Failed::Other(trouble(failure)));
    }
    let mut keys: Vec<&str> = session.changes().map(|(key, _)| key).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut places = vec![None; keys.len()];
    find(source, whole, pairs, &keys, &mut places)?;
    let mut cuts: Vec<Cut<'_>> = Vec::new();
    let mut appended: Vec<(&str, Value<'_>)> = Vec::new();
    let mut removed = HashSet::new();
    for (key, value) in session.changes() {
        let pair = keys.binary_search(&key).ok().and_then(|index| places.get(index).copied().flatten());
        let Some(pair) = pair.filter(|_| !removed.contains(key)) else {
            appended.extend(value.map(|value| (key, value)));
            continue;
        };
        cuts.push(if let Some(value) = value {
            replacement(&pair, key, value)
        } else {
            removed.insert(key);
            let to = (pair.end as usize).saturating_add(usize::from(pair.single));
            Cut { from: pair.key.start as usize, to, new: New::Nothing }
        });
    }
    cuts.sort_unstable_by_key(|cut| cut.from);
    if !appended.is_empty() {
        cuts.push(Cut { from: end, to: end, new: New::Pairs(appended) });
    }
    splice(source, whole, &cuts, session, scratch).map_err(|failure| Failed::Other(trouble(failure)))
}

fn replacement<'a>(pair: &Pair, key: &'a str, value: Value<'a>) -> Cut<'a> {
    Cut { from: pair.value.start as usize, to: pair.end as usize, new: New::Value(key, value) }
}

/// Finds keys, which are in order, among those of a dict, and puts their pairs in the same order.
pub(super) fn find(
    source: &[u8],
    whole: &Skim,
    pairs: &[Pair],
    keys: &[&str],
    found: &mut [Option<Pair>],
) -> Result<(), Failed> {
    // What is in the memo is looked at once.
    let mut seen: HashMap<u32, Option<usize>> = HashMap::new();
    for pair in pairs {
        if let Some(text) = plain_text(source, pair.key) {
            if let Some(index) = position(keys, text) {
                record(found, index, pair)?;
            }
            continue;
        }
        let number = memo_number(source, pair.key.start as usize).filter(|_| pair.key.is_simple());
        let number = number.map(|(_, number, _)| number);
        let known = number.and_then(|number| seen.get(&number).copied());
        let index = if let Some(index) = known {
            index
        } else {
            let literal = resolve(source, whole, pair.key)?.filter(Literal::is_text);
            let index = literal.and_then(|text| position(keys, &text.content));
            seen.extend(number.map(|number| (number, index)));
            index
        };
        if let Some(index) = index {
            record(found, index, pair)?;
        }
    }
    Ok(())
}

/// A key that was found.
fn record(found: &mut [Option<Pair>], index: usize, pair: &Pair) -> Result<(), Failed> {
    match found.get_mut(index) {
        // Of equal keys the last value counts, at the first place: no bytes say that.
        Some(Some(_)) => return Err(Failed::Irregular),
        Some(place) => *place = Some(*pair),
        None => {}
    }
    Ok(())
}

/// The key as most are written, in place and without escapes.
#[inline]
fn plain_text(source: &[u8], slot: Slot) -> Option<&[u8]> {
    let rest = source.get(slot.start as usize..).filter(|_| slot.is_simple())?;
    let (head, len) = match *rest {
        [b'X', a, b, c, d, ..] => (5, u32::from_le_bytes([a, b, c, d]) as usize),
        [b'U' | 0x8c, len, ..] => (2, usize::from(len)),
        _ => return None,
    };
    rest.get(head..)?.get(..len)
}

/// Where a key stands among some that are in order.
#[inline]
fn position(keys: &[&str], text: &[u8]) -> Option<usize> {
    if let [only] = keys {
        // Most differ in their lengths.
        return (only.as_bytes() == text).then_some(0);
    }
    keys.binary_search_by(|key| key.as_bytes().cmp(text)).ok()
}

/// The string in a slot, of its own or from the memo; `None` where there is something else.
fn resolve<'s>(source: &'s [u8], whole: &Skim, mut slot: Slot) -> Result<Option<Literal<'s>>, Failed> {
    // Python takes from the memo what was made, not what was taken from it.
    for _ in 0..3 {
        if !slot.is_simple() {
            return Ok(None);
        }
        let start = slot.start as usize;
        if let Some(literal) = Literal::at(source, start) {
            return Ok(Some(literal));
        }
        let Some((b'g' | b'h' | b'j', number, _)) = memo_number(source, start) else { return Ok(None) };
        let Some(put) = whole.put(number) else { return Err(Failed::Irregular) };
        slot = put.slot;
    }
    Err(Failed::Irregular)
}

/// The string that a value is.
pub(super) fn literal<'s>(source: &'s [u8], whole: &Skim, slot: Slot) -> Option<Literal<'s>> {
    resolve(source, whole, slot).ok().flatten()
}

/// The string that is all of a pickle, behind the bytes that tell its protocol.
pub(super) fn lone_literal(source: &[u8]) -> Option<(&[u8], Literal<'_>)> {
    let mut at = if source.first() == Some(&0x80) { 2 } else { 0 };
    let protocol = source.get(..at)?;
    if source.get(at) == Some(&0x95) {
        at = at.saturating_add(9);
    }
    let literal = Literal::at(source, at)?;
    let mut at = literal.end;
    while let Some((b'p' | b'q' | b'r' | 0x94, _, end)) = memo_number(source, at) {
        at = end;
    }
    (source.get(at) == Some(&b'.')).then_some((protocol, literal))
}

/// The string that is a namespace's only value, and what comes before it, without FRAME.
pub(super) fn lone_text(source: &[u8]) -> Option<([&[u8]; 2], Literal<'_>)> {
    let past_memo = |mut at: usize| {
        while let Some((b'p' | b'q' | b'r' | 0x94, _, end)) = memo_number(source, at) {
            at = end;
        }
        at
    };
    let begin = if source.first() == Some(&0x80) { 2 } else { 0 };
    let dict = if source.get(begin) == Some(&0x95) { begin.saturating_add(9) } else { begin };
    let key_at = past_memo(dict.saturating_add(1));
    let key = Literal::at(source, key_at).filter(|key| source.get(dict) == Some(&b'}') && key.is_text())?;
    let start = past_memo(key.end);
    let literal = Literal::at(source, start).filter(|_| *key.content == *b"session")?;
    let after = source.get(past_memo(literal.end)..)?;
    (after == b"s.").then_some(([source.get(..begin)?, source.get(dict..start)?], literal))
}

/// Makes sure that values tell all that a pickle does, and that the session in it is no text.
pub(super) fn check_plain(source: &[u8], in_namespace: bool) -> Result<()> {
    let (old, top) = load(source).ok_or_else(|| Error::corrupt("the pickle is damaged"))?;
    let value = if in_namespace { old.value("session") } else { Some(old.by_id(top)) };
    let is_dict = value.is_some_and(|value| matches!(value.kind(), Kind::None | Kind::Dict(_)));
    let plain = (0..old.node_count()).all(|id| !matches!(old.by_id(id).raw_kind(), Kind::Object(_)));
    if is_dict && plain { Ok(()) } else { Err(irregular()) }
}

/// As [`broken`], where the pickle may be written anew.
pub(super) fn halted(what: &str, halt: Halt) -> Failed {
    match halt {
        Halt::Irregular => Failed::Irregular,
        Halt::Damaged(..) => Failed::Other(broken(what, halt)),
    }
}

pub(super) fn broken(what: &str, halt: Halt) -> Error {
    match halt {
        Halt::Damaged(at, reason) => damaged(what, Fault { at, reason }),
        Halt::Irregular => irregular(),
    }
}

pub(super) fn irregular() -> Error {
    Error::unsupported("the pickle is not made as Python makes it, and cannot be changed without loss")
        .with_hint("encode the session as a new payload, if what the values do not tell may be lost")
}

/// What is pickled is an object, whose class alone knows what its attributes may be.
pub(super) fn no_object(what: &str) -> Error {
    Error::unsupported(format!(
        "a session of session2 is an object of a class of the application, and cannot be {what}"
    ))
    .with_hint("let the application do it, with its own classes")
}

pub(super) fn trouble(trouble: Trouble) -> Error {
    match trouble {
        Trouble::Unwritable(key, reason) => unwritable(key.as_deref(), reason),
        Trouble::Entangled => Error::unsupported(
            "an object that is to be replaced is needed elsewhere, and was made in \
            a way that its value does not tell",
        ),
        Trouble::Unreadable => Error::corrupt("the pickle is damaged"),
    }
}

pub(crate) fn unwritable(key: Option<&str>, reason: Unwritable) -> Error {
    let why = match reason {
        Unwritable::HoldsItself => "it is part of what it is made of",
        Unwritable::Name => "the name of a class in it is none that a pickle can hold",
        Unwritable::TooLong => "it repeats text so often that it would take too much memory",
        Unwritable::Malformed => "an object in it has parts that no Python object has",
    };
    Error::unsupported(match key {
        Some(key) => format!("the value of `{}` cannot be written: {why}", escape_controls(key)),
        None => format!("a value cannot be written: {why}"),
    })
}
