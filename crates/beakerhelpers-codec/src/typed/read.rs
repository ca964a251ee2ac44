//! From values to types.

use std::cell::Cell;

use beakerhelpers_core::value::{BigInt, TimeDelta};
use beakerhelpers_core::{Kind, Value};
use serde::de::value::{BorrowedStrDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::access::{Entries, Sequence, Variant};
use super::error::Refusal;
use crate::class::type_name;
use crate::text::Text;

/// A value that serde reads.
#[derive(Clone, Copy)]
pub(super) struct Reader<'de, 'b> {
    pub(super) value: Value<'de>,
    /// How many containers may still be within each other.
    levels: u8,
    /// How much may still be read, in bytes.
    budget: &'b Cell<usize>,
}

/// What a value costs besides its text.
const NODE: usize = 16;

impl<'de, 'b> Reader<'de, 'b> {
    pub(super) const fn new(value: Value<'de>, budget: &'b Cell<usize>) -> Self {
        Self { value, levels: super::DEEPEST, budget }
    }

    /// Another value of the same level.
    pub(super) const fn of(self, value: Value<'de>) -> Self {
        Self { value, ..self }
    }

    fn spend(self, bytes: usize) -> Result<(), Refusal> {
        let left = self.budget.get().checked_sub(bytes);
        self.budget.set(left.ok_or_else(|| Refusal::new("it is larger than 64 MiB"))?);
        Ok(())
    }

    /// What is in a container may be nested one level less.
    fn inside(self) -> Result<Self, Refusal> {
        let levels = self.levels.checked_sub(1).ok_or_else(Refusal::deep)?;
        Ok(Self { levels, ..self })
    }

    fn sequence<V: Visitor<'de>>(
        self,
        items: impl Iterator<Item = Value<'de>>,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let mut items = Sequence::new(self.inside()?, items);
        let value = visitor.visit_seq(&mut items)?;
        items.end()?;
        Ok(value)
    }

    /// `fields` are those of a struct, whose names may be said.
    fn map<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Refusal> {
        let (Kind::Dict(pairs) | Kind::OrderedDict(pairs) | Kind::Counter(pairs) | Kind::DefaultDict { pairs, .. }) =
            self.value.kind()
        else {
            return self.deserialize_any(visitor);
        };
        self.spend(NODE)?;
        let mut entries = Entries::new(self.inside()?, pairs, fields);
        let value = visitor.visit_map(&mut entries)?;
        entries.end()?;
        Ok(value)
    }

    fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let mut text = String::new();
        Text::new().append_str(self.value, &mut text).map_err(|_| Refusal::new("its text is too long"))?;
        if matches!(self.value.kind(), Kind::DateTime(_)) {
            // ISO 8601 has another separator than Python.
            text = text.replacen(' ', "T", 1);
        }
        self.spend(text.len())?;
        visitor.visit_string(text)
    }

    /// A duration as two numbers, where it is one.
    fn duration(self) -> Option<[i64; 2]> {
        let Kind::TimeDelta(delta) = self.value.kind() else { return None };
        let micros = delta.as_micros();
        let nanos = micros.rem_euclid(1_000_000).saturating_mul(1000);
        Some([i64::try_from(micros.div_euclid(1_000_000)).ok()?, i64::try_from(nanos).ok()?])
    }
}

impl<'de> Deserializer<'de> for Reader<'de, '_> {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.spend(NODE)?;
        match self.value.kind() {
            Kind::None => visitor.visit_unit(),
            Kind::Bool(value) => visitor.visit_bool(value),
            Kind::Int(value) => visitor.visit_i64(value),
            Kind::BigInt(int) => big_int(int, visitor),
            Kind::Float(value) => visitor.visit_f64(value),
            Kind::Complex(real, imaginary) => visitor.visit_seq(SeqDeserializer::new([real, imaginary].into_iter())),
            Kind::Str(text) => {
                self.spend(text.len())?;
                visitor.visit_borrowed_str(text)
            }
            Kind::SurrogateStr(bytes) | Kind::Python2Str(bytes) | Kind::Bytes(bytes) | Kind::ByteArray(bytes) => {
                self.spend(bytes.len())?;
                visitor.visit_borrowed_bytes(bytes)
            }
            Kind::List(items)
            | Kind::Tuple(items)
            | Kind::Set(items)
            | Kind::FrozenSet(items)
            | Kind::Deque { items, .. } => self.sequence(items, visitor),
            Kind::Dict(_) | Kind::OrderedDict(_) | Kind::DefaultDict { .. } | Kind::Counter(_) => {
                self.map(&[], visitor)
            }
            Kind::DateTime(_)
            | Kind::Date(_)
            | Kind::Time(_)
            | Kind::Decimal(_)
            | Kind::Fraction(_)
            | Kind::Uuid(_)
            | Kind::Path(_)
            | Kind::Ip(_)
            | Kind::ZoneInfo(_) => self.text(visitor),
            Kind::TimeDelta(delta) => visitor.visit_f64(seconds(delta)),
            _ => Err(Refusal::new(format!("a `{}` is nothing that serde knows", type_name(self.value)))),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        if self.value.is_none() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.value.kind() {
            // A `Vec<u8>` asks for a sequence.
            Kind::Bytes(bytes) | Kind::ByteArray(bytes) => {
                self.spend(bytes.len().saturating_add(NODE))?;
                visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied()))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Refusal> {
        match self.duration() {
            Some(duration) => visitor.visit_seq(SeqDeserializer::new(duration.into_iter())),
            None => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        match self.duration() {
            Some(duration) => visitor.visit_seq(SeqDeserializer::new(duration.into_iter())),
            None => self.map(fields, visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.spend(NODE)?;
        let kind = self.value.kind();
        if let Kind::Str(text) = kind {
            return visitor.visit_enum(BorrowedStrDeserializer::new(text));
        }
        if let Kind::Dict(mut pairs) | Kind::OrderedDict(mut pairs) = kind
            && pairs.len() == 1
            && let Some((key, value)) = pairs.next()
        {
            let inside = self.inside()?;
            return visitor.visit_enum(Variant { key: inside.of(key), value: inside.of(value) });
        }
        let class = type_name(self.value);
        Err(Refusal::new(format!("expected the name of a variant or a dict with one, found a `{class}`")))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        // What no one wants need not be of any use.
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct map
        identifier
    }
}

fn big_int<'de, V: Visitor<'de>>(int: BigInt<'_>, visitor: V) -> Result<V::Value, Refusal> {
    if let Some(value) = int.to_u128() {
        return match (u64::try_from(value), i128::try_from(value)) {
            (Ok(value), _) => visitor.visit_u64(value),
            (_, Ok(value)) => visitor.visit_i128(value),
            _ => visitor.visit_u128(value),
        };
    }
    match int.to_i128() {
        Some(value) => visitor.visit_i128(value),
        None => Err(Refusal::new("expected a number of 128 bits at most, found a larger `int`")),
    }
}

#[expect(clippy::cast_precision_loss, reason = "as Python's `total_seconds` beyond 270 years")]
fn seconds(delta: TimeDelta) -> f64 {
    delta.as_micros() as f64 / 1e6
}
