//! What is referred to more than once.

use beakerhelpers_core::Session;
use beakerhelpers_core::value::{Object, Value};

/// What is known of each node, by its id.
#[derive(Debug, Default)]
pub(super) struct Marks(Vec<u32>);

/// Referred to.
const SEEN: u32 = 1;
/// Referred to more than once.
const SHARED: u32 = 2;
/// Being looked at or being made.
const OPEN: u32 = 4;
/// In the memo; the bits below are its number, and nothing else matters any more.
const NUMBERED: u32 = 1 << 31;

impl Marks {
    /// Forgets everything, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Makes room for what is to be known of so many nodes.
    pub(super) fn size(&mut self, nodes: usize) {
        self.0.resize(nodes, 0);
    }

    pub(super) const fn allocated(&self) -> usize {
        self.0.capacity().saturating_mul(size_of::<u32>())
    }

    /// Looks at all that values are made of, and says whether anything holds itself. `path` is only memory.
    pub(super) fn survey(&mut self, session: &Session, roots: &[u32], path: &mut Vec<(u32, u32)>) -> bool {
        let mut holds_itself = false;
        for root in roots {
            path.clear();
            holds_itself |= self.meet(session, *root, path);
            // A node and the place of its next part.
            while let Some((id, at)) = path.last_mut() {
                let (id, value) = (*id, session.by_id(*id as usize));
                let parts = value.part_ids();
                let (mut next, depth) = (*at, path.len());
                if let Some(object) = value.as_object() {
                    while path.len() == depth {
                        match object_step(&object, next) {
                            Step::Part(part) => holds_itself |= self.meet(session, super::id(part), path),
                            Step::Nothing => {}
                            Step::End => break,
                        }
                        next = next.saturating_add(1);
                    }
                }
                while path.len() == depth
                    && let Some(part) = parts.get(next as usize)
                {
                    next = next.saturating_add(1);
                    holds_itself |= self.meet(session, super::small(part.index()), path);
                }
                if path.len() == depth {
                    self.leave(id, path);
                } else if let Some((_, at)) = path.get_mut(depth.saturating_sub(1)) {
                    *at = next;
                }
            }
        }
        holds_itself
    }

    /// Looks at a node; one that has parts and is new comes to the end of the path. Says whether it is in itself.
    #[inline]
    fn meet(&mut self, session: &Session, id: u32, path: &mut Vec<(u32, u32)>) -> bool {
        let Some(mark) = self.0.get_mut(id as usize) else { return false };
        if *mark & NUMBERED != 0 {
            return false;
        }
        if *mark != 0 {
            *mark |= SHARED;
            return *mark & OPEN != 0;
        }
        *mark = SEEN;
        if session.by_id(id as usize).has_parts() {
            *mark = SEEN | OPEN;
            path.push((id, 0));
        }
        false
    }

    fn leave(&mut self, id: u32, path: &mut Vec<(u32, u32)>) {
        self.close(id);
        path.pop();
    }

    #[inline]
    fn get(&self, id: u32) -> u32 {
        self.0.get(id as usize).copied().unwrap_or(0)
    }

    fn has(&self, id: u32, what: u32) -> bool {
        self.get(id) & (what | NUMBERED) == what
    }

    pub(super) fn is_shared(&self, id: u32) -> bool {
        self.has(id, SHARED)
    }

    pub(super) fn is_open(&self, id: u32) -> bool {
        self.has(id, OPEN)
    }

    pub(super) fn open(&mut self, id: u32) {
        if let Some(mark) = self.0.get_mut(id as usize) {
            *mark |= OPEN;
        }
    }

    pub(super) fn close(&mut self, id: u32) {
        if let Some(mark) = self.0.get_mut(id as usize) {
            *mark &= !OPEN;
        }
    }

    pub(super) fn number(&mut self, id: u32, number: u32) {
        if let Some(mark) = self.0.get_mut(id as usize) {
            *mark = NUMBERED | number;
        }
    }

    /// Its number in the memo.
    pub(super) fn numbered(&self, id: u32) -> Option<u32> {
        let mark = self.get(id);
        (mark & NUMBERED != 0).then_some(mark & !NUMBERED)
    }
}

/// What is at a place among the parts of a value.
pub(super) enum Step<'a> {
    Part(Value<'a>),
    Nothing,
    End,
}

/// All that a value is made of, part by part.
pub(super) fn step(value: Value<'_>, at: u32) -> Step<'_> {
    match value.as_object() {
        Some(object) => object_step(&object, at),
        None => super::part(value, at).map_or(Step::End, Step::Part),
    }
}

fn object_step<'a>(object: &Object<'a>, at: u32) -> Step<'a> {
    let part = match at {
        0 => object.callable(),
        1 => object.args_tuple(),
        2 => object.keywords(),
        3 => object.state(),
        _ => {
            let at = (at as usize).saturating_sub(4);
            let items = object.items();
            return match at.checked_sub(items.len()) {
                None => items.get(at),
                Some(at) => object.pairs().get(at / 2).map(|(key, value)| if at & 1 == 0 { key } else { value }),
            }
            .map_or(Step::End, Step::Part);
        }
    };
    part.map_or(Step::Nothing, Step::Part)
}

/// Whether a part is added to an object that is made already.
pub(super) fn is_filling(value: Value<'_>, at: u32) -> bool {
    at >= 3 && value.as_object().is_some()
}
