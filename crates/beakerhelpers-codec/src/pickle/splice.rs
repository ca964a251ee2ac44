//! Puts new values into a pickle and leaves the bytes of all others as they are.

use std::collections::HashSet;

use beakerhelpers_core::Session;
use beakerhelpers_core::value::{Draft, Kind, NodeId, Value};

use super::literal::{Literal, global_end, memo_number};
use super::skim::{Put, Skim};
use super::writer::{Scratch, Unwritable, Writer, memo_opcode};
use super::{Care, Machine, wide};

/// A part of a pickle that is to go, and what comes in its place.
#[derive(Debug)]
pub(crate) struct Cut<'a> {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) new: New<'a>,
}

/// What is written.
#[derive(Debug)]
pub(crate) enum New<'a> {
    Nothing,
    /// A value, and the key that it has.
    Value(&'a str, Value<'a>),
    /// Keys and values that are set in the dict on top of the stack.
    Pairs(Vec<(&'a str, Value<'a>)>),
    /// All of a session, as a dict.
    Root,
    /// Opcodes that do not use the memo.
    Opcodes(Vec<u8>),
}

/// Why a pickle cannot be changed.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// A value, of this key if it is known, cannot be written.
    Unwritable(Option<String>, Unwritable),
    /// What was cut is referred to, and cannot be told from the values alone.
    Entangled,
    /// The pickle itself cannot be read.
    Unreadable,
}

/// Something that is not copied as it stands.
#[derive(Clone, Copy)]
enum Event {
    Cut(usize),
    Frame,
    /// MEMOIZE, which stands for this number.
    Implicit(u32),
    /// A reference to something that was cut.
    Get(u32),
}

/// Carries out cuts, which are in order and apart. `whole` is all of the pickle.
///
/// What is referred to behind a cut that took it away is written where it is first referred to, under its old number.
///
/// # Errors
///
/// Where a new value cannot be written, or one that was cut and is still needed.
pub(crate) fn splice(
    source: &[u8],
    whole: &Skim,
    cuts: &[Cut<'_>],
    session: &Session,
    scratch: &mut Scratch,
) -> Result<Vec<u8>, Trouble> {
    if let [cut] = cuts
        && let New::Value(key, value) = &cut.new
        && whole.frames.is_empty()
        && stand_ins(whole, cut) == Some(0)
    {
        return simplest(source, whole, cut, (key, *value), session, scratch);
    }
    let recount = recount(whole, cuts);
    let events = events(whole, cuts, recount);
    let mut wanted: Vec<u32> =
        events.iter().filter_map(|(_, event)| if let Event::Get(n) = event { Some(*n) } else { None }).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let needs_values = wanted.iter().any(|number| simple(source, whole, *number).is_none());
    if needs_values && wanted.iter().any(|number| is_strange(whole, cuts, *number)) {
        return Err(Trouble::Entangled);
    }
    let old = if needs_values { Some(Old::load(source, whole)?) } else { None };
    let mut splicer = Splicer {
        source,
        whole,
        writer: Writer::new(session, whole.protocol, whole.next_number(), std::mem::take(scratch)),
        old: old.as_ref().map(|old| (old, old.writer(whole, cuts, &wanted))),
        defined: HashSet::new(),
        out: Vec::with_capacity(source.len().saturating_add(64)),
    };
    splicer.writer.survey(cuts.iter().flat_map(|cut| cut.new.values(session)).map(|value| session.by_id(value.id())));
    splicer.run(&events, cuts, recount)?;
    *scratch = splicer.writer.into_scratch();
    Ok(splicer.out)
}

/// Replaces a value where neither the old nor the new one has to do with the memo: nothing else changes.
fn simplest(
    source: &[u8],
    whole: &Skim,
    cut: &Cut<'_>,
    (key, value): (&str, Value<'_>),
    session: &Session,
    scratch: &mut Scratch,
) -> Result<Vec<u8>, Trouble> {
    let mut out = Vec::with_capacity(source.len().saturating_add(64));
    out.extend_from_slice(source.get(..cut.from).unwrap_or_default());
    let mut writer = Writer::new(session, whole.protocol, whole.next_number(), std::mem::take(scratch));
    let written = writer.write(session.by_id(value.id()), &mut out);
    written.map_err(|reason| Trouble::Unwritable(Some(key.to_owned()), reason))?;
    *scratch = writer.into_scratch();
    out.extend_from_slice(source.get(cut.to..).unwrap_or_default());
    Ok(out)
}

impl<'a> New<'a> {
    fn values(&self, session: &'a Session) -> impl Iterator<Item = Value<'a>> {
        let (one, pairs) = match self {
            Self::Nothing | Self::Opcodes(_) => (None, &[][..]),
            Self::Value(_, value) => (Some(*value), &[][..]),
            Self::Pairs(pairs) => (None, &**pairs),
            Self::Root => (Some(session.root()), &[][..]),
        };
        one.into_iter().chain(pairs.iter().map(|(_, value)| *value))
    }
}

/// Lists what is not copied, by position.
fn events(whole: &Skim, cuts: &[Cut<'_>], recount: usize) -> Vec<(u32, Event)> {
    let position = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    let mut events: Vec<_> =
        cuts.iter().enumerate().map(|(index, cut)| (position(cut.from), Event::Cut(index))).collect();
    events.extend(whole.frames.iter().map(|at| (*at, Event::Frame)));
    // Up to the first cut that changes how many values there are, the memo counts as it did.
    let moved = whole.puts.partition_point(|put| wide(put.at) < recount);
    let moved = whole.puts.get(moved..).unwrap_or_default();
    events.extend(moved.iter().filter(|put| put.implicit).map(|put| (put.at, Event::Implicit(put.number))));
    // The numbers that were cut: ranges, because positions and numbers grow together.
    let ranges: Vec<_> = cuts.iter().map(|cut| numbers(whole, cut)).filter(|range| !range.is_empty()).collect();
    if !ranges.is_empty() {
        let is_cut = |at: u32| {
            let cut = cuts.partition_point(|cut| cut.to <= wide(at));
            cuts.get(cut).is_some_and(|cut| cut.from <= wide(at))
        };
        events.extend(whole.gets.iter().filter(|(at, _)| !is_cut(*at)).filter_map(|(at, number)| {
            let range = ranges.partition_point(|range| range.end <= *number);
            ranges.get(range)?.contains(number).then_some((*at, Event::Get(*number)))
        }));
    }
    // A sort that is stable, and linear for runs: at one place a cut comes first.
    events.sort_by_key(|(at, _)| *at);
    events
}

/// Where the memo begins to count in another way than before.
fn recount(whole: &Skim, cuts: &[Cut<'_>]) -> usize {
    cuts.iter().find(|cut| stand_ins(whole, cut).is_none()).map_or(usize::MAX, |cut| cut.from)
}

/// How often a new value must be put into the memo by position, so that all that follows gets the numbers it had: as
/// often as what it replaces. `None` where that cannot be said, and references by position must go.
fn stand_ins(whole: &Skim, cut: &Cut<'_>) -> Option<usize> {
    let New::Value(_, value) = &cut.new else { return None };
    let uses_no_memo = matches!(
        value.raw_kind(),
        Kind::None | Kind::Bool(_) | Kind::Int(_) | Kind::BigInt(_) | Kind::Float(_) | Kind::Str(_)
    );
    let from = whole.puts.partition_point(|put| wide(put.at) < cut.from);
    let gone = whole.puts.get(from..)?.iter().take_while(|put| wide(put.at) < cut.to);
    uses_no_memo.then(|| gone.clone().all(|put| put.implicit).then(|| gone.count())).flatten()
}

/// The numbers in the memo that a cut takes away.
fn numbers(whole: &Skim, cut: &Cut<'_>) -> std::ops::Range<u32> {
    let from = whole.puts.partition_point(|put| wide(put.at) < cut.from);
    let to = whole.puts.partition_point(|put| wide(put.at) < cut.to);
    match whole.puts.get(from..to) {
        Some([first, .., last]) => first.number..last.number.saturating_add(1),
        Some([only]) => only.number..only.number.saturating_add(1),
        _ => 0..0,
    }
}

/// A name that may be written again for each class in a module.
const SHORT: usize = 100;

/// Opcodes that make what was put under a number, where that takes no more than a look at them.
fn simple(source: &[u8], whole: &Skim, number: u32) -> Option<Vec<u8>> {
    let put = whole.put(number)?;
    let start = wide(put.slot.start);
    if put.slot.is_simple() {
        // A number that is given right behind: what has several is written once, with all of them.
        let end = put.at as usize;
        let found = Literal::at(source, start).map(|text| text.end).or_else(|| global_end(source, start));
        return source.get(start..end).filter(|_| found == Some(end)).map(<[u8]>::to_vec);
    }
    if !put.slot.is_stack_global() {
        return None;
    }
    // Two texts, each of them in place or from the memo, with no more between than opcodes that keep them there.
    let mut out = Vec::new();
    let mut at = start;
    for _ in 0..2 {
        at = if let Some((b'g' | b'h' | b'j', number, end)) = memo_number(source, at) {
            let text = whole.put(number).filter(|put| put.slot.is_simple())?;
            let start = wide(text.slot.start);
            let text = source.get(start..wide(text.at)).filter(|text| text.len() < SHORT)?;
            out.extend_from_slice(text.get(..Literal::at(text, 0)?.end)?);
            end
        } else {
            let end = Literal::at(source, at)?.end;
            out.extend_from_slice(source.get(at..end)?);
            end
        };
        loop {
            at = match (source.get(at)?, memo_number(source, at)) {
                (0x95, _) => at.saturating_add(9),
                (b'p' | b'q' | b'r' | 0x94, Some((_, _, end))) => end,
                _ => break,
            };
        }
    }
    out.push(0x93);
    (source.get(at) == Some(&0x93)).then_some(out)
}

/// Whether the cut that takes a number away has more in it than its values tell.
fn is_strange(whole: &Skim, cuts: &[Cut<'_>], number: u32) -> bool {
    let Some(put) = whole.put(number) else { return true };
    let Some(cut) = cuts.get(cuts.partition_point(|cut| cut.to <= wide(put.at))) else { return true };
    let first = whole.strange.partition_point(|at| wide(*at) < cut.from);
    whole.strange.get(first).is_some_and(|at| wide(*at) < cut.to)
}

/// The values of a pickle before it was cut.
struct Old {
    session: Session,
    /// For each entry of the memo the id of its value.
    ids: Vec<usize>,
}

impl Old {
    fn load(source: &[u8], whole: &Skim) -> Result<Self, Trouble> {
        let mut machine = Machine::default();
        let (session, _) = load_with(&mut machine, source).ok_or(Trouble::Unreadable)?;
        let id = |put: &Put| machine.kept(put.number).map_or(0, NodeId::index);
        Ok(Self { ids: whole.puts.iter().map(id).collect(), session })
    }

    fn writer(&self, whole: &Skim, cuts: &[Cut<'_>], wanted: &[u32]) -> Writer<'_> {
        let mut writer = Writer::new(&self.session, whole.protocol, 0, Scratch::default());
        let mut assigned = Vec::new();
        let mut cuts = cuts.iter().peekable();
        for (put, id) in whole.puts.iter().zip(&self.ids) {
            while cuts.next_if(|cut| cut.to <= wide(put.at)).is_some() {}
            if cuts.peek().is_some_and(|cut| cut.from <= wide(put.at)) {
                assigned.push((u32::try_from(*id).unwrap_or(u32::MAX), put.number));
            } else {
                writer.known(self.session.by_id(*id), put.number);
            }
        }
        writer.assign(assigned);
        writer.survey(wanted.iter().filter_map(|number| self.value(whole, *number)));
        writer
    }

    fn value(&self, whole: &Skim, number: u32) -> Option<Value<'_>> {
        let index = whole.puts.binary_search_by_key(&number, |put| put.number).ok()?;
        self.ids.get(index).map(|id| self.session.by_id(*id))
    }
}

/// Reads a pickle with the machine. Its value is the root of the session, where it is a dict, and has this id.
pub(crate) fn load(source: &[u8]) -> Option<(Session, usize)> {
    load_with(&mut Machine::default(), source)
}

fn load_with(machine: &mut Machine, source: &[u8]) -> Option<(Session, usize)> {
    [Care::Later, Care::Now].into_iter().find_map(|care| {
        let mut draft = Draft::new();
        let top = machine.run(&mut draft, source, care).ok()?;
        draft.finish(top).ok().map(|session| (session, top.index()))
    })
}

struct Splicer<'s, 'a, 'o> {
    source: &'s [u8],
    whole: &'s Skim,
    writer: Writer<'a>,
    old: Option<(&'o Old, Writer<'o>)>,
    /// Numbers that were cut and are written again.
    defined: HashSet<u32>,
    out: Vec<u8>,
}

impl Splicer<'_, '_, '_> {
    fn run(&mut self, events: &[(u32, Event)], cuts: &[Cut<'_>], recount: usize) -> Result<(), Trouble> {
        let mut position = 0;
        for (at, event) in events {
            let at = wide(*at);
            if at < position {
                continue;
            }
            let end = match *event {
                Event::Cut(index) => {
                    self.copy(position, at);
                    let Some(cut) = cuts.get(index) else { continue };
                    self.write(&cut.new)?;
                    let again = if at < recount { stand_ins(self.whole, cut).unwrap_or(0) } else { 0 };
                    self.out.extend(std::iter::repeat_n(0x94, again));
                    cut.to
                }
                Event::Frame => {
                    self.copy(position, at);
                    at.saturating_add(9)
                }
                Event::Implicit(number) => {
                    self.copy(position, at);
                    memo_opcode(&mut self.out, *b"qr", number);
                    at.saturating_add(1)
                }
                Event::Get(number) if self.defined.contains(&number) => continue,
                Event::Get(number) => {
                    self.copy(position, at);
                    self.define(number)?;
                    memo_number(self.source, at).map_or(at, |(_, _, end)| end)
                }
            };
            position = end;
        }
        self.copy(position, self.source.len());
        Ok(())
    }

    fn copy(&mut self, from: usize, to: usize) {
        self.out.extend_from_slice(self.source.get(from..to).unwrap_or_default());
    }

    fn write(&mut self, new: &New<'_>) -> Result<(), Trouble> {
        let unwritable = |key: Option<&str>, reason| Trouble::Unwritable(key.map(str::to_owned), reason);
        match new {
            New::Nothing => {}
            New::Opcodes(opcodes) => self.out.extend_from_slice(opcodes),
            New::Value(key, value) => {
                self.writer.write(*value, &mut self.out).map_err(|reason| unwritable(Some(key), reason))?;
            }
            New::Root => {
                self.writer.write_root(&mut self.out).map_err(|(key, reason)| unwritable(key, reason))?;
            }
            New::Pairs(pairs) => {
                let several = pairs.len() > 1;
                self.out.extend(several.then_some(b'('));
                for (key, value) in pairs {
                    Writer::write_key(key, &mut self.out);
                    self.writer.write(*value, &mut self.out).map_err(|reason| unwritable(Some(key), reason))?;
                }
                self.out.push(if several { b'u' } else { b's' });
            }
        }
        Ok(())
    }

    /// Writes what was cut and is needed here.
    fn define(&mut self, number: u32) -> Result<(), Trouble> {
        if let Some(opcodes) = simple(self.source, self.whole, number) {
            self.out.extend_from_slice(&opcodes);
            memo_opcode(&mut self.out, *b"qr", number);
            self.defined.insert(number);
            return Ok(());
        }
        let (old, writer) = self.old.as_mut().ok_or(Trouble::Entangled)?;
        let value = old.value(self.whole, number).ok_or(Trouble::Unreadable)?;
        writer.go_on_from(self.writer.next());
        writer.write(value, &mut self.out).map_err(|reason| Trouble::Unwritable(None, reason))?;
        self.writer.go_on_from(writer.next());
        self.defined.extend(writer.placed());
        Ok(())
    }
}
