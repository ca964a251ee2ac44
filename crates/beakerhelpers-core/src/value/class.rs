//! References to classes and functions, and the few that have a meaning of their own here.

use std::fmt;

use super::Value;

/// A reference to a class or a function by its module and its qualified name. Nothing is imported.
#[derive(Clone, Copy)]
pub struct Global<'a> {
    /// Such as `datetime`; Python 2's `__builtin__`, `copy_reg` and so on as they were written.
    pub module: Value<'a>,
    /// Such as `datetime` or `Outer.Inner`.
    pub name: Value<'a>,
    pub(crate) known: Known,
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
    CodecsEncode,
    Complex,
    Counter,
    Date,
    DateTime,
    Decimal,
    DefaultDict,
    Deque,
    FrozenSet,
    /// `copyreg._reconstructor(class, base, state)`, `copyreg.__newobj__(class, …)`: the class is the first argument.
    ClassFirst,
    OrderedDict,
    Set,
    Time,
    TimeDelta,
    TimeZone,
    Uuid,
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
            (b"_codecs", b"encode") => Self::CodecsEncode,
            (b"copyreg" | b"copy_reg", b"_reconstructor" | b"__newobj__" | b"__newobj_ex__") => Self::ClassFirst,
            (b"builtins" | b"__builtin__", name) => match name {
                b"set" => Self::Set,
                b"frozenset" => Self::FrozenSet,
                b"bytearray" => Self::ByteArray,
                b"complex" => Self::Complex,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}
