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

    /// The key whose value matters.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether the session satisfies it. One without the key does not.
    ///
    /// # Errors
    ///
    /// `Corrupt` where the text of the value exceeds the limits.
    pub fn holds(&self, session: &Session) -> Result<bool> {
        let Some(value) = value_of(session, &self.key)? else { return Ok(false) };
        if let Some(text) = value.as_str() {
            return Ok(text == self.value);
        }
        let mut text = String::new();
        Text::new().append_str(value, &mut text)?;
        Ok(text == self.value)
    }
}

/// The value of the key that is this text, else of one that `str` prints so.
fn value_of<'s>(session: &'s Session, name: &str) -> Result<Option<Value<'s>>> {
    if let Some(value) = session.value(name) {
        return Ok(Some(value));
    }
    let mut text = String::new();
    for (key, value) in session.iter().filter(|(key, _)| key.as_str().is_none()) {
        text.clear();
        Text::new().append_str(key, &mut text)?;
        if text == name {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// Keys that users named and that no session has had so far: slips of the keyboard, if none ever has them.
#[derive(Clone, Debug, Default)]
pub struct Sought<'k> {
    keys: Vec<&'k str>,
    has_looked: bool,
}

impl<'k> Sought<'k> {
    /// These keys.
    pub fn new(keys: impl IntoIterator<Item = &'k str>) -> Self {
        let mut sought = Self::default();
        for key in keys {
            if !sought.keys.contains(&key) {
                sought.keys.push(key);
            }
        }
        sought
    }

    /// Looks for them in a session. A key that cannot be printed is none of them.
    pub fn look(&mut self, session: &Session) {
        self.has_looked = true;
        self.keys.retain(|key| !matches!(value_of(session, key), Ok(Some(_))));
    }

    /// Those that were in no session; none of them where there was no session.
    pub fn missing(&self) -> impl Iterator<Item = &'k str> {
        self.keys.iter().copied().filter(|_| self.has_looked)
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
    fn keys_that_no_session_has_are_known() {
        let mut sought = Sought::new(["user", "usr", "n", "usr"]);
        assert_eq!(sought.missing().count(), 0, "there may be no session at all");
        sought.look(&Session::from_pairs([("n", 7.into())]));
        assert_eq!(sought.missing().collect::<Vec<_>>(), ["user", "usr"]);
        sought.look(&Session::from_pairs([("user", beakerhelpers_core::Scalar::None)]));
        assert_eq!(sought.missing().collect::<Vec<_>>(), ["usr"]);
    }

    #[test]
    fn a_condition_needs_a_key() {
        for text in ["", "user", "=x"] {
            assert!(text.parse::<Condition>().is_err(), "{text}");
        }
    }
}
