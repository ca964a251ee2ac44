//! Values that are a class and a text.

use std::fmt::Write as _;

use beakerhelpers_core::value::{Fraction, Ip, Kind, Path, Value};

use super::sink::{Put, Sink, TooLong};
use super::{Style, quote};

/// `12345678-1234-5678-1234-567812345678`, `UUID('…')`.
pub(super) fn uuid(out: &mut Sink<'_>, uuid: u128, style: Style) -> Put {
    let digits = format!("{uuid:032x}");
    let part = |range| digits.get(range).unwrap_or_default();
    let parts = [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-");
    out.put(&if style == Style::Repr { format!("UUID('{parts}')") } else { parts })
}

/// `1/3`, `Fraction(1, 3)`.
pub(super) fn fraction(out: &mut Sink<'_>, fraction: &Fraction<'_>, style: Style) -> Put {
    match style {
        Style::Str => out.format(format_args!("{fraction}")),
        Style::Repr => out.format(format_args!("Fraction({}, {})", fraction.numerator(), fraction.denominator())),
    }
}

/// `range(0, 3)`, `range(0, 6, 2)`.
pub(super) fn range(out: &mut Sink<'_>, [first, end, by]: [Value<'_>; 3]) -> Put {
    let numbers = [(first, "range("), (end, ", "), (by, ", ")];
    let shown = if by.as_i64() == Some(1) { 2 } else { 3 };
    for (number, before) in numbers.into_iter().take(shown) {
        out.put(before)?;
        match number.kind() {
            Kind::Int(int) => out.put(itoa::Buffer::new().format(int))?,
            Kind::BigInt(int) => out.format(format_args!("{int}"))?,
            _ => {}
        }
    }
    out.put(")")
}

/// `/srv/app`, `PosixPath('/srv/app')`; in quotes Windows' paths have slashes too.
pub(super) fn path(out: &mut Sink<'_>, path: &Path<'_>, style: Style) -> Put {
    if style == Style::Str {
        return out.format(format_args!("{path}"));
    }
    let mut joined = String::new();
    write!(Sink::new(&mut joined, out.left()), "{path}").map_err(|_| TooLong)?;
    if path.sort().is_windows() {
        joined = joined.replace('\\', "/");
    }
    out.put(path.sort().class())?;
    out.put("(")?;
    quote::text(out, &joined)?;
    out.put(")")
}

/// `10.0.0.0/8`, `IPv4Network('10.0.0.0/8')`.
pub(super) fn ip(out: &mut Sink<'_>, ip: Ip<'_>, style: Style) -> Put {
    match style {
        Style::Str => out.format(format_args!("{ip}")),
        Style::Repr => {
            out.put(ip.sort().class())?;
            out.put("(")?;
            quote::text(out, &ip.to_string())?;
            out.put(")")
        }
    }
}

/// `Europe/Vilnius`, `zoneinfo.ZoneInfo(key='Europe/Vilnius')`.
pub(super) fn zone_info(out: &mut Sink<'_>, key: &str, style: Style) -> Put {
    if style == Style::Str {
        return out.put(key);
    }
    out.put("zoneinfo.ZoneInfo(key=")?;
    quote::text(out, key)?;
    out.put(")")
}
