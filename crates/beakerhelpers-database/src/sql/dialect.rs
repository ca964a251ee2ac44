//! What the databases differ in.

use beakerhelpers_core::NaiveTime;

use crate::statement::{Piece, Time};

/// The first time that is one: what a column of a server holds before it stands for "never" (MySQL's zero date,
/// PostgreSQL's `-infinity`), and is no age.
pub(crate) const FIRST_TIME: NaiveTime = NaiveTime::from_micros(-62_135_596_800_000_000);
/// The last one of the year 9999, after which Python knows none.
#[cfg(feature = "postgres")]
pub(crate) const LAST_TIME: NaiveTime = NaiveTime::from_micros(253_402_300_799_999_999);

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
    MySql,
}

/// How closely a DELETE in SQLite looks at the form of `accessed`. SQLite compares an integer or an empty text as smaller than
/// any time, so an age alone must not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// It is a text no smaller than the first time there is: no number, and not empty. That is enough where all rows held
    /// times a moment ago. It calls no function: where one might fail, SQLite writes a second journal for the statement,
    /// in case it must be undone alone, as large as all that it deletes.
    Text,
    /// It is a time that `NaiveTime::parse` reads, and no other.
    Exact,
}

impl Form {
    pub(super) const fn condition(self) -> &'static str {
        match self {
            // Without the plus, the column's affinity could turn a literal into a number.
            Self::Text => " AND +accessed >= '0001-01-01 00:00:00'",
            // A date that is not in the calendar becomes another one when days are added to it. The column itself is
            // compared with no short literal, of which its affinity would make a number.
            Self::Exact => {
                " AND typeof(accessed) = 'text' AND octet_length(accessed) = length(accessed) \
                 AND substr(accessed, 1, 4) > '0000' \
                 AND datetime(substr(accessed, 1, 19), '+0 days') = substr(accessed, 1, 19) \
                 AND (length(accessed) = 19 OR (length(accessed) BETWEEN 21 AND 26 AND substr(accessed, 20, 1) = '.' \
                 AND substr(accessed, 21) NOT GLOB '*[^0-9]*'))"
            }
        }
    }
}

/// A time to compare `accessed` with: as text for SQLite, whose column is text, else as a time.
#[derive(Clone, Debug)]
pub(crate) enum Age {
    Text(String),
    Time(NaiveTime),
}

impl Age {
    pub(super) fn piece(&self) -> Piece<'_> {
        match self {
            Self::Text(text) => Piece::Text(text),
            Self::Time(time) => Piece::Time(Time(*time)),
        }
    }
}
