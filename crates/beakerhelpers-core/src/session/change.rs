//! Changing a session key by key, and knowing what was changed.

use std::convert::Infallible;

use super::Session;
use crate::value::{Draft, NodeId, Value};

/// What happened to a key.
#[derive(Clone)]
pub(super) struct Change {
    key: Box<str>,
    /// The new value; `None` where the key was removed.
    value: Option<NodeId>,
}

impl Session {
    /// Sets the value of a key, which `build` makes in a draft of its own.
    ///
    /// As in a Python dict, a key that is there keeps its place, and a new one is the last. Text that `build` adds and
    /// that is not UTF-8 becomes a `str` of Python 2.
    ///
    /// # Examples
    ///
    /// ```
    /// use beakerhelpers_core::Session;
    ///
    /// let mut session = Session::from_pairs([("user_name", "joe".into()), ("visits", 7.into())]);
    /// session.set("user_name", |draft| draft.str("ann"));
    /// session.set("cart", |draft| {
    ///     let item = draft.int(42);
    ///     draft.list(&[item])
    /// });
    /// assert!(session.remove("visits"));
    /// let keys: Vec<_> = session.iter().filter_map(|(key, _)| key.as_str()).collect();
    /// assert_eq!(keys, ["user_name", "cart"]);
    /// ```
    pub fn set(&mut self, key: &str, build: impl FnOnce(&mut Draft) -> NodeId) {
        self.try_set(key, |draft| Ok::<_, Infallible>(build(draft))).unwrap_or_else(|never| match never {});
    }

    /// As [`Session::set`], with a `build` that can fail.
    ///
    /// # Errors
    ///
    /// That of `build`; then nothing is changed.
    pub fn try_set<E>(&mut self, key: &str, build: impl FnOnce(&mut Draft) -> Result<NodeId, E>) -> Result<(), E> {
        let mut draft = Draft::new();
        let value = build(&mut draft)?;
        self.set_to(key, draft, value);
        Ok(())
    }

    fn set_to(&mut self, key: &str, mut draft: Draft, value: NodeId) {
        let place = self.place(key);
        let key_id = if place.is_none() { draft.str(key) } else { NodeId::NONE };
        let pair = draft.tuple(&[key_id, value]);
        let pair = self.arena.graft(&draft.settle(), pair);
        let &[key_id, value] = self.arena.sequence(pair) else { return };
        if let Some(place) = place {
            self.arena.replace(self.root, place + 1, value);
            // It is recorded once at most with a value: removing it forgot what was before.
            if let Some(change) = self.changes.iter_mut().find(|change| change.value.is_some() && *change.key == *key) {
                change.value = Some(value);
                return;
            }
        } else {
            if !self.arena.is_dict(self.root) {
                self.root = self.arena.push_dict();
            }
            self.arena.extend(self.root, &[key_id, value]);
        }
        self.changes.push(Change { key: key.into(), value: Some(value) });
    }

    /// Removes a key that is text. `false` where it is not there.
    pub fn remove(&mut self, key: &str) -> bool {
        let Some(place) = self.place(key) else { return false };
        self.arena.remove_pair(self.root, place);
        self.changes.retain(|change| *change.key != *key);
        self.changes.push(Change { key: key.into(), value: None });
        true
    }

    /// What was set and removed since it was decoded or made, in an order that leads from what it was to what it is: a
    /// key and its new value, or `None` where it was removed. A key that was removed and set again, and so has become
    /// the last, comes twice.
    pub fn changes(&self) -> impl Iterator<Item = (&str, Option<Value<'_>>)> {
        self.changes.iter().map(|change| (&*change.key, change.value.map(|id| Value::new(&self.arena, id))))
    }

    /// Where a key that is text stands among keys and values.
    fn place(&self, key: &str) -> Option<usize> {
        self.iter().position(|(candidate, _)| candidate.as_str() == Some(key)).map(|index| 2 * index)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::Kind;

    fn shown(session: &Session) -> Vec<(String, i64)> {
        session.iter().map(|(key, value)| (key.as_str().unwrap().to_owned(), value.as_i64().unwrap())).collect()
    }

    proptest! {
        #[test]
        fn a_session_changes_as_a_dict_does_and_its_changes_lead_there(
            begin in 0_usize..5,
            steps in proptest::collection::vec((0_usize..8, proptest::option::of(0_i64..100)), 0..30),
        ) {
            const KEYS: [&str; 8] = ["0", "1", "2", "3", "4", "5", "6", "7"];
            type Model = Vec<(String, i64)>;
            let apply = |model: &mut Model, key: &str, value: Option<i64>| {
                match (model.iter().position(|(there, _)| there == key), value) {
                    (Some(at), Some(value)) => model[at].1 = value,
                    (Some(at), None) => drop(model.remove(at)),
                    (None, Some(value)) => model.push((key.to_owned(), value)),
                    (None, None) => {}
                }
            };
            let mut session = Session::from_pairs(KEYS[..begin].iter().map(|key| (*key, 7.into())));
            let before = shown(&session);
            let mut model = before.clone();
            for (key, value) in steps {
                let there = model.iter().any(|(name, _)| name == KEYS[key]);
                if let Some(value) = value {
                    session.set(KEYS[key], |draft| draft.int(value));
                } else {
                    prop_assert_eq!(session.remove(KEYS[key]), there);
                }
                apply(&mut model, KEYS[key], value);
                prop_assert_eq!(shown(&session), model.clone());
            }
            let mut followed = before;
            for (key, value) in session.changes() {
                apply(&mut followed, key, value.map(|value| value.as_i64().unwrap()));
            }
            prop_assert_eq!(followed, model);
            prop_assert!(session.changes().count() <= 16);
        }
    }

    #[test]
    fn any_value_can_be_set() {
        let mut session = Session::new();
        session.set("a", |draft| {
            let (class, name) = (draft.str("m"), draft.str("C"));
            let class = draft.global(class, name);
            let (text, bytes) = (draft.str("text"), draft.bytes(b"bytes"));
            let args = draft.tuple(&[text, bytes]);
            let object = draft.object(crate::value::Form::New, class, args, None);
            draft.set_state(object, object);
            draft.list(&[object])
        });
        session.set("b", |draft| {
            let key = draft.str("twice");
            draft.dict(&[key, NodeId::TRUE, key, NodeId::FALSE])
        });
        let Some(Kind::List(mut items)) = session.value("a").map(Value::kind) else { panic!("no list") };
        let Some(Kind::Object(object)) = items.next().map(Value::kind) else { panic!("no object") };
        assert_eq!(object.class().map(|class| (class.module(), class.name())), Some(("m", "C")));
        let args: Vec<_> = object.args().map(|arg| format!("{arg:?}")).collect();
        assert_eq!(args, ["Value(Str(4 bytes))", "Value(Bytes(5 bytes))"]);
        assert!(matches!(object.state().map(Value::kind), Some(Kind::Object(_))));
        let Some(Kind::Dict(pairs)) = session.value("b").map(Value::kind) else { panic!("no dict") };
        assert_eq!(pairs.len(), 1, "equal keys are one");
    }

    #[test]
    fn whatever_is_built_does_no_harm() {
        let mut session = Session::from_pairs([("kept", "text".into())]);
        let mut other = Draft::new();
        let foreign = (0..1000).map(|_| other.str("x")).last().unwrap();
        session.set("bytes", |draft| draft.chars(b"\xff"));
        session.set("cut", |draft| {
            let parts = [draft.chars(b"\xc3"), draft.chars(b"\xa9"), draft.str("whole")];
            draft.list(&parts)
        });
        session.set("foreign", |_| foreign);
        session.set("absent", |_| NodeId::ABSENT);
        session.set("reset", |draft| {
            let id = draft.str("gone");
            draft.reset(0);
            id
        });
        assert!(matches!(session.value("bytes").map(Value::kind), Some(Kind::Python2Str(b"\xff"))));
        let Some(Kind::List(items)) = session.value("cut").map(Value::kind) else { panic!("no list") };
        assert_eq!(items.last().and_then(Value::as_str), Some("whole"));
        assert!(session.value("foreign").is_some_and(Value::is_none));
        assert_eq!(session.value("kept").and_then(Value::as_str), Some("text"));
        assert_eq!(session.len(), 6);
    }
}
