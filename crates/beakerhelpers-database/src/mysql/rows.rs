//! Rows as they come.

use beakerhelpers_core::NaiveTime;
use mysql::Value;

use crate::server::client::Row;

/// One row of an answer in text: every value is its text, or NULL.
pub(super) struct TextRow(pub(super) mysql::Row);

impl Row for TextRow {
    fn int(&self, column: usize) -> Option<i64> {
        match self.0.as_ref(column)? {
            Value::Int(number) => Some(*number),
            Value::UInt(number) => i64::try_from(*number).ok(),
            Value::Bytes(text) => str::from_utf8(text).ok()?.parse().ok(),
            _ => None,
        }
    }

    fn bytes(&self, column: usize) -> Option<&[u8]> {
        match self.0.as_ref(column)? {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn time(&self, column: usize) -> Option<NaiveTime> {
        // A zero date is not in the calendar.
        self.bytes(column).and_then(NaiveTime::parse)
    }
}

impl TextRow {
    /// As text; empty where there is none.
    pub(super) fn text(&self, column: usize) -> String {
        String::from_utf8_lossy(self.bytes(column).unwrap_or_default()).into_owned()
    }

    /// The place of the column of this name.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.0.columns_ref().iter().position(|column| column.name_str().eq_ignore_ascii_case(name))
    }

    pub(super) fn len(&self) -> usize {
        (0..self.0.len()).map(|column| self.bytes(column).map_or(1, <[u8]>::len)).sum()
    }
}
