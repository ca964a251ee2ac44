//! Values that Python programs put into sessions.

mod arena;
mod big_int;
mod class;
mod draft;
mod fraction;
mod grow;
mod ip;
mod items;
mod keys;
mod names;
mod object;
mod path;
mod times;

use std::fmt;

pub(crate) use arena::Arena;
use arena::{Node, RawSort, Sort};

pub use arena::{Form, NodeId};
pub use big_int::BigInt;
pub use class::Global;
pub use draft::Draft;
pub use fraction::{Fraction, Integer};
pub use ip::{Ip, IpSort};
pub use items::{Items, Pairs};
pub use object::Object;
pub use path::{Path, PathSort};
pub use times::{Clock, Date, DateTime, Time, TimeDelta, TimeZone};

/// One value of a [`Session`](crate::Session): a handle, to be copied freely.
///
/// Values may be shared and may contain themselves; [`Value::id`] tells whether two are the same object.
/// `Debug` shows what kind it is and never what it holds.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    arena: &'a Arena,
    id: NodeId,
}

/// What a [`Value`] is and holds.
#[derive(Clone)]
#[non_exhaustive]
pub enum Kind<'a> {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An `int` that fits; Python 2's `long` too.
    Int(i64),
    /// A larger `int`.
    BigInt(BigInt<'a>),
    /// A `float`.
    Float(f64),
    /// A `complex`: real and imaginary part.
    Complex(f64, f64),
    /// A `str`; of Python 2 a `unicode`, or a `str` that is UTF-8.
    Str(&'a str),
    /// A `str` with lone surrogates: UTF-8 that encodes those as if they were characters.
    SurrogateStr(&'a [u8]),
    /// A Python 2 `str` that is not UTF-8.
    Python2Str(&'a [u8]),
    /// `bytes`.
    Bytes(&'a [u8]),
    /// A `bytearray`.
    ByteArray(&'a [u8]),
    /// A `list`.
    List(Items<'a>),
    /// A `tuple`.
    Tuple(Items<'a>),
    /// A `set`.
    Set(Items<'a>),
    /// A `frozenset`.
    FrozenSet(Items<'a>),
    /// A `collections.deque`.
    Deque {
        /// Its items.
        items: Items<'a>,
        /// Its `maxlen`.
        max_len: Option<u64>,
    },
    /// A `dict`.
    Dict(Pairs<'a>),
    /// A `collections.OrderedDict`.
    OrderedDict(Pairs<'a>),
    /// A `collections.defaultdict`.
    DefaultDict {
        /// Its `default_factory`.
        factory: Value<'a>,
        /// Its items.
        pairs: Pairs<'a>,
    },
    /// A `collections.Counter`, in stored order.
    Counter(Pairs<'a>),
    /// A `datetime.datetime`.
    DateTime(DateTime<'a>),
    /// A `datetime.date`.
    Date(Date),
    /// A `datetime.time`.
    Time(Time<'a>),
    /// A `datetime.timedelta`.
    TimeDelta(TimeDelta),
    /// A `datetime.timezone`.
    TimeZone(TimeZone<'a>),
    /// A `decimal.Decimal`, as Python prints it.
    Decimal(&'a str),
    /// A `uuid.UUID`.
    Uuid(u128),
    /// A `fractions.Fraction`.
    Fraction(Fraction<'a>),
    /// A `range`, or Python 2's `xrange`. All three are numbers, and the last is not 0.
    Range {
        /// The first number, unless there is none.
        start: Value<'a>,
        /// Where it ends; not in it.
        stop: Value<'a>,
        /// From each number to the next.
        step: Value<'a>,
    },
    /// An object of `pathlib`.
    Path(Path<'a>),
    /// An object of `ipaddress`.
    Ip(Ip<'a>),
    /// A `zoneinfo.ZoneInfo` by its key, such as `Europe/Vilnius`.
    ZoneInfo(&'a str),
    /// A class or a function; `Ellipsis` and `NotImplemented` too.
    Global(Global<'a>),
    /// Anything else. A namedtuple and a member of an `Enum` are among it: a pickle names their class and their values,
    /// and does not tell what they are.
    Object(Object<'a>),
}

impl<'a> Value<'a> {
    #[inline]
    pub(crate) const fn new(arena: &'a Arena, id: NodeId) -> Self {
        Self { arena, id }
    }

    #[inline]
    fn node(self) -> Node {
        self.arena.node(self.id)
    }

    /// Tells apart the objects of one session: the same object has the same id wherever it is referred to.
    /// Atoms that are equal may share one. Ids are dense: all are below [`Session::node_count`](crate::Session::node_count).
    #[inline]
    pub const fn id(self) -> usize {
        self.id.index()
    }

    /// What it is and holds.
    #[inline]
    pub fn kind(self) -> Kind<'a> {
        match self.node() {
            Node::Text { start, len, .. } => Kind::Str(self.arena.text(start, len)),
            Node::Object(index) => Object::new(self.arena, index)
                .map_or(Kind::None, |object| object.typed().unwrap_or(Kind::Object(object))),
            _ => self.raw_kind(),
        }
    }

    /// What the pickle says it is, for those who write pickles: as [`Value::kind`], but an object of any class is a
    /// [`Kind::Object`], and a `str` of Python 2 is a [`Kind::Python2Str`] even where it is text.
    #[expect(
        clippy::inline_always,
        reason = "a caller matches on it at once: to return it through memory takes as long"
    )]
    #[inline(always)]
    pub fn raw_kind(self) -> Kind<'a> {
        let arena = self.arena;
        match self.node() {
            Node::None => Kind::None,
            Node::Bool(value) => Kind::Bool(value),
            Node::Int(value) => Kind::Int(value),
            Node::Float(value) => Kind::Float(value),
            Node::Text { python2: false, start, len } => Kind::Str(arena.text(start, len)),
            Node::Text { python2: true, start, len } => Kind::Python2Str(arena.text(start, len).as_bytes()),
            Node::Raw { sort, start, len } => {
                let bytes = arena::range(&arena.bytes, start, len);
                match sort {
                    RawSort::BigInt => Kind::BigInt(BigInt::new(bytes)),
                    RawSort::Surrogates => Kind::SurrogateStr(bytes),
                    RawSort::Python2 => Kind::Python2Str(bytes),
                    RawSort::Bytes => Kind::Bytes(bytes),
                    RawSort::ByteArray => Kind::ByteArray(bytes),
                }
            }
            Node::Items { sort, start, len, .. } => {
                let slots = arena.slots(start, len);
                match sort {
                    Sort::List => Kind::List(Items::new(arena, slots, &[])),
                    Sort::Tuple => Kind::Tuple(Items::new(arena, slots, &[])),
                    Sort::Set => Kind::Set(Items::new(arena, slots, &[])),
                    Sort::FrozenSet => Kind::FrozenSet(Items::new(arena, slots, &[])),
                    Sort::Dict => Kind::Dict(Pairs::new(arena, &[], slots)),
                }
            }
            Node::Global { known, translated, module, name } => Kind::Global(Global {
                module: Self::new(arena, module),
                name: Self::new(arena, name),
                known,
                translated,
            }),
            Node::Object(index) => Object::new(arena, index).map_or(Kind::None, Kind::Object),
        }
    }

    /// Whether [`Value::raw_kind`] is a container or an object, which have other values in them.
    #[inline]
    pub fn has_parts(self) -> bool {
        matches!(self.node(), Node::Items { .. } | Node::Object(_))
    }

    /// The object, where [`Value::raw_kind`] is [`Kind::Object`].
    #[inline]
    pub fn as_object(self) -> Option<Object<'a>> {
        match self.node() {
            Node::Object(index) => Object::new(self.arena, index),
            _ => None,
        }
    }

    /// Where [`Value::raw_kind`] is a container, what is in it: its items, or keys and values by turns. Nothing otherwise.
    #[inline]
    pub fn part_ids(self) -> &'a [NodeId] {
        match self.node() {
            Node::Items { start, len, .. } => self.arena.slots(start, len),
            _ => &[],
        }
    }

    /// The text, where it is [`Kind::Str`].
    #[inline]
    pub fn as_str(self) -> Option<&'a str> {
        match self.node() {
            Node::Text { start, len, .. } => Some(self.arena.text(start, len)),
            _ => None,
        }
    }

    /// The number, where it is [`Kind::Int`].
    pub fn as_i64(self) -> Option<i64> {
        match self.node() {
            Node::Int(value) => Some(value),
            _ => None,
        }
    }

    /// The number, where it is [`Kind::Float`].
    pub fn as_f64(self) -> Option<f64> {
        match self.node() {
            Node::Float(value) => Some(value),
            _ => None,
        }
    }

    /// Whether it is [`Kind::None`].
    pub fn is_none(self) -> bool {
        matches!(self.node(), Node::None)
    }

    /// [`Value::kind`] for numbers only, which are never made of other values.
    fn kind_of_number(self) -> Option<Kind<'a>> {
        match self.node() {
            Node::Int(_) | Node::Raw { sort: RawSort::BigInt, .. } => Some(self.kind()),
            _ => None,
        }
    }
}

impl Value<'_> {
    /// The number, where it is one from 0 on that fits.
    fn to_u128(self) -> Option<u128> {
        match self.kind_of_number()? {
            Kind::Int(int) => int.try_into().ok(),
            Kind::BigInt(int) => int.to_u128(),
            _ => None,
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({:?})", self.kind())
    }
}

impl fmt::Debug for Kind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::None => "None",
            Self::Bool(_) => "Bool",
            Self::Int(_) => "Int",
            Self::BigInt(int) => return int.fmt(f),
            Self::Float(_) => "Float",
            Self::Complex(..) => "Complex",
            Self::Str(text) => return write!(f, "Str({} bytes)", text.len()),
            Self::SurrogateStr(bytes) => return write!(f, "SurrogateStr({} bytes)", bytes.len()),
            Self::Python2Str(bytes) => return write!(f, "Python2Str({} bytes)", bytes.len()),
            Self::Bytes(bytes) => return write!(f, "Bytes({} bytes)", bytes.len()),
            Self::ByteArray(bytes) => return write!(f, "ByteArray({} bytes)", bytes.len()),
            Self::List(items) => return write!(f, "List({items:?})"),
            Self::Tuple(items) => return write!(f, "Tuple({items:?})"),
            Self::Set(items) => return write!(f, "Set({items:?})"),
            Self::FrozenSet(items) => return write!(f, "FrozenSet({items:?})"),
            Self::Deque { items, .. } => return write!(f, "Deque({items:?})"),
            Self::Dict(pairs) => return write!(f, "Dict({pairs:?})"),
            Self::OrderedDict(pairs) => return write!(f, "OrderedDict({pairs:?})"),
            Self::DefaultDict { pairs, .. } => return write!(f, "DefaultDict({pairs:?})"),
            Self::Counter(pairs) => return write!(f, "Counter({pairs:?})"),
            Self::DateTime(_) => "DateTime",
            Self::Date(_) => "Date",
            Self::Time(_) => "Time",
            Self::TimeDelta(_) => "TimeDelta",
            Self::TimeZone(_) => "TimeZone",
            Self::Decimal(_) => "Decimal",
            Self::Uuid(_) => "Uuid",
            Self::Fraction(_) => "Fraction",
            Self::Range { .. } => "Range",
            Self::Path(path) => return path.fmt(f),
            Self::Ip(ip) => return ip.fmt(f),
            Self::ZoneInfo(_) => "ZoneInfo",
            Self::Global(_) => "Global",
            Self::Object(object) => return object.fmt(f),
        };
        f.write_str(name)
    }
}
