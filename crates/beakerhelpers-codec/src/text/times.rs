//! Dates, times and durations, as Python's `str` and `repr` write them.

use beakerhelpers_core::value::{Clock, Date, DateTime, Kind, Time, TimeDelta, TimeZone, Value};

use super::quote;
use super::sink::{Put, Sink};

/// `2010-01-01`.
pub(super) fn date(out: &mut Sink<'_>, date: Date) -> Put {
    out.format(format_args!("{:04}-{:02}-{:02}", date.year, date.month, date.day))
}

/// `10:10:10`, `10:10:10.000005`.
fn clock(out: &mut Sink<'_>, clock: Clock) -> Put {
    out.format(format_args!("{:02}:{:02}:{:02}", clock.hour, clock.minute, clock.second))?;
    if clock.microsecond == 0 { Ok(()) } else { out.format(format_args!(".{:06}", clock.microsecond)) }
}

/// `2010-01-01 10:10:10+02:00`.
pub(super) fn datetime(out: &mut Sink<'_>, value: &DateTime<'_>) -> Put {
    date(out, value.date)?;
    out.put(" ")?;
    clock(out, value.clock)?;
    value.zone.and_then(offset_of).map_or(Ok(()), |offset| self::offset(out, offset))
}

/// `10:10:10+02:00`.
pub(super) fn time(out: &mut Sink<'_>, value: &Time<'_>) -> Put {
    clock(out, value.clock)?;
    // Where only the date would tell the offset, Python has none either.
    value.zone.and_then(offset_of).map_or(Ok(()), |offset| self::offset(out, offset))
}

/// The offset of a zone, where the pickle tells it: `datetime.timezone`, and pytz's and dateutil's simple ones.
fn offset_of(zone: Value<'_>) -> Option<TimeDelta> {
    let object = match zone.kind() {
        Kind::TimeZone(zone) => return Some(zone.offset),
        // The one that needs no database.
        Kind::ZoneInfo("UTC" | "Etc/UTC") => return TimeDelta::new(0, 0, 0),
        Kind::Object(object) => object,
        _ => return None,
    };
    let class = object.class()?;
    match (class.module(), class.name()) {
        ("pytz", "_UTC") | ("dateutil.tz.tz" | "dateutil.tz._common" | "dateutil.tz", "tzutc") => {
            TimeDelta::new(0, 0, 0)
        }
        // `pytz._p(zone, seconds east, seconds of daylight saving, abbreviation)`.
        ("pytz", "_p") => TimeDelta::new(0, object.args().nth(1)?.as_i64()?, 0),
        _ => None,
    }
}

/// `+02:00`, `-00:00:01.000001`.
fn offset(out: &mut Sink<'_>, offset: TimeDelta) -> Put {
    let micros = offset.as_micros();
    let (sign, micros) = (if micros < 0 { '-' } else { '+' }, micros.unsigned_abs());
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    out.format(format_args!("{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60))?;
    if !seconds.is_multiple_of(60) || micros != 0 {
        out.format(format_args!(":{:02}", seconds % 60))?;
    }
    if micros == 0 { Ok(()) } else { out.format(format_args!(".{micros:06}")) }
}

/// `1 day, 0:00:02.000003`.
pub(super) fn delta(out: &mut Sink<'_>, delta: TimeDelta) -> Put {
    if delta.days != 0 {
        let plural = if delta.days.unsigned_abs() == 1 { "" } else { "s" };
        out.format(format_args!("{} day{plural}, ", delta.days))?;
    }
    let seconds = delta.seconds;
    out.format(format_args!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60))?;
    if delta.microseconds == 0 { Ok(()) } else { out.format(format_args!(".{:06}", delta.microseconds)) }
}

/// `UTC`, `UTC+02:00`, or its name.
pub(super) fn zone(out: &mut Sink<'_>, zone: TimeZone<'_>) -> Put {
    match zone.name {
        Some(name) => out.put(name),
        None if zone.offset.as_micros() == 0 => out.put("UTC"),
        None => {
            out.put("UTC")?;
            offset(out, zone.offset)
        }
    }
}

/// `datetime.date(2010, 1, 1)`.
pub(super) fn repr_date(out: &mut Sink<'_>, date: Date) -> Put {
    out.format(format_args!("datetime.date({}, {}, {})", date.year, date.month, date.day))
}

/// `datetime.datetime(2010, 1, 1, 10, 10`, without the end, before which the zone comes.
pub(super) fn repr_datetime_open(out: &mut Sink<'_>, value: &DateTime<'_>) -> Put {
    let Date { year, month, day } = value.date;
    out.format(format_args!("datetime.datetime({year}, {month}, {day}, "))?;
    repr_clock(out, value.clock, value.fold)
}

/// `datetime.time(10, 10`, without the end, before which the zone comes.
pub(super) fn repr_time_open(out: &mut Sink<'_>, value: &Time<'_>) -> Put {
    out.put("datetime.time(")?;
    repr_clock(out, value.clock, value.fold)
}

fn repr_clock(out: &mut Sink<'_>, clock: Clock, fold: bool) -> Put {
    let Clock { hour, minute, second, microsecond } = clock;
    out.format(format_args!("{hour}, {minute}"))?;
    if second != 0 || microsecond != 0 {
        out.format(format_args!(", {second}"))?;
    }
    if microsecond != 0 {
        out.format(format_args!(", {microsecond}"))?;
    }
    if fold { out.put(", fold=1") } else { Ok(()) }
}

/// `datetime.timedelta(days=1, seconds=2)`.
pub(super) fn repr_delta(out: &mut Sink<'_>, delta: TimeDelta) -> Put {
    out.put("datetime.timedelta(")?;
    let parts = [
        ("days", i64::from(delta.days)),
        ("seconds", delta.seconds.into()),
        ("microseconds", delta.microseconds.into()),
    ];
    let mut separator = "";
    for (name, number) in parts.into_iter().filter(|(_, number)| *number != 0) {
        out.format(format_args!("{separator}{name}={number}"))?;
        separator = ", ";
    }
    out.put(if separator.is_empty() { "0)" } else { ")" })
}

/// `datetime.timezone.utc`, `datetime.timezone(datetime.timedelta(seconds=7200), 'X')`.
pub(super) fn repr_zone(out: &mut Sink<'_>, zone: TimeZone<'_>) -> Put {
    if zone.name.is_none() && zone.offset.as_micros() == 0 {
        return out.put("datetime.timezone.utc");
    }
    out.put("datetime.timezone(")?;
    repr_delta(out, zone.offset)?;
    if let Some(name) = zone.name {
        out.put(", ")?;
        quote::text(out, name)?;
    }
    out.put(")")
}
