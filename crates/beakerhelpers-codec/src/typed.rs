//! Values as Rust types, through serde.

mod access;
mod error;
mod read;
mod write;

use std::any::type_name;
use std::cell::Cell;

use beakerhelpers_core::{Error, ErrorKind, Result, Session, escape_controls};
use serde::{Deserialize, Serialize};

use self::error::Refusal;
use self::read::Reader;
use self::write::Writer;

/// Containers in containers, at most: serde takes stack for each.
const DEEPEST: u8 = 128;

/// What one value may be at most: the bytes of its texts, and 16 for each value in it. A short payload can stand for a
/// value of any size, by referring to the same one again and again.
const LARGEST: usize = 64 << 20;

/// Values of a [`Session`] as Rust types, through [serde].
///
/// | Python | Rust, if serde is asked nothing else |
/// |---|---|
/// | `None` | `()`, and `None` of an `Option` |
/// | `bool`, `int`, `float`, `str` | the same; an `int` of 128 bits at most |
/// | `bytes`, `bytearray`, text that is not Unicode | bytes, borrowed or as a `Vec<u8>` |
/// | `list`, `tuple`, `set`, `frozenset`, `deque` | a sequence |
/// | `dict`, `OrderedDict`, `defaultdict`, `Counter` | a map or a struct |
/// | `datetime`, `date`, `time` | text as ISO 8601 has it, which chrono reads; with an offset where the zone is known |
/// | `timedelta` | seconds as an `f64`; where a struct or a tuple is asked for, as of `std::time::Duration`, whole seconds and nanoseconds |
/// | `Decimal`, `Fraction`, `UUID`, `ZoneInfo`, what `pathlib` and `ipaddress` have | text as Python prints it, which `PathBuf` and `IpAddr` read |
/// | `complex` | a sequence of two `f64` |
///
/// An enum is tagged externally, as serde's default is: text for a variant without data, else a dict with one key. Where
/// a map's keys are to be numbers, keys that are text are read as numbers: the JSON serializer makes text of them.
///
/// The other way, what serde calls a sequence becomes a `list` (a set too), a tuple a `tuple`, bytes `bytes`, and a struct
/// a `dict`.
///
/// # Examples
///
/// ```
/// use beakerhelpers_codec::Typed as _;
/// use beakerhelpers_core::Session;
///
/// let mut session = Session::from_pairs([("user_name", "joe".into()), ("visits", 7.into())]);
/// assert_eq!(session.get::<&str>("user_name")?, Some("joe"));
/// assert_eq!(session.get::<u32>("visits")?, Some(7));
/// assert_eq!(session.get::<u32>("cart")?, None);
/// session.insert("cart", &vec![(1001, "apples"), (1002, "pears")])?;
/// assert_eq!(session.get::<Vec<(u32, String)>>("cart")?.map(|cart| cart.len()), Some(2));
/// # Ok::<(), beakerhelpers_core::Error>(())
/// ```
///
/// `serde_pickle::Value` and `serde_json::Value` are such types, for programs that know no better.
pub trait Typed: sealed::Sealed {
    /// The value of a key that is text, as a type; `None` where the session has no such key.
    ///
    /// # Errors
    ///
    /// [`Other`](ErrorKind::Other) where the type cannot hold the value: the error names the key, the type, the place in
    /// the value and what is there, and never shows contents. A `range`, a `timezone`, classes, objects of classes
    /// that have no meaning here, values nested more than 128 levels deep and values of more than 64 MiB cannot be read as any type.
    fn get<'de, T: Deserialize<'de>>(&'de self, key: &str) -> Result<Option<T>>;

    /// Sets a key to a value. A key that is there keeps its place.
    ///
    /// # Errors
    ///
    /// [`Other`](ErrorKind::Other) where serde cannot make a value of it; then the session is as before.
    fn insert<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<()>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for beakerhelpers_core::Session {}
}

impl Typed for Session {
    fn get<'de, T: Deserialize<'de>>(&'de self, key: &str) -> Result<Option<T>> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let budget = Cell::new(LARGEST);
        T::deserialize(Reader::new(value, &budget)).map(Some).map_err(|refusal| error::<T>("read", key, &refusal))
    }

    fn insert<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<()> {
        self.try_set(key, |draft| value.serialize(Writer::new(draft)))
            .map_err(|refusal| error::<T>("written", key, &refusal))
    }
}

fn error<T: ?Sized>(done: &str, key: &str, refusal: &Refusal) -> Error {
    let (key, name) = (escape_controls(key), type_name::<T>());
    Error::new(ErrorKind::Other, format!("the value of `{key}` cannot be {done} as `{name}`: {refusal}"))
}
