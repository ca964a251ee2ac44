//! References to classes and functions, and the few that have a meaning of their own here.

use std::fmt;

use super::{IpSort, PathSort, Value, names};

/// A reference to a class or a function by its module and its qualified name. Nothing is imported.
#[derive(Clone, Copy)]
pub struct Global<'a> {
    /// Such as `datetime`; Python 2's `__builtin__`, `copy_reg` and so on as they were written.
    pub module: Value<'a>,
    /// Such as `datetime` or `Outer.Inner`.
    pub name: Value<'a>,
    pub(crate) known: Known,
    /// Whether Python 3 translates the name while it loads it.
    pub(crate) translated: bool,
}

impl<'a> Global<'a> {
    /// The module, where it is text; it always is in what Python wrote.
    pub fn module(&self) -> &'a str {
        self.module.as_str().unwrap_or("")
    }

    /// The name, where it is text; it always is in what Python wrote.
    pub fn name(&self) -> &'a str {
        self.name.as_str().unwrap_or("")
    }

    /// Module and name as Python 3 has them. Protocols 0 to 2 may name things as Python 2 did, and Python 3 knows what
    /// it calls them (`Lib/_compat_pickle.py`, 3.14); in later protocols a name is what it is.
    pub fn python3_name(&self) -> (&'a str, &'a str) {
        if self.translated { names::python3(self.module(), self.name()) } else { (self.module(), self.name()) }
    }

    /// What Python looks up in the module, and after the next dot what it looks up in that: `Outer` and `Inner`. Protocols 0
    /// to 2 look up the whole name, whatever is in it; that 3 does so too is not known here.
    pub fn parts(&self) -> (&'a str, Option<&'a str>) {
        match self.name().split_once('.') {
            Some((first, rest)) if !self.translated => (first, Some(rest)),
            _ => (self.name(), None),
        }
    }

    /// Module and name as protocols 0 to 2 have them, which [`Global::python3_name`] is what Python 3 loads by; of a name
    /// in [parts](Global::parts) the first.
    ///
    /// `None` where Python 3 would read that as another name: `__builtin__.object` of a protocol that is not translated.
    pub fn python2_name(&self) -> Option<(&'a str, &'a str)> {
        let name = (self.module(), self.parts().0);
        if self.translated {
            return Some(name);
        }
        names::python2(name.0, name.1)
    }

    /// Module and name as Python 3 would have them if all names were those of Python 2, whatever the protocol.
    pub fn modern_name(&self) -> (&'a str, &'a str) {
        names::python3(self.module(), self.name())
    }
}

impl fmt::Debug for Global<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Global")
    }
}

/// What a global is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Other,
    ByteArray,
    Bytes,
    CodecsEncode,
    Complex,
    Counter,
    Date,
    DateTime,
    Decimal,
    DefaultDict,
    Deque,
    Fraction,
    FrozenSet,
    GetAttr,
    Ip(IpSort),
    /// `copyreg._reconstructor(class, base, state)`, `copyreg.__newobj__(class, …)`: the class is the first argument.
    ClassFirst,
    OrderedDict,
    Path(PathSort),
    Range,
    Set,
    Str,
    Time,
    TimeDelta,
    TimeZone,
    Uuid,
    ZoneInfo,
    /// `zoneinfo.ZoneInfo._unpickle(key, from_cache)`
    ZoneInfoMaker,
}

impl Known {
    pub(crate) fn of(module: &[u8], name: &[u8]) -> Self {
        match (module, name) {
            (b"datetime", b"datetime") => Self::DateTime,
            (b"datetime", b"date") => Self::Date,
            (b"datetime", b"time") => Self::Time,
            (b"datetime", b"timedelta") => Self::TimeDelta,
            (b"datetime", b"timezone") => Self::TimeZone,
            // CPython 3.12 and PyPy name the modules that implement them.
            (b"decimal" | b"_decimal" | b"_pydecimal", b"Decimal") => Self::Decimal,
            (b"uuid", b"UUID") => Self::Uuid,
            (b"collections", b"OrderedDict") => Self::OrderedDict,
            (b"collections", b"defaultdict") => Self::DefaultDict,
            (b"collections", b"Counter") => Self::Counter,
            (b"collections", b"deque") => Self::Deque,
            (b"fractions", b"Fraction") => Self::Fraction,
            (b"zoneinfo" | b"backports.zoneinfo", b"ZoneInfo") => Self::ZoneInfo,
            (b"zoneinfo" | b"backports.zoneinfo", b"ZoneInfo._unpickle") => Self::ZoneInfoMaker,
            // CPython 3.13 names the module that implements them, and so do early releases of 3.14.
            (b"pathlib" | b"pathlib2" | b"pathlib._local", name) => PathSort::of(name).map_or(Self::Other, Self::Path),
            (b"ipaddress", name) => IpSort::of(name).map_or(Self::Other, Self::Ip),
            (b"_codecs", b"encode") => Self::CodecsEncode,
            (b"copyreg" | b"copy_reg", b"_reconstructor" | b"__newobj__" | b"__newobj_ex__") => Self::ClassFirst,
            (b"builtins" | b"__builtin__", name) => match name {
                b"set" => Self::Set,
                b"frozenset" => Self::FrozenSet,
                b"bytearray" => Self::ByteArray,
                b"bytes" => Self::Bytes,
                b"complex" => Self::Complex,
                b"getattr" => Self::GetAttr,
                b"range" | b"xrange" => Self::Range,
                b"str" | b"unicode" => Self::Str,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}
