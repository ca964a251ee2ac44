//! What containers are made of.

use beakerhelpers_core::value::{Items, Kind, Pairs, Value};

use super::object::{Extent, Shape};

/// What a container is made of.
pub(super) enum Parts<'a> {
    Items(Items<'a>),
    /// `key: value`
    Pairs(Pairs<'a>),
    /// `(key, value)`
    Tuples(Pairs<'a>),
    /// A value, and then pairs.
    After(Value<'a>, Pairs<'a>),
    /// A value.
    One(Value<'a>),
    /// What the pickle says of an object.
    Object(Shape<'a>),
}

/// What a container is made of, and how it ends.
pub(super) fn parts(kind: Kind<'_>, extent: Extent) -> Option<(Parts<'_>, &'static str)> {
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
        Kind::Object(object) => {
            let shape = Shape::of(&object, extent);
            let close = shape.close();
            (Parts::Object(shape), close)
        }
        _ => return None,
    })
}

/// The order in which a counter is printed: by falling counts, as stored where they are equal. `None` where counts are
/// not all plain numbers.
pub(super) fn most_common(pairs: Pairs<'_>) -> Option<Box<[usize]>> {
    let counts: Option<Vec<i64>> = pairs.map(|(_, count)| count.as_i64()).collect();
    let counts = counts?;
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(counts.get(*index).copied()));
    Some(order.into_boxed_slice())
}
