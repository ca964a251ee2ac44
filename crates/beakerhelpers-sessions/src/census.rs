//! Which classes and functions the sessions of a store refer to.

#[cfg(feature = "command")]
mod print;

use std::cmp::Reverse;
use std::collections::HashMap;

use beakerhelpers_codec::{Class, Found, Settings, Sought, classes};
use beakerhelpers_core::{Query, Record, Result, Session, SessionId, SessionStore};

#[cfg(feature = "command")]
pub(crate) use self::print::write;
use crate::listing::Selection;
use crate::read::{Observer, each_record};

/// More harmless classes than this, and more dangerous ones, are not kept apart: their number is under the control of
/// whoever fills the sessions.
const MOST: usize = 10_000;

/// A class or function, and in how many sessions it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassCount {
    /// Module and qualified name, such as `datetime.datetime`. It may hold any character.
    pub name: String,
    /// How many sessions refer to it.
    pub sessions: u64,
    /// How often they call it, or refer to it without that.
    pub uses: u64,
    /// What it can do that a session has no use for, in words such as `runs programs`.
    pub danger: Option<&'static str>,
    /// A session in which it is dangerous, the one of them whose id is the least.
    pub session: Option<SessionId>,
}

/// Counts the classes and functions that sessions refer to: the dangerous ones first, then by falling number of sessions.
/// The second number is how many references had no room.
pub(crate) fn count(
    query: Query,
    selection: &Selection,
    settings: &Settings,
    store: &dyn SessionStore,
    observer: &mut dyn Observer,
) -> Result<(Vec<ClassCount>, u64)> {
    let (mut census, mut sought) = (Census::default(), Sought::new(selection.keys()));
    let take = |record: &Record, found: Result<Found>, session: &Session| {
        let is_session = matches!(found, Ok(Found::Session));
        if is_session {
            sought.look(session);
        }
        if if is_session { selection.admits(session)? } else { selection.is_all() } {
            for class in classes(session).into_iter().filter(|class| is_session || class.danger.is_some()) {
                census.add(class, &record.id);
            }
        }
        found.map(drop)
    };
    each_record(store, query, settings, take, observer)?;
    sought.missing().for_each(|key| observer.missing(key));
    let left_out = census.left_out;
    Ok((census.in_order(), left_out))
}

/// Classes by name.
#[derive(Debug, Default)]
struct Census {
    classes: HashMap<String, ClassCount>,
    dangerous: usize,
    left_out: u64,
}

impl Census {
    /// Adds a class of one session.
    fn add(&mut self, class: Class, id: &SessionId) {
        let Class { name, uses, danger, .. } = class;
        let has_room = if danger.is_some() { self.dangerous } else { self.classes.len() - self.dangerous } < MOST;
        let count = match self.classes.get_mut(&name) {
            Some(count) => count,
            None if has_room => {
                let new = ClassCount { name: name.clone(), sessions: 0, uses: 0, danger: None, session: None };
                self.classes.entry(name).or_insert(new)
            }
            None => {
                self.left_out += uses;
                return;
            }
        };
        count.sessions += 1;
        count.uses += uses;
        // `getattr` is dangerous in some sessions only.
        self.dangerous += usize::from(count.danger.is_none() && danger.is_some());
        count.danger = count.danger.or(danger);
        if danger.is_some() && count.session.as_ref().is_none_or(|least| id < least) {
            count.session = Some(id.clone());
        }
    }

    fn in_order(self) -> Vec<ClassCount> {
        let mut all: Vec<_> = self.classes.into_values().collect();
        all.sort_unstable_by(|a, b| {
            let rank = |class: &ClassCount| (class.danger.is_none(), Reverse(class.sessions), Reverse(class.uses));
            rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name))
        });
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(name: &str, danger: bool) -> Class {
        // A pickle that refers to it is the only way to make one.
        let (module, name) = name.split_once('.').unwrap();
        let module = if danger { "os" } else { module };
        let pickle = format!("}}Vk\nc{module}\n{name}\ns.");
        let mut session = Session::new();
        let payload = beakerhelpers_core::Payload::new(beakerhelpers_core::Framing::Value, pickle.into_bytes());
        beakerhelpers_codec::Decoder::new().decode_into(&payload, &mut session).unwrap();
        classes(&session).remove(0)
    }

    #[test]
    fn a_flood_of_names_does_not_hide_an_attack() {
        let mut census = Census::default();
        let id = SessionId::new("a");
        for number in 0..MOST + 5 {
            census.add(class(&format!("shop.N{number}"), false), &id);
        }
        assert_eq!((census.classes.len(), census.left_out), (MOST, 5));
        census.add(class("os.system", true), &id);
        census.add(class("shop.N1", false), &id);
        let all = census.in_order();
        let first: Vec<_> = all.iter().take(2).map(|class| (class.name.as_str(), class.sessions)).collect();
        assert_eq!(first, [("os.system", 1), ("shop.N1", 2)]);
        assert_eq!((&all[0].session, &all[1].session), (&Some(id), &None));
    }
}
