//! Values in values, without recursion.

use std::collections::HashSet;

use beakerhelpers_core::value::{Kind, Object, Pairs, Value};

use super::exception::{Says, SystemError, says};
use super::name::{global, has_more, member};
use super::object::{Extent, Shape, markup, type_of};
use super::parts::{Parts, most_common, parts};
use super::sink::{Put, Sink};
use super::{Style, float, quote, simple, times};

/// Prints one value.
pub(super) struct Writer<'a, 'o> {
    out: Sink<'o>,
    /// How much is said of opaque objects.
    extent: Extent,
    /// The containers that are being printed, the outermost first.
    frames: Vec<Frame<'a>>,
    /// Those of them that are deep: among few it is faster to look, and most values have few.
    deep: HashSet<usize>,
}

/// From this depth on, containers are kept in a set.
const DEEP: usize = 16;

/// Exceptions in exceptions are looked through so often, and no further: one may even be its own argument.
const DEEPEST_EXCEPTION: usize = 100;

/// A container of which something is still to come.
struct Frame<'a> {
    value: Value<'a>,
    /// How many items, or keys and values, are printed.
    done: usize,
    /// In which order the pairs come, if not as stored.
    order: Option<Box<[usize]>>,
}

impl<'a, 'o> Writer<'a, 'o> {
    pub(super) fn new(out: Sink<'o>, extent: Extent) -> Self {
        Self { out, extent, frames: Vec::new(), deep: HashSet::new() }
    }

    pub(super) fn write(&mut self, value: Value<'a>, style: Style) -> Put {
        self.value(value, style)?;
        while let Some(frame) = self.frames.last_mut() {
            let value = frame.value;
            let done = frame.done;
            frame.done = done.saturating_add(1);
            let pair = |pairs: &Pairs<'a>, done: usize| {
                let index = done / 2;
                let index = frame.order.as_ref().map_or(Some(index), |order| order.get(index).copied());
                let pair = index.and_then(|index| pairs.get(index))?;
                Some(if done.is_multiple_of(2) { pair.0 } else { pair.1 })
            };
            let comma = if done == 0 { "" } else { ", " };
            let (before, part, close) = match parts(value.kind(), self.extent) {
                Some((Parts::Items(items), close)) => ([comma, ""], items.get(done), close),
                Some((Parts::Pairs(pairs), close)) => {
                    ([if done.is_multiple_of(2) { comma } else { ": " }, ""], pair(&pairs, done), close)
                }
                Some((Parts::Tuples(pairs), close)) => {
                    let before = match done {
                        0 => "(",
                        done if done.is_multiple_of(2) => "), (",
                        _ => ", ",
                    };
                    ([before, ""], pair(&pairs, done), close)
                }
                Some((Parts::After(first, pairs), close)) => match done.checked_sub(1) {
                    None => ([""; 2], Some(first), close),
                    Some(0) if pairs.is_empty() => ([""; 2], None, ", {})"),
                    Some(0) => ([", {", ""], pair(&pairs, 0), close),
                    Some(done) => ([if done.is_multiple_of(2) { ", " } else { ": " }, ""], pair(&pairs, done), close),
                },
                Some((Parts::One(value), close)) => ([""; 2], Some(value).filter(|_| done == 0), close),
                Some((Parts::Object(shape), close)) => match shape.part(done) {
                    Some((before, part)) => (before, Some(part), close),
                    None => ([""; 2], None, close),
                },
                None => ([""; 2], None, ""),
            };
            if let Some(part) = part {
                before.iter().try_for_each(|before| self.out.put(before))?;
                self.value(part, Style::Repr)?;
                continue;
            }
            self.out.put(close)?;
            if let Kind::Deque { max_len: Some(max_len), .. } = value.kind() {
                self.out.format(format_args!("{max_len})"))?;
            }
            self.frames.pop();
            if self.frames.len() >= DEEP {
                self.deep.remove(&value.id());
            }
        }
        Ok(())
    }

    /// Prints a value, or begins to.
    fn value(&mut self, mut value: Value<'a>, mut style: Style) -> Put {
        for _ in 0..DEEPEST_EXCEPTION {
            let object = match value.kind() {
                Kind::Object(object) => object,
                kind => return self.kind(value, kind, style),
            };
            let Some(says) = says(&object).filter(|_| style == Style::Str && !self.says_more(&object)) else {
                return self.object(value, &object, style);
            };
            if let Some(error) = SystemError::of(&object) {
                return self.system_error(&error);
            }
            // The text of an exception is that of its only argument, which may be an exception.
            let mut args = object.args();
            match (args.next(), args.len()) {
                (None, _) => return Ok(()),
                (Some(argument), 0) => {
                    value = argument;
                    style = if says == Says::Key { Style::Repr } else { Style::Str };
                }
                _ => return self.begin(value, "(", "(...)"),
            }
        }
        match value.kind() {
            Kind::Object(object) => self.object(value, &object, style),
            kind => self.kind(value, kind, style),
        }
    }

    fn system_error(&mut self, error: &SystemError<'a>) -> Put {
        self.out.put("[Errno ")?;
        self.kind(error.number, error.number.kind(), Style::Str)?;
        self.out.put("] ")?;
        self.kind(error.text, error.text.kind(), Style::Str)?;
        for (file, before) in error.files.into_iter().flatten().zip([": ", " -> "]) {
            self.out.put(before)?;
            self.kind(file, file.kind(), Style::Repr)?;
        }
        Ok(())
    }

    /// Whether more of an object is printed than its arguments.
    fn says_more(&self, object: &Object<'_>) -> bool {
        self.extent == Extent::All && has_more(object)
    }

    fn object(&mut self, value: Value<'a>, object: &Object<'a>, style: Style) -> Put {
        if !self.says_more(object) {
            if let Some((class, text)) = markup(object) {
                if style == Style::Str {
                    return self.kind(text, text.kind(), style);
                }
                self.out.put(class)?;
                self.out.put("(")?;
                self.kind(text, text.kind(), style)?;
                return self.out.put(")");
            }
            if let Some(name) = member(object) {
                return name.put(&mut self.out);
            }
            if let Some(name) = type_of(object) {
                return self.out.format(format_args!("<class '{name}'>"));
            }
        }
        let shape = Shape::of(object, self.extent);
        if self.is_open(value) {
            return shape.put_again(&mut self.out);
        }
        if !shape.open(object.form(), &mut self.out)? {
            self.push(value);
        }
        Ok(())
    }

    fn kind(&mut self, value: Value<'a>, kind: Kind<'a>, style: Style) -> Put {
        let out = &mut self.out;
        match (kind, style) {
            (Kind::None, _) => out.put("None"),
            (Kind::Bool(true), _) => out.put("True"),
            (Kind::Bool(false), _) => out.put("False"),
            (Kind::Int(int), _) => out.put(itoa::Buffer::new().format(int)),
            (Kind::BigInt(int), _) => out.format(format_args!("{int}")),
            (Kind::Float(value), _) => out.short(|out| float::push(out, value)),
            (Kind::Complex(real, imaginary), _) => out.short(|out| float::push_complex(out, real, imaginary)),
            (Kind::Str(text) | Kind::Decimal(text), Style::Str) => out.put(text),
            (Kind::Str(text), Style::Repr) => quote::text(out, text),
            (Kind::SurrogateStr(bytes), Style::Str) => quote::plain_surrogates(out, bytes),
            (Kind::SurrogateStr(bytes), Style::Repr) => quote::surrogates(out, bytes),
            (Kind::Python2Str(bytes) | Kind::Bytes(bytes), _) => quote::bytes(out, bytes),
            (Kind::ByteArray(bytes), _) => quote::byte_array(out, bytes),
            (Kind::DateTime(datetime), Style::Str) => times::datetime(out, &datetime),
            (Kind::DateTime(datetime), Style::Repr) => {
                times::repr_datetime_open(out, &datetime)?;
                self.zoned(value, datetime.zone)
            }
            (Kind::Time(time), Style::Str) => times::time(out, &time),
            (Kind::Time(time), Style::Repr) => {
                times::repr_time_open(out, &time)?;
                self.zoned(value, time.zone)
            }
            (Kind::Date(date), Style::Str) => times::date(out, date),
            (Kind::Date(date), Style::Repr) => times::repr_date(out, date),
            (Kind::TimeDelta(delta), Style::Str) => times::delta(out, delta),
            (Kind::TimeDelta(delta), Style::Repr) => times::repr_delta(out, delta),
            (Kind::TimeZone(zone), Style::Str) => times::zone(out, zone),
            (Kind::TimeZone(zone), Style::Repr) => times::repr_zone(out, zone),
            (Kind::Decimal(text), Style::Repr) => out.format(format_args!("Decimal('{text}')")),
            (Kind::Uuid(uuid), style) => simple::uuid(out, uuid, style),
            (Kind::Fraction(fraction), style) => simple::fraction(out, &fraction, style),
            (Kind::Range { start, stop, step }, _) => simple::range(out, [start, stop, step]),
            (Kind::Path(path), style) => simple::path(out, &path, style),
            (Kind::Ip(ip), style) => simple::ip(out, ip, style),
            (Kind::ZoneInfo(key), style) => simple::zone_info(out, key, style),
            (Kind::Global(class), _) => global(out, &class),
            (Kind::List(_), _) => self.begin(value, "[", "[...]"),
            (Kind::Tuple(items), _) if items.is_empty() => out.put("()"),
            (Kind::Tuple(_), _) => self.begin(value, "(", "(...)"),
            (Kind::Set(items), _) if items.is_empty() => out.put("set()"),
            (Kind::Set(_), _) => self.begin(value, "{", "set(...)"),
            (Kind::FrozenSet(items), _) if items.is_empty() => out.put("frozenset()"),
            (Kind::FrozenSet(_), _) => self.begin(value, "frozenset({", "frozenset(...)"),
            (Kind::Deque { .. }, _) => self.begin(value, "deque([", "[...]"),
            (Kind::Dict(_), _) => self.begin(value, "{", "{...}"),
            (Kind::OrderedDict(pairs), _) if pairs.is_empty() => out.put("OrderedDict()"),
            (Kind::OrderedDict(_), _) => self.begin(value, "OrderedDict([", "..."),
            (Kind::DefaultDict { factory, .. }, _) => {
                if self.is_open(value) {
                    return self.defaultdict_again(factory);
                }
                self.begin(value, "defaultdict(", "")
            }
            (Kind::Counter(pairs), _) if pairs.is_empty() => out.put("Counter()"),
            (Kind::Counter(pairs), _) => {
                let depth = self.frames.len();
                self.begin(value, "Counter({", "Counter(...)")?;
                if let Some(frame) = self.frames.get_mut(depth) {
                    frame.order = most_common(pairs);
                }
                Ok(())
            }
            // A kind that came later than this.
            _ => out.put("<object>"),
        }
    }

    fn zoned(&mut self, value: Value<'a>, zone: Option<Value<'a>>) -> Put {
        if zone.is_none() { self.out.put(")") } else { self.begin(value, ", tzinfo=", "...)") }
    }

    /// Begins a container; `again` where it is one that is open already.
    fn begin(&mut self, value: Value<'a>, open: &str, again: &str) -> Put {
        if self.is_open(value) {
            return self.out.put(again);
        }
        self.out.put(open)?;
        self.push(value);
        Ok(())
    }

    fn push(&mut self, value: Value<'a>) {
        if self.frames.len() >= DEEP {
            self.deep.insert(value.id());
        }
        self.frames.push(Frame { value, done: 0, order: None });
    }

    /// A defaultdict in itself: Python prints its factory again, which is a class as good as always.
    fn defaultdict_again(&mut self, factory: Value<'a>) -> Put {
        self.out.put("defaultdict(")?;
        match factory.kind() {
            Kind::Global(class) => global(&mut self.out, &class)?,
            Kind::None => self.out.put("None")?,
            Kind::Object(object) => match member(&object) {
                Some(name) => name.put(&mut self.out)?,
                None => self.out.put("...")?,
            },
            _ => self.out.put("...")?,
        }
        self.out.put(", {...})")
    }

    fn is_open(&self, value: Value<'a>) -> bool {
        let id = value.id();
        self.frames.iter().take(DEEP).any(|frame| frame.value.id() == id)
            || self.frames.len() > DEEP && self.deep.contains(&id)
    }
}
