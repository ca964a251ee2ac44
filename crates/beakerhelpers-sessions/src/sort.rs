//! The order of a listing.

use std::str::FromStr;

use beakerhelpers_codec::text::Text;
use beakerhelpers_core::{Error, Kind, Record, Result, Session, Value};

use crate::sorter::Sorter;

/// By what sessions are sorted: by the time they were last accessed, as the original does, or by a key of theirs.
/// Equal ones are in the order of their access times, in the same direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sort {
    key: Option<String>,
    descending: bool,
}

/// `KEY`, or `-KEY` for the other direction.
impl FromStr for Sort {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (key, descending) = text.strip_prefix('-').map_or((text, false), |key| (key, true));
        // A second hyphen is the next option of the command line.
        if key.is_empty() || key.starts_with('-') {
            return Err(Error::config("a key to sort by is missing"));
        }
        Ok(Self { key: Some(key.to_owned()), descending })
    }
}

/// Longer texts are compared by this many bytes.
const COMPARED: usize = 1 << 10;

impl Sort {
    /// The key, unless it is by time.
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    pub(crate) fn sorter(&self, limit: u64) -> Sorter {
        Sorter::new(self.descending, limit)
    }

    /// The bytes by which a session is sorted: what is missing comes first, then `None`, then numbers, then all else by
    /// its text.
    pub(crate) fn key_of(&self, record: &Record, session: &Session, out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        if let Some(key) = &self.key {
            match session.value(key) {
                None => out.push(0),
                Some(value) => push_key(value, out)?,
            }
        }
        if let Some(accessed) = record.accessed {
            // With the sign turned, two's complement compares as bytes do.
            out.extend_from_slice(&(accessed.as_micros() ^ i64::MIN).to_be_bytes());
        }
        Ok(())
    }
}

fn push_key(value: Value<'_>, out: &mut Vec<u8>) -> Result<()> {
    let number = match value.kind() {
        Kind::None => {
            out.push(1);
            return Ok(());
        }
        Kind::Bool(value) => f64::from(u8::from(value)),
        #[expect(clippy::cast_precision_loss, reason = "beyond 2^53 neighbours may be taken for equals")]
        Kind::Int(value) => value as f64,
        Kind::Float(value) => value,
        kind => {
            let mut shown = String::new();
            Text::new().append_str(value, &mut shown)?;
            let number = matches!(kind, Kind::BigInt(_) | Kind::Decimal(_)).then(|| shown.parse().ok()).flatten();
            if let Some(number) = number {
                push_number(number, out);
                return Ok(());
            }
            out.push(3);
            out.extend(shown.bytes().filter(|byte| *byte != 0).take(COMPARED));
            out.push(0);
            return Ok(());
        }
    };
    push_number(number, out);
    Ok(())
}

fn push_number(number: f64, out: &mut Vec<u8>) {
    // The usual trick: turn the sign of positive numbers and all bits of negative ones, and floats compare as bytes.
    let bits = (number + 0.0).to_bits();
    let ordered = if bits >> 63 == 0 { bits ^ (1 << 63) } else { !bits };
    out.push(2);
    out.extend_from_slice(&ordered.to_be_bytes());
}
