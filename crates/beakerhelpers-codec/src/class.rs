//! What a value is called in a message, which never says what it holds.

use std::borrow::Cow;

use beakerhelpers_core::value::Form;
use beakerhelpers_core::{Kind, Value, escape_controls};

/// The longest name that is spelt out: names are the writer's of the payload, whoever that is.
const LONGEST: usize = 200;

/// The name of a value's Python class, with its module unless it is built in.
pub(crate) fn type_name(value: Value<'_>) -> Cow<'static, str> {
    Cow::Borrowed(match value.kind() {
        Kind::None => "NoneType",
        Kind::Bool(_) => "bool",
        Kind::Int(_) | Kind::BigInt(_) => "int",
        Kind::Float(_) => "float",
        Kind::Complex(..) => "complex",
        Kind::Str(_) | Kind::SurrogateStr(_) => "str",
        // What Python 3 makes of them.
        Kind::Bytes(_) | Kind::Python2Str(_) => "bytes",
        Kind::ByteArray(_) => "bytearray",
        Kind::List(_) => "list",
        Kind::Tuple(_) => "tuple",
        Kind::Set(_) => "set",
        Kind::FrozenSet(_) => "frozenset",
        Kind::Deque { .. } => "collections.deque",
        Kind::Dict(_) => "dict",
        Kind::OrderedDict(_) => "collections.OrderedDict",
        Kind::DefaultDict { .. } => "collections.defaultdict",
        Kind::Counter(_) => "collections.Counter",
        Kind::DateTime(_) => "datetime.datetime",
        Kind::Date(_) => "datetime.date",
        Kind::Time(_) => "datetime.time",
        Kind::TimeDelta(_) => "datetime.timedelta",
        Kind::TimeZone(_) => "datetime.timezone",
        Kind::Decimal(_) => "decimal.Decimal",
        Kind::Uuid(_) => "uuid.UUID",
        Kind::Fraction(_) => "fractions.Fraction",
        Kind::Range { .. } => "range",
        Kind::Path(path) => return Cow::Owned(format!("pathlib.{}", path.sort().class())),
        Kind::Ip(ip) => return Cow::Owned(format!("ipaddress.{}", ip.sort().class())),
        Kind::ZoneInfo(_) => "zoneinfo.ZoneInfo",
        Kind::Global(_) => "type",
        Kind::Object(object) => match (object.class(), object.form()) {
            (Some(class), _) if class.module().len().saturating_add(class.name().len()) <= LONGEST => {
                let name = match class.python3_name() {
                    ("builtins", name) => Cow::Borrowed(name),
                    (module, name) => Cow::Owned(format!("{module}.{name}")),
                };
                return Cow::Owned(escape_controls(&name).into_owned());
            }
            (_, Form::Persistent) => "persistent object",
            (_, Form::Extension) => "registered object",
            _ => "object",
        },
        _ => "object",
    })
}
