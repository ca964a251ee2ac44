//! Values in values, without recursion.

use std::collections::HashSet;

use beakerhelpers_core::value::{Form, Global, Items, Kind, Object, Pairs, Value};

use super::sink::{Put, Sink};
use super::{Style, float, quote, times};

/// Prints one value.
pub(super) struct Writer<'a, 'o> {
    out: Sink<'o>,
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

/// What a container is made of.
enum Parts<'a> {
    Items(Items<'a>),
    /// `key: value`
    Pairs(Pairs<'a>),
    /// `(key, value)`
    Tuples(Pairs<'a>),
    /// A value, and then pairs.
    After(Value<'a>, Pairs<'a>),
    /// A value.
    One(Value<'a>),
}

impl<'a, 'o> Writer<'a, 'o> {
    pub(super) fn new(out: Sink<'o>) -> Self {
        Self { out, frames: Vec::new(), deep: HashSet::new() }
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
            let (before, part, close) = match parts(value.kind()) {
                Some((Parts::Items(items), close)) => (comma, items.get(done), close),
                Some((Parts::Pairs(pairs), close)) => {
                    (if done.is_multiple_of(2) { comma } else { ": " }, pair(&pairs, done), close)
                }
                Some((Parts::Tuples(pairs), close)) => {
                    let before = match done {
                        0 => "(",
                        done if done.is_multiple_of(2) => "), (",
                        _ => ", ",
                    };
                    (before, pair(&pairs, done), close)
                }
                Some((Parts::After(first, pairs), close)) => match done.checked_sub(1) {
                    None => ("", Some(first), close),
                    Some(0) if pairs.is_empty() => ("", None, ", {})"),
                    Some(0) => (", {", pair(&pairs, 0), close),
                    Some(done) => (if done.is_multiple_of(2) { ", " } else { ": " }, pair(&pairs, done), close),
                },
                Some((Parts::One(value), close)) => ("", Some(value).filter(|_| done == 0), close),
                None => ("", None, ""),
            };
            if let Some(part) = part {
                self.out.put(before)?;
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
            match exception(&object) {
                // The text of an exception is that of its only argument, which may be an exception.
                Some(name) if style == Style::Str => {
                    let mut args = object.args();
                    match (args.next(), args.len()) {
                        (None, _) => return Ok(()),
                        (Some(argument), 0) => {
                            value = argument;
                            style = if name == "KeyError" { Style::Repr } else { Style::Str };
                        }
                        _ => return self.begin(value, "(", ""),
                    }
                }
                Some(name) => {
                    self.out.put(name)?;
                    return self.begin(value, "(", "");
                }
                None => return self.object(&object),
            }
        }
        match value.kind() {
            Kind::Object(object) => self.object(&object),
            kind => self.kind(value, kind, style),
        }
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
            (Kind::Uuid(uuid), style) => {
                let digits = format!("{uuid:032x}");
                let part = |range| digits.get(range).unwrap_or_default();
                let parts = [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-");
                out.put(&if style == Style::Repr { format!("UUID('{parts}')") } else { parts })
            }
            (Kind::Global(global), _) => class(out, &global),
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
        if self.frames.len() >= DEEP {
            self.deep.insert(value.id());
        }
        self.frames.push(Frame { value, done: 0, order: None });
        Ok(())
    }

    /// A defaultdict in itself: Python prints its factory again, which is a class as good as always.
    fn defaultdict_again(&mut self, factory: Value<'a>) -> Put {
        self.out.put("defaultdict(")?;
        match factory.kind() {
            Kind::Global(global) => class(&mut self.out, &global)?,
            Kind::None => self.out.put("None")?,
            _ => self.out.put("...")?,
        }
        self.out.put(", {...})")
    }

    fn is_open(&self, value: Value<'a>) -> bool {
        let id = value.id();
        self.frames.iter().take(DEEP).any(|frame| frame.value.id() == id)
            || self.frames.len() > DEEP && self.deep.contains(&id)
    }

    fn object(&mut self, object: &Object<'a>) -> Put {
        let out = &mut self.out;
        match (object.class(), object.form()) {
            (Some(class), _) => {
                let (module, name) = python3_name(&class);
                out.format(format_args!("<{module}.{name} object>"))
            }
            (None, Form::Persistent) => out.put("<persistent object>"),
            (None, Form::Extension) => out.put("<registered object>"),
            (None, _) => out.put("<object>"),
        }
    }
}

/// What a container is made of, and how it ends.
fn parts(kind: Kind<'_>) -> Option<(Parts<'_>, &'static str)> {
    Some(match kind {
        Kind::List(items) => (Parts::Items(items), "]"),
        // A tuple of one item has a comma behind it.
        Kind::Tuple(items) if items.len() == 1 => (Parts::Items(items), ",)"),
        Kind::Tuple(items) => (Parts::Items(items), ")"),
        Kind::Set(items) => (Parts::Items(items), "}"),
        Kind::FrozenSet(items) => (Parts::Items(items), "})"),
        Kind::Deque { items, max_len: None } => (Parts::Items(items), "])"),
        Kind::Deque { items, max_len: Some(_) } => (Parts::Items(items), "], maxlen="),
        Kind::Dict(pairs) => (Parts::Pairs(pairs), "}"),
        Kind::Counter(pairs) => (Parts::Pairs(pairs), "})"),
        Kind::OrderedDict(pairs) => (Parts::Tuples(pairs), ")])"),
        Kind::DefaultDict { factory, pairs } => (Parts::After(factory, pairs), "})"),
        Kind::DateTime(datetime) => (Parts::One(datetime.zone?), ")"),
        Kind::Time(time) => (Parts::One(time.zone?), ")"),
        // An exception.
        Kind::Object(object) => (Parts::Items(object.args()), ")"),
        _ => return None,
    })
}

/// `<class 'list'>`, `<class 'module.Name'>`.
fn class(out: &mut Sink<'_>, global: &Global<'_>) -> Put {
    match python3_name(global) {
        ("builtins", name) => out.format(format_args!("<class '{name}'>")),
        (module, name) => out.format(format_args!("<class '{module}.{name}'>")),
    }
}

/// Module and name as Python 3 has them; protocols 0 to 2 name the built-in ones as Python 2 did
/// (`Lib/_compat_pickle.py`, 3.11).
fn python3_name<'a>(global: &Global<'a>) -> (&'a str, &'a str) {
    match (global.module(), global.name()) {
        ("__builtin__", name) => {
            let name = match name {
                "long" => "int",
                "unicode" | "basestring" => "str",
                "xrange" => "range",
                "unichr" => "chr",
                name => name,
            };
            ("builtins", name)
        }
        ("exceptions", name) => ("builtins", name),
        ("copy_reg", name) => ("copyreg", name),
        name => name,
    }
}

/// The order in which a counter is printed: by falling counts, as stored where they are equal. `None` where counts are
/// not all plain numbers.
fn most_common(pairs: Pairs<'_>) -> Option<Box<[usize]>> {
    let counts: Option<Vec<i64>> = pairs.map(|(_, count)| count.as_i64()).collect();
    let counts = counts?;
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(counts.get(*index).copied()));
    Some(order.into_boxed_slice())
}

/// The name of an exception that prints nothing but its arguments.
fn exception<'a>(object: &Object<'a>) -> Option<&'a str> {
    const NAMES: [&str; 16] = [
        "ArithmeticError",
        "AssertionError",
        "AttributeError",
        "Exception",
        "IOError",
        "IndexError",
        "KeyError",
        "LookupError",
        "MemoryError",
        "NotImplementedError",
        "OverflowError",
        "RuntimeError",
        "RuntimeWarning",
        "TypeError",
        "ValueError",
        "ZeroDivisionError",
    ];
    let class = object.class().filter(|class| matches!(class.module(), "builtins" | "exceptions"))?;
    (object.form() == Form::Call && NAMES.contains(&class.name())).then_some(class.name())
}
