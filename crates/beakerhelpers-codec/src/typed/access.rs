//! What serde asks of containers.

use beakerhelpers_core::Value;
use beakerhelpers_core::value::Pairs;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::error::{Refusal, Segment};
use super::read::Reader;

/// The items of a list, a tuple or a set.
pub(super) struct Sequence<'de, 'b, I> {
    within: Reader<'de, 'b>,
    items: I,
    done: usize,
}

impl<'de, 'b, I: Iterator<Item = Value<'de>>> Sequence<'de, 'b, I> {
    pub(super) const fn new(within: Reader<'de, 'b>, items: I) -> Self {
        Self { within, items, done: 0 }
    }

    /// Tests that all was read.
    pub(super) fn end(mut self) -> Result<(), Refusal> {
        match self.items.next() {
            Some(_) => Err(Refusal::new(format!("expected {} items, found more", self.done))),
            None => Ok(()),
        }
    }
}

impl<'de, I: Iterator<Item = Value<'de>>> SeqAccess<'de> for &mut Sequence<'de, '_, I> {
    type Error = Refusal;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refusal> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let index = self.done;
        self.done = index.saturating_add(1);
        let read = seed.deserialize(self.within.of(item));
        read.map(Some).map_err(|refusal| refusal.within(Segment::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        // Serde bounds what it allocates for a hint.
        Some(self.items.size_hint().0)
    }
}

/// The keys and values of a dict.
pub(super) struct Entries<'de, 'b> {
    within: Reader<'de, 'b>,
    pairs: Pairs<'de>,
    /// The fields of the struct that is read.
    fields: &'static [&'static str],
    /// What follows the key that was read last, and which field that was.
    value: Option<(Value<'de>, Segment)>,
}

impl<'de, 'b> Entries<'de, 'b> {
    pub(super) const fn new(within: Reader<'de, 'b>, pairs: Pairs<'de>, fields: &'static [&'static str]) -> Self {
        Self { within, pairs, fields, value: None }
    }

    /// Tests that all was read.
    pub(super) fn end(self) -> Result<(), Refusal> {
        if self.pairs.is_empty() { Ok(()) } else { Err(Refusal::new("expected fewer keys")) }
    }
}

impl<'de> MapAccess<'de> for &mut Entries<'de, '_> {
    type Error = Refusal;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refusal> {
        let Some((key, value)) = self.pairs.next() else { return Ok(None) };
        let field = key.as_str().and_then(|key| self.fields.iter().find(|field| **field == key));
        self.value = Some((value, field.map_or(Segment::Value, |field| Segment::Field(field))));
        let read = seed.deserialize(Key(self.within.of(key)));
        read.map(Some).map_err(|refusal| refusal.within(Segment::Key))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Refusal> {
        let (value, segment) =
            self.value.take().ok_or_else(|| Refusal::new("the type asks for a value without a key"))?;
        seed.deserialize(self.within.of(value)).map_err(|refusal| refusal.within(segment))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.pairs.len())
    }
}

/// A key: where a number is wanted, text that is one will do.
struct Key<'de, 'b>(Reader<'de, 'b>);

macro_rules! numbers {
    ($($method:ident $visit:ident $number:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
            match self.0.value.as_str().map(str::parse::<$number>) {
                Some(Ok(number)) => visitor.$visit(number),
                _ => self.0.$method(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'de, '_> {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.0.deserialize_any(visitor)
    }

    numbers! {
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_i128 visit_i128 i128,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_u128 visit_u128 u128,
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        if self.0.value.is_none() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Refusal> {
        self.0.deserialize_tuple(len, visitor)
    }

    forward_to_deserialize_any! {
        bool f32 f64 char str string bytes byte_buf unit unit_struct seq tuple_struct map struct identifier ignored_any
    }
}

/// The variant of an enum that has data.
pub(super) struct Variant<'de, 'b> {
    pub(super) key: Reader<'de, 'b>,
    pub(super) value: Reader<'de, 'b>,
}

impl<'de> EnumAccess<'de> for Variant<'de, '_> {
    type Error = Refusal;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Refusal> {
        let variant = seed.deserialize(self.key).map_err(|refusal| refusal.within(Segment::Key))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de, '_> {
    type Error = Refusal;

    fn unit_variant(self) -> Result<(), Refusal> {
        serde::Deserialize::deserialize(self.value)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Refusal> {
        seed.deserialize(self.value).map_err(|refusal| refusal.within(Segment::Value))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Refusal> {
        self.value.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Refusal> {
        self.value.deserialize_struct("", fields, visitor)
    }
}
