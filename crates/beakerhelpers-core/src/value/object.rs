//! Objects of any class, and those whose class everyone knows.

use std::fmt;

use super::arena::{Node, ObjectNode, RawSort};
use super::class::Known;
use super::{
    Arena, Clock, Date, DateTime, Form, Fraction, Global, Ip, Items, Kind, NodeId, Pairs, Path, Time, TimeDelta,
    TimeZone, Value,
};

/// An object of a class that has no meaning here: everything that the pickle says of it, and nothing run.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    arena: &'a Arena,
    node: &'a ObjectNode,
}

impl<'a> Object<'a> {
    #[inline]
    pub(super) fn new(arena: &'a Arena, index: u32) -> Option<Self> {
        arena.objects.get(index as usize).map(|node| Self { arena, node })
    }

    /// All that it refers to: what is called, the arguments, the keywords, the state, a list of the items, and a dict of
    /// the pairs; [`NodeId::ABSENT`] for what it has not.
    #[inline]
    pub const fn reference_ids(&self) -> [NodeId; 6] {
        let ObjectNode { callable, args, keywords, state, list, dict, .. } = *self.node;
        [callable, args, keywords, state, list, dict]
    }

    fn value(&self, id: NodeId) -> Option<Value<'a>> {
        (id != NodeId::ABSENT).then(|| Value::new(self.arena, id))
    }

    /// How it is made.
    pub const fn form(&self) -> Form {
        self.node.form
    }

    /// What is called to make it; `None` for [`Form::Persistent`] and [`Form::Extension`].
    pub fn callable(&self) -> Option<Value<'a>> {
        self.value(self.node.callable)
    }

    /// Its class, as far as the pickle tells: what is called, or the class that a helper of `copyreg` is called with.
    pub fn class(&self) -> Option<Global<'a>> {
        let global = |value: Value<'a>| match value.node() {
            Node::Global { known, translated, module, name } => Some(Global {
                module: Value::new(self.arena, module),
                name: Value::new(self.arena, name),
                known,
                translated,
            }),
            _ => None,
        };
        let callable = global(self.callable()?)?;
        match callable.known {
            Known::ClassFirst => self.args().next().and_then(global).or(Some(callable)),
            _ => Some(callable),
        }
    }

    /// The arguments; none where [`Object::args_tuple`] is an object.
    pub fn args(&self) -> Items<'a> {
        Items::new(self.arena, self.arena.sequence(self.node.args), &[])
    }

    /// The tuple of the arguments; an object where that is of a class of its own, and only its own code can tell the
    /// arguments.
    pub fn args_tuple(&self) -> Option<Value<'a>> {
        self.value(self.node.args)
    }

    /// The keyword arguments, a dict in what Python writes.
    pub fn keywords(&self) -> Option<Value<'a>> {
        self.value(self.node.keywords)
    }

    /// What its `__setstate__` or `__dict__` is given.
    pub fn state(&self) -> Option<Value<'a>> {
        self.value(self.node.state)
    }

    /// What is appended or added to it.
    pub fn items(&self) -> Items<'a> {
        Items::new(self.arena, self.arena.sequence(self.node.list), &[])
    }

    /// What is set in it by key.
    pub fn pairs(&self) -> Pairs<'a> {
        Pairs::new(self.arena, &[], self.arena.pairs(self.node.dict))
    }

    /// The value it stands for, where it is of a class that everyone knows and well formed.
    pub(super) fn typed(self) -> Option<Kind<'a>> {
        let Some(class) = self.class() else { return self.zone_info() };
        let known = class.known;
        if known == Known::Uuid {
            return self.uuid();
        }
        if self.node.form != Form::Call || matches!(self.arena.node(self.node.args), Node::Object(_)) {
            return None;
        }
        let (arena, args) = (self.arena, self.arena.sequence(self.node.args));
        let int = |id: NodeId| Value::new(arena, id).as_i64();
        let sequence = |id: NodeId| matches!(arena.node(id), Node::Items { .. }).then(|| arena.sequence(id));
        let set = match args {
            [] => Some(&[][..]),
            [items] => sequence(*items),
            _ => None,
        };
        let appended = arena.sequence(self.node.list);
        let dict = arena.pairs(self.node.dict);
        Some(match (known, args) {
            (Known::DateTime, [state, zone @ ..]) => self.datetime(*state, zone)?,
            (Known::Time, [state, zone @ ..]) => self.time(*state, zone)?,
            (Known::Date, [state]) => Kind::Date(Date::from_state(self.state_bytes(*state)?)?),
            (Known::TimeDelta, [days, seconds, micros]) => {
                Kind::TimeDelta(TimeDelta::new(int(*days)?, int(*seconds)?, int(*micros)?)?)
            }
            (Known::TimeZone, [offset, name @ ..]) => {
                let Kind::TimeDelta(offset) = self.delta(*offset)? else { return None };
                let name = match name {
                    [] => None,
                    [name] => Some(Value::new(arena, *name).as_str()?),
                    _ => return None,
                };
                Kind::TimeZone(TimeZone { offset, name })
            }
            (Known::Decimal, [text]) => Kind::Decimal(Value::new(arena, *text).as_str().filter(|text| decimal(text))?),
            (Known::Complex, [real, imaginary]) => {
                Kind::Complex(Value::new(arena, *real).as_f64()?, Value::new(arena, *imaginary).as_f64()?)
            }
            (Known::Set, _) => Kind::Set(Items::new(arena, set?, appended)),
            (Known::FrozenSet, _) => Kind::FrozenSet(Items::new(arena, set?, appended)),
            (Known::OrderedDict, _) => Kind::OrderedDict(Pairs::new(arena, set?, dict)),
            (Known::Counter, []) => Kind::Counter(Pairs::new(arena, &[], dict)),
            (Known::Counter, [counts]) if dict.is_empty() && matches!(arena.node(*counts), Node::Items { .. }) => {
                Kind::Counter(Pairs::new(arena, &[], arena.pairs(*counts)))
            }
            (Known::DefaultDict, [] | [_]) => Kind::DefaultDict {
                factory: Value::new(arena, args.first().copied().unwrap_or(NodeId::NONE)),
                pairs: Pairs::new(arena, &[], dict),
            },
            (Known::Deque, [] | [_]) => Kind::Deque { items: Items::new(arena, set?, appended), max_len: None },
            (Known::Deque, [items, max]) => Kind::Deque {
                items: Items::new(arena, sequence(*items)?, appended),
                max_len: Some(u64::try_from(int(*max)?).ok()?),
            },
            (Known::Fraction, [text]) => Kind::Fraction(Fraction::of_text(Value::new(arena, *text).as_str()?)?),
            (Known::Fraction, [numerator, denominator]) => {
                let [numerator, denominator] = [numerator, denominator].map(|id| Value::new(arena, *id));
                Kind::Fraction(Fraction::of_numbers(numerator, denominator)?)
            }
            (Known::Range, [first, end, by]) => {
                let [first, end, by] = [first, end, by].map(|id| Value::new(arena, *id));
                let numbers = [first, end, by].iter().all(|value| value.kind_of_number().is_some());
                // Python has no range whose step is 0.
                if !numbers || by.as_i64() == Some(0) {
                    return None;
                }
                Kind::Range { start: first, stop: end, step: by }
            }
            (Known::ZoneInfoMaker, [key, _]) => Kind::ZoneInfo(Value::new(arena, *key).as_str()?),
            (Known::Path(sort), _) => Kind::Path(Path::of(sort, self.args())?),
            (Known::Ip(sort), [address]) => {
                let address = Value::new(arena, *address);
                Kind::Ip(match address.as_str() {
                    Some(text) => Ip::of_text(sort, text)?,
                    None => Ip::of_number(sort, address.to_u128()?)?,
                })
            }
            _ => return None,
        })
    }

    /// What `getattr(zoneinfo.ZoneInfo, '_unpickle')(key, from_cache)` gives.
    fn zone_info(&self) -> Option<Kind<'a>> {
        let Node::Object(index) = self.arena.node(self.node.callable) else { return None };
        let method = self.arena.objects.get(index as usize)?;
        let known = |id: NodeId| match self.arena.node(id) {
            Node::Global { known, .. } => Some(known),
            _ => None,
        };
        match (known(method.callable)?, self.arena.sequence(method.args), self.arena.sequence(self.node.args)) {
            (Known::GetAttr, [class, name], [key, _])
                if known(*class) == Some(Known::ZoneInfo)
                    && Value::new(self.arena, *name).as_str() == Some("_unpickle") =>
            {
                Value::new(self.arena, *key).as_str().map(Kind::ZoneInfo)
            }
            _ => None,
        }
    }

    /// A timedelta that an argument is; not by [`Value::kind`], which would go on to that one's arguments and so on.
    fn delta(&self, id: NodeId) -> Option<Kind<'a>> {
        match self.arena.node(id) {
            Node::Object(index) => {
                let object = Self::new(self.arena, index)?;
                object.class().filter(|class| class.known == Known::TimeDelta).and_then(|_| object.typed())
            }
            _ => None,
        }
    }

    fn state_bytes<const N: usize>(&self, id: NodeId) -> Option<[u8; N]> {
        let bytes = match self.arena.node(id) {
            Node::Text { python2: true, start, len } => self.arena.text(start, len).as_bytes(),
            Node::Raw { sort: RawSort::Bytes | RawSort::Python2, start, len } => {
                super::arena::range(&self.arena.bytes, start, len)
            }
            _ => return None,
        };
        bytes.try_into().ok()
    }

    /// The zone that follows the state, [`NodeId::ABSENT`] where none does; `None` where something else follows.
    fn zone(rest: &[NodeId]) -> Option<NodeId> {
        match rest {
            [] | [NodeId::NONE] => Some(NodeId::ABSENT),
            [zone] => Some(*zone),
            _ => None,
        }
    }

    fn datetime(&self, state: NodeId, zone: &[NodeId]) -> Option<Kind<'a>> {
        let [y0, y1, month, day, clock @ ..] = self.state_bytes::<10>(state)?;
        // Since Python 3.6 the upper bit of the month is the fold.
        let date = Date::from_state([y0, y1, month & 0x7f, day])?;
        let clock = Clock::from_state(clock)?;
        Some(Kind::DateTime(DateTime { date, clock, fold: month > 0x7f, zone: self.value(Self::zone(zone)?) }))
    }

    fn time(&self, state: NodeId, zone: &[NodeId]) -> Option<Kind<'a>> {
        let mut state = self.state_bytes::<6>(state)?;
        let fold = state[0] > 0x7f;
        state[0] &= 0x7f;
        Some(Kind::Time(Time { clock: Clock::from_state(state)?, fold, zone: self.value(Self::zone(zone)?) }))
    }

    fn uuid(&self) -> Option<Kind<'a>> {
        let pairs = self.arena.pairs(self.node.state);
        // `int`, and `is_safe` where it is known: not a dict to search through.
        let pair = pairs
            .chunks_exact(2)
            .take(4)
            .find(|pair| pair.first().is_some_and(|key| Value::new(self.arena, *key).as_str() == Some("int")))?;
        Value::new(self.arena, *pair.get(1)?).to_u128().map(Kind::Uuid)
    }
}

/// Whether Python's `Decimal` would print this text as it is.
fn decimal(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(payload) = text.strip_prefix("sNaN").or_else(|| text.strip_prefix("NaN")) {
        return digits(payload);
    }
    let (number, exponent) = text.split_once('E').map_or((text, None), |(number, exponent)| (number, Some(exponent)));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let signed = |text: &str| text.strip_prefix(['+', '-']).is_some_and(|text| !text.is_empty() && digits(text));
    text == "Infinity"
        || !whole.is_empty() && digits(whole) && !fraction.is_empty() && digits(fraction) && exponent.is_none_or(signed)
}

impl fmt::Debug for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({:?})", self.node.form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_as_python_prints_them() {
        for text in ["1.10", "-0", "1E+5", "1.5E-10", "NaN", "-sNaN12", "Infinity", "-Infinity"] {
            assert!(decimal(text), "{text}");
        }
        for text in ["", "abc", "1.", ".5", "1e5", "1E5", "1E+", "+1", "inf", "1_0", "NaNx", "1.2.3"] {
            assert!(!decimal(text), "{text}");
        }
    }
}
