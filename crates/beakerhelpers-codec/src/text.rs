//! Values as Python 3 prints them.
//!
//! What differs between versions is as in CPython 3.11: `OrderedDict([('b', 1)])`, and escapes for what is not
//! printable in Unicode 14.0.0. Python 2's spellings (`u'…'`, `2L`, `set([1])`) become Python 3's, and its `str` prints
//! as text where it is UTF-8, else as `b'…'`. Lone surrogates, which cannot be printed, are escapes such as `\ud800`.
//! An `int` of more than 4,300 digits, which CPython refuses to print, is hexadecimal. The items of a set come in stored
//! order. The offset of a time zone is left out where only Python code knows it. An object of any other class is
//! `<module.Class object>`, but for the plain exceptions, which print their arguments.

pub(crate) mod float;
mod nested;
mod printable;
pub(crate) mod quote;
mod sink;
mod times;

use beakerhelpers_core::{Error, Kind, Result, Value};

use self::nested::Writer;
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
}

impl Text {
    /// The default limit: 16 MiB for one value.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_len: 16 << 20 }
    }

    /// Sets how many bytes of UTF-8 one value may be. A short pickle can stand for a text of any length, by referring
    /// to the same value again and again.
    #[must_use]
    pub const fn with_max_len(self, bytes: usize) -> Self {
        Self { max_len: bytes }
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
        let written = Writer::new(Sink::new(out, self.max_len)).write(value, style);
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
