//! Why a value and a type do not go together, without a word of what the value holds.

use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};
use serde::ser;

/// Why and where in a value.
#[derive(Debug)]
pub(super) struct Refusal {
    why: String,
    /// The innermost first.
    path: Vec<Segment>,
}

/// One step into a value.
#[derive(Debug)]
pub(super) enum Segment {
    Index(usize),
    /// The field of a struct.
    Field(&'static str),
    /// A value in a dict whose keys are nobody's business.
    Value,
    Key,
}

impl Refusal {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), path: Vec::new() }
    }

    pub(super) fn deep() -> Self {
        Self::new(format!("it is nested more than {} levels deep", super::DEEPEST))
    }

    /// Tells in which part of a container it was.
    pub(super) fn within(mut self, segment: Segment) -> Self {
        self.path.push(segment);
        self
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)?;
        if self.path.is_empty() {
            return Ok(());
        }
        f.write_str(", at `")?;
        for segment in self.path.iter().rev() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Field(name) => write!(f, ".{name}")?,
                Segment::Value => f.write_str("[…]")?,
                Segment::Key => f.write_str("[key]")?,
            }
        }
        f.write_str("`")
    }
}

impl std::error::Error for Refusal {}

/// What serde says by default shows values, and so do types of their own.
impl de::Error for Refusal {
    fn custom<T: Display>(_: T) -> Self {
        Self::new("the type does not take what is there")
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {expected}, found {}", kind(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {expected}, found {} that does not fit", kind(found)))
    }

    fn invalid_length(len: usize, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {expected}, found {len} items"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("expected one of the variants {}, found another", list(expected)))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("expected one of the fields {}, found another", list(expected)))
    }
}

impl ser::Error for Refusal {
    fn custom<T: Display>(_: T) -> Self {
        Self::new("the type does not let it be written")
    }
}

fn kind(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "`bool`",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "`int`",
        Unexpected::Float(_) => "`float`",
        Unexpected::Char(_) | Unexpected::Str(_) => "`str`",
        Unexpected::Bytes(_) => "`bytes`",
        Unexpected::Unit | Unexpected::Option => "`None`",
        Unexpected::Seq => "sequence",
        Unexpected::Map => "`dict`",
        _ => "something else",
    }
}

fn list(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
