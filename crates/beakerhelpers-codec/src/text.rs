//! Values as Python 3 prints them.
//!
//! What differs between versions is as in CPython 3.11: `OrderedDict([('b', 1)])`, and escapes for what is not
//! printable in Unicode 14.0.0. Python 2's spellings (`u'…'`, `2L`, `set([1])`) become Python 3's, and its `str` prints
//! as text where it is UTF-8, else as `b'…'`. Lone surrogates, which cannot be printed, are escapes such as `\ud800`.
//! An `int` of more than 4,300 digits, which CPython refuses to print, is hexadecimal. The items of a set come in stored
//! order. The offset of a time zone is left out where only Python code knows it. Networks, paths and fractions print as
//! they were stored where that is a form that Python prints.
//!
//! Objects of any other class print as what the pickle calls to make them, since only their own code knows better:
//!
//! - `module.Class(1, 'a')` where there are arguments, `module.Class(1, **{'key': 2})` with keywords: namedtuples, members
//!   of an `Enum`, strings and numbers of classes of their own. What is built in has no module, as in Python:
//!   `UnicodeDecodeError('ascii', b'\xe9', 0, 1, 'bad')`.
//! - `module.Color.RED` for what `getattr(module.Color, 'RED')` gives: a member of an `Enum`, a method or, before protocol 4,
//!   a class in a class. The pickle does not tell which.
//! - `<module.Class object>` where there are none.
//! - `<persistent object>` and `<registered object>` for what only the application has a name for.
//!
//! With [`Text::with_state`] they show the rest in angle brackets, in the order in which a pickle has it, and each part
//! only where it is there: `<module.Class object state={'x': 1}>`,
//! `<module.Class(1, 'a') state={'x': 1} items=[1, 2] pairs={'k': 'v'}>`. The state is what `__setstate__` is given, items
//! are appended or added, pairs are set by key.
//!
//! An object that is a part of itself is `module.Class(...)` there, or `<module.Class object ...>`. `str` of the plain
//! exceptions is their only argument, of those of the system it is `[Errno 2] No such file: 'x'`, and of `Markup`
//! (`markupsafe`) and `literal` (`webhelpers`) it is the text.

mod exception;
pub(crate) mod float;
pub(crate) mod name;
mod nested;
mod object;
mod parts;
mod printable;
pub(crate) mod quote;
mod simple;
mod sink;
mod times;

use beakerhelpers_core::{Error, Kind, Result, Value};

use self::nested::Writer;
use self::object::Extent;
use self::sink::Sink;

/// Prints values, up to a length.
///
/// Time and memory are linear in what is printed, however deep values are nested; a value that contains itself is
/// `[...]` there, as in Python.
///
/// # Examples
///
/// ```
/// use beakerhelpers_codec::text::Text;
/// use beakerhelpers_core::Session;
///
/// let session = Session::from_pairs([("greeting", "it's\n".into()), ("time", 1e16.into())]);
/// let (mut plain, mut quoted) = (String::new(), String::new());
/// for (_, value) in &session {
///     Text::new().append_str(value, &mut plain)?;
///     Text::new().append_repr(value, &mut quoted)?;
/// }
/// assert_eq!((plain.as_str(), quoted.as_str()), ("it's\n1e+16", r#""it's\n"1e+16"#));
/// # Ok::<(), beakerhelpers_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Text {
    max_len: usize,
    extent: Extent,
}

impl Text {
    /// The default limit: 16 MiB for one value.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_len: 16 << 20, extent: Extent::Call }
    }

    /// Sets how many bytes of UTF-8 one value may be. A short pickle can stand for a text of any length, by referring
    /// to the same value again and again.
    #[must_use]
    pub const fn with_max_len(self, bytes: usize) -> Self {
        Self { max_len: bytes, ..self }
    }

    /// Lets objects of unknown classes show all that their pickle says of them: state, items and pairs too.
    ///
    /// # Examples
    ///
    /// ```
    /// use beakerhelpers_codec::text::Text;
    /// use beakerhelpers_codec::{Decoded, Decoder};
    /// use beakerhelpers_core::{Framing, Payload};
    ///
    /// // An object of `shop.Cart` whose `__dict__` is `{'owner': 'joe'}`.
    /// let pickle = b"\x80\x02}X\x04\x00\x00\x00cartcshop\nCart\n)\x81}X\x05\x00\x00\x00ownerX\x03\x00\x00\x00joesbs.";
    /// let payload = Payload::new(Framing::Value, pickle.to_vec());
    /// let Decoded::Session(session) = Decoder::new().decode(&payload)? else { unreachable!("it is one") };
    /// let (mut short, mut long) = (String::new(), String::new());
    /// for (_, cart) in &session {
    ///     Text::new().append_str(cart, &mut short)?;
    ///     Text::new().with_state().append_str(cart, &mut long)?;
    /// }
    /// assert_eq!(short, "<shop.Cart object>");
    /// assert_eq!(long, "<shop.Cart object state={'owner': 'joe'}>");
    /// # Ok::<(), beakerhelpers_core::Error>(())
    /// ```
    #[must_use]
    pub const fn with_state(self) -> Self {
        Self { extent: Extent::All, ..self }
    }

    /// Appends what `str(value)` is in Python.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](beakerhelpers_core::ErrorKind::Corrupt) where it would be longer than the limit; then nothing is
    /// appended.
    #[inline]
    pub fn append_str(self, value: Value<'_>, out: &mut String) -> Result<()> {
        // Most values of most sessions end here.
        match value.kind() {
            Kind::Str(text) if text.len() <= self.max_len => out.push_str(text),
            _ => return self.append(value, out, Style::Str),
        }
        Ok(())
    }

    /// Appends what `repr(value)` is in Python.
    ///
    /// # Errors
    ///
    /// As [`Text::append_str`].
    pub fn append_repr(self, value: Value<'_>, out: &mut String) -> Result<()> {
        self.append(value, out, Style::Repr)
    }

    fn append(self, value: Value<'_>, out: &mut String, style: Style) -> Result<()> {
        let before = out.len();
        let written = Writer::new(Sink::new(out, self.max_len), self.extent).write(value, style);
        written.map_err(|_| {
            out.truncate(before);
            Error::corrupt(format!("a value would be a text of more than {} bytes", self.max_len))
        })
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::new()
    }
}

/// Which of Python's two texts of a value is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Str,
    Repr,
}
