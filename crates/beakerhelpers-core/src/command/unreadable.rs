//! Telling of sessions that cannot be read, without a line for each of a million.

use std::collections::BTreeMap;

use crate::{Error, FingerprintKey, SessionId, escape_controls};

/// So many sessions are named for one reason; the others of it are counted.
const NAMED: u64 = 20;
/// More reasons than this are counted together.
const REASONS: usize = 100;

/// Warnings about sessions that cannot be read, for standard error.
///
/// The first twenty of each reason are named, one a line. A reason that has a hint, a key that is not set for example, is
/// that of the whole store most likely: it is told once, with the hint. All others are counted.
#[derive(Debug)]
pub struct Unreadable {
    /// What is the matter with them.
    cannot: &'static str,
    /// How many sessions there are for each reason.
    reasons: BTreeMap<String, Counted>,
    /// How many there are for still others.
    others: u64,
    count: u64,
}

#[derive(Debug)]
struct Counted {
    sessions: u64,
    named: u64,
}

impl Default for Unreadable {
    fn default() -> Self {
        Self::new("cannot be read")
    }
}

impl Unreadable {
    /// Says of each session that it `cannot`, such as "cannot be copied", and why; "cannot be read" by default.
    #[must_use]
    pub const fn new(cannot: &'static str) -> Self {
        Self { cannot, reasons: BTreeMap::new(), others: 0, count: 0 }
    }

    /// Counts a session, and gives the lines to print at once, if there are any. It is named by its fingerprint where its
    /// id is known.
    pub fn add(&mut self, error: &Error, id: Option<&SessionId>, key: &FingerprintKey) -> Option<String> {
        self.count += 1;
        let mut reason = error.to_string();
        error.context().for_each(|(key, value)| reason.extend([" (", key, ": ", value, ")"]));
        if self.reasons.len() >= REASONS && !self.reasons.contains_key(&reason) {
            self.others += 1;
            return None;
        }
        let which = id.map_or_else(|| "a session".to_owned(), |id| format!("session {}", id.fingerprint(key)));
        let line = format!("warning: {which} {}: {reason}", self.cannot);
        let most = if error.hint().is_some() { 1 } else { NAMED };
        let counted = self.reasons.entry(reason).or_insert(Counted { sessions: 0, named: 0 });
        counted.sessions += 1;
        if counted.named == most {
            return None;
        }
        counted.named += 1;
        let hint = error.hint().map(|hint| format!("\nhint: {}", escape_controls(hint))).unwrap_or_default();
        Some(format!("{}{hint}", escape_controls(&line)))
    }

    /// Gives the lines about those that were counted and not named.
    pub fn rest(&self) -> impl Iterator<Item = String> {
        let line = move |sessions: u64, reason: &str| {
            let s = if sessions == 1 { "" } else { "s" };
            format!("warning: {sessions} more session{s} {}: {}", self.cannot, escape_controls(reason))
        };
        let reasons = self.reasons.iter().map(|(reason, counted)| (counted.sessions - counted.named, reason.as_str()));
        let all = reasons.chain([(self.others, "for other reasons")]);
        all.filter(|(sessions, _)| *sessions > 0).map(move |(sessions, reason)| line(sessions, reason))
    }

    /// How many there are.
    pub const fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(unreadable: &Unreadable) -> Vec<String> {
        unreadable.rest().collect()
    }

    #[test]
    fn a_few_are_named_and_the_rest_is_counted() {
        let (mut unreadable, key) = (Unreadable::default(), FingerprintKey::new(None));
        let error = Error::corrupt("it was cut").with_context("at", "the\u{1b}end");
        let id = SessionId::new("joe");
        let line = unreadable.add(&error, Some(&id), &key).unwrap();
        assert_eq!(
            line,
            format!("warning: session {} cannot be read: it was cut (at: the\\x1bend)", id.fingerprint(&key))
        );
        let lines = (0..30).filter_map(|_| unreadable.add(&error, None, &key)).count();
        assert_eq!((lines, unreadable.count()), (19, 31));
        assert_eq!(rest(&unreadable), ["warning: 11 more sessions cannot be read: it was cut (at: the\\x1bend)"]);
    }

    #[test]
    fn what_has_a_remedy_is_told_once() {
        let (mut unreadable, key) = (Unreadable::default(), FingerprintKey::new(None));
        let error = Error::unsupported("it is encrypted").with_hint("give the key");
        let lines: Vec<_> = (0..2).filter_map(|_| unreadable.add(&error, None, &key)).collect();
        assert_eq!(lines, ["warning: a session cannot be read: it is encrypted\nhint: give the key"]);
        assert_eq!(rest(&unreadable), ["warning: 1 more session cannot be read: it is encrypted"]);
    }

    #[test]
    fn reasons_without_end_are_not_kept() {
        let (mut unreadable, key) = (Unreadable::default(), FingerprintKey::new(None));
        let add = |at: u32| unreadable.add(&Error::corrupt(format!("damaged at byte {at}")), None, &key);
        assert_eq!((0..1000).filter_map(add).count(), 100);
        assert_eq!(rest(&unreadable), ["warning: 900 more sessions cannot be read: for other reasons"]);
        assert_eq!((unreadable.count(), unreadable.reasons.len()), (1000, 100));
    }
}
