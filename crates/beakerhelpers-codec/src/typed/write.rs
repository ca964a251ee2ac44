//! From types to values.

use beakerhelpers_core::value::{Draft, NodeId};
use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::error::{Refusal, Segment};

/// Where serde writes one value.
pub(super) struct Writer<'d> {
    draft: &'d mut Draft,
    /// How many containers may still be within each other.
    levels: u8,
    /// It is a key of a dict, or in one: what can change cannot be there.
    is_key: bool,
}

impl<'d> Writer<'d> {
    pub(super) const fn new(draft: &'d mut Draft) -> Self {
        Self { draft, levels: super::DEEPEST, is_key: false }
    }

    fn begin(self, shape: Shape, variant: Option<&'static str>) -> Result<Container<'d>, Refusal> {
        if self.is_key && (shape != Shape::Tuple || variant.is_some()) {
            return Err(Refusal::new("a `list` or a `dict` cannot be a key in Python"));
        }
        // A variant is a dict around the container.
        let levels = self.levels.checked_sub(if variant.is_some() { 2 } else { 1 }).ok_or_else(Refusal::deep)?;
        Ok(Container { draft: self.draft, levels, is_key: self.is_key, shape, variant, parts: Vec::new() })
    }
}

/// What is made of the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    List,
    Tuple,
    Dict,
}

/// A container that is being written.
pub(super) struct Container<'d> {
    draft: &'d mut Draft,
    levels: u8,
    is_key: bool,
    shape: Shape,
    /// The variant of an enum whose data it is.
    variant: Option<&'static str>,
    /// Items, or keys and values by turns.
    parts: Vec<NodeId>,
}

impl Container<'_> {
    fn part<T: Serialize + ?Sized>(&mut self, value: &T, is_key: bool, segment: Segment) -> Result<(), Refusal> {
        let writer = Writer { draft: self.draft, levels: self.levels, is_key: self.is_key || is_key };
        self.parts.push(value.serialize(writer).map_err(|refusal| refusal.within(segment))?);
        Ok(())
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        let index = self.parts.len();
        self.part(value, false, Segment::Index(index))
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Refusal> {
        let key = self.draft.str(name);
        self.parts.push(key);
        self.part(value, false, Segment::Field(name))
    }

    fn finish(self) -> NodeId {
        let container = match self.shape {
            Shape::List => self.draft.list(&self.parts),
            Shape::Tuple => self.draft.tuple(&self.parts),
            Shape::Dict => self.draft.dict(&self.parts),
        };
        match self.variant {
            None => container,
            Some(name) => {
                let key = self.draft.str(name);
                self.draft.dict(&[key, container])
            }
        }
    }
}

macro_rules! small {
    ($($method:ident $number:ty,)*) => {$(
        fn $method(self, value: $number) -> Result<NodeId, Refusal> {
            self.serialize_i64(value.into())
        }
    )*};
}

impl<'d> Serializer for Writer<'d> {
    type Ok = NodeId;
    type Error = Refusal;
    type SerializeSeq = Container<'d>;
    type SerializeTuple = Container<'d>;
    type SerializeTupleStruct = Container<'d>;
    type SerializeTupleVariant = Container<'d>;
    type SerializeMap = Container<'d>;
    type SerializeStruct = Container<'d>;
    type SerializeStructVariant = Container<'d>;

    fn serialize_bool(self, value: bool) -> Result<NodeId, Refusal> {
        Ok(if value { NodeId::TRUE } else { NodeId::FALSE })
    }

    small! {
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_u8 u8, serialize_u16 u16, serialize_u32 u32,
    }

    fn serialize_i64(self, value: i64) -> Result<NodeId, Refusal> {
        Ok(self.draft.int(value))
    }

    fn serialize_i128(self, value: i128) -> Result<NodeId, Refusal> {
        Ok(self.draft.big_int(&value.to_le_bytes()))
    }

    fn serialize_u64(self, value: u64) -> Result<NodeId, Refusal> {
        self.serialize_i128(value.into())
    }

    fn serialize_u128(self, value: u128) -> Result<NodeId, Refusal> {
        let mut bytes = value.to_le_bytes().to_vec();
        // The sign.
        bytes.push(0);
        Ok(self.draft.big_int(&bytes))
    }

    fn serialize_f32(self, value: f32) -> Result<NodeId, Refusal> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<NodeId, Refusal> {
        Ok(self.draft.float(value))
    }

    fn serialize_char(self, value: char) -> Result<NodeId, Refusal> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<NodeId, Refusal> {
        Ok(self.draft.str(value))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<NodeId, Refusal> {
        Ok(self.draft.bytes(value))
    }

    fn serialize_none(self) -> Result<NodeId, Refusal> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<NodeId, Refusal> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<NodeId, Refusal> {
        Ok(NodeId::NONE)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<NodeId, Refusal> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<NodeId, Refusal> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<NodeId, Refusal> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<NodeId, Refusal> {
        let mut dict = self.begin(Shape::Dict, None)?;
        dict.field(variant, value)?;
        Ok(dict.finish())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Container<'d>, Refusal> {
        self.begin(Shape::List, None)
    }

    fn serialize_tuple(self, _: usize) -> Result<Container<'d>, Refusal> {
        self.begin(Shape::Tuple, None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Container<'d>, Refusal> {
        self.begin(Shape::Tuple, None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Container<'d>, Refusal> {
        self.begin(Shape::Tuple, Some(variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Container<'d>, Refusal> {
        self.begin(Shape::Dict, None)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Container<'d>, Refusal> {
        self.begin(Shape::Dict, None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Container<'d>, Refusal> {
        self.begin(Shape::Dict, Some(variant))
    }
}

macro_rules! items {
    ($($implemented:ident $method:ident,)*) => {$(
        impl $implemented for Container<'_> {
            type Ok = NodeId;
            type Error = Refusal;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
                self.item(value)
            }

            fn end(self) -> Result<NodeId, Refusal> {
                Ok(self.finish())
            }
        }
    )*};
}

items! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

macro_rules! fields {
    ($($implemented:ident,)*) => {$(
        impl $implemented for Container<'_> {
            type Ok = NodeId;
            type Error = Refusal;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Refusal> {
                self.field(name, value)
            }

            fn end(self) -> Result<NodeId, Refusal> {
                Ok(self.finish())
            }
        }
    )*};
}

fields! { SerializeStruct, SerializeStructVariant, }

impl SerializeMap for Container<'_> {
    type Ok = NodeId;
    type Error = Refusal;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refusal> {
        self.part(key, true, Segment::Key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.part(value, false, Segment::Value)
    }

    fn end(self) -> Result<NodeId, Refusal> {
        Ok(self.finish())
    }
}
