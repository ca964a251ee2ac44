//! `KEY=VALUE`, as users say which sessions they mean.

use std::str::FromStr;

use beakerhelpers_core::{Error, Result, Session, Value};

use crate::text::Text;

/// A condition on a session: that the value of a key is printed like this by `str`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    key: String,
    value: String,
}

impl Condition {
    /// Requires that `str` prints the value of this key like this.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }

    /// Whether the session satisfies it. One without the key does not.
    ///
    /// # Errors
    ///
    /// `Corrupt` where the text of the value exceeds the limits.
    pub fn holds(&self, session: &Session) -> Result<bool> {
        let Some(value) = self.value_in(session)? else { return Ok(false) };
        if let Some(text) = value.as_str() {
            return Ok(text == self.value);
        }
        let mut text = String::new();
        Text::new().append_str(value, &mut text)?;
        Ok(text == self.value)
    }

    /// The value of the key: one that is this text, else one that `str` prints so.
    fn value_in<'s>(&self, session: &'s Session) -> Result<Option<Value<'s>>> {
        if let Some(value) = session.value(&self.key) {
            return Ok(Some(value));
        }
        let mut text = String::new();
        for (key, value) in session.iter().filter(|(key, _)| key.as_str().is_none()) {
            text.clear();
            Text::new().append_str(key, &mut text)?;
            if text == self.key {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

/// The first equals sign ends the key.
impl FromStr for Condition {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok(Self::new(key, value)),
            _ => Err(Error::config("a condition is `KEY=VALUE`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_as_they_are_printed() {
        let session = Session::from_pairs([
            ("user", "ann=x".into()),
            ("n", 7.into()),
            ("none", beakerhelpers_core::Scalar::None),
        ]);
        let holds = |text: &str| text.parse::<Condition>().unwrap().holds(&session).unwrap();
        assert!(holds("user=ann=x") && holds("n=7") && holds("none=None"));
        assert!(!holds("user=ann") && !holds("n=07") && !holds("missing=None"));
    }

    #[test]
    fn a_condition_needs_a_key() {
        for text in ["", "user", "=x"] {
            assert!(text.parse::<Condition>().is_err(), "{text}");
        }
    }
}
