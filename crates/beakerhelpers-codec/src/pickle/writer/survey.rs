//! What is referred to more than once.

use beakerhelpers_core::Session;
use beakerhelpers_core::value::{NodeId, Value};

use super::small;

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
        let mut is_new = |marks: &mut Self, id| match marks.meet(session, id) {
            Met::New => true,
            Met::Open => {
                holds_itself = true;
                false
            }
            Met::Known => false,
        };
        for root in roots {
            path.clear();
            path.extend(is_new(self, *root).then_some((*root, 0)));
            // A node and the place of the next one that it refers to.
            while let Some((id, at)) = path.last_mut() {
                let value = session.by_id(*id as usize);
                let object = value.as_object().map(|object| object.reference_ids());
                let references = object.as_ref().map_or(value.part_ids(), |ids| ids);
                let mut rest =
                    references.get(*at as usize..).unwrap_or_default().iter().map(|next| small(next.index()));
                if let Some(next) = rest.find(|next| is_new(self, *next)) {
                    *at = small(references.len().saturating_sub(rest.len()));
                    path.push((next, 0));
                } else {
                    self.close(*id);
                    path.pop();
                }
            }
        }
        holds_itself
    }

    /// Looks at a node that something refers to.
    #[inline]
    fn meet(&mut self, session: &Session, id: u32) -> Met {
        match self.0.get_mut(id as usize) {
            Some(mark @ 0) if session.by_id(id as usize).has_parts() => {
                *mark = SEEN | OPEN;
                Met::New
            }
            Some(mark @ 0) => {
                *mark = SEEN;
                Met::Known
            }
            Some(mark) if *mark & NUMBERED == 0 => {
                *mark |= SHARED;
                if *mark & OPEN == 0 { Met::Known } else { Met::Open }
            }
            // What an object has not is at no place.
            _ => Met::Known,
        }
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

/// What a reference led to.
enum Met {
    /// Something with parts, all of which are to be looked at.
    New,
    /// Something whose parts are just being looked at: it is in itself.
    Open,
    /// Something without parts, or that was looked at before.
    Known,
}

/// What is at a place among all that a value refers to; perhaps [`NodeId::ABSENT`].
pub(super) fn reference(value: Value<'_>, at: u32) -> Option<NodeId> {
    let at = at as usize;
    match value.as_object() {
        Some(object) => object.reference_ids().get(at).copied(),
        None => value.part_ids().get(at).copied(),
    }
}

/// Whether a part is added to an object that is made already.
pub(super) fn is_filling(value: Value<'_>, at: u32) -> bool {
    at >= 3 && value.as_object().is_some()
}
