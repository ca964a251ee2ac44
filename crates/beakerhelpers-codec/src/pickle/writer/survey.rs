//! What is referred to more than once.

use beakerhelpers_core::Session;
use beakerhelpers_core::value::{Kind, Value};

/// What is known of each node, by its id.
#[derive(Debug)]
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
    pub(super) fn new(nodes: usize) -> Self {
        Self(vec![0; nodes])
    }

    /// Looks at all that values are made of, and says whether anything holds itself.
    pub(super) fn survey(&mut self, session: &Session, roots: &[u32]) -> bool {
        let mut holds_itself = false;
        // A node and the place of its next part.
        let mut path: Vec<(u32, u32)> = Vec::new();
        for root in roots {
            let mut next = Some(*root);
            loop {
                if let Some(id) = next {
                    let value = session.by_id(id as usize);
                    let Some(mark) = self.0.get_mut(id as usize) else { break };
                    if *mark & NUMBERED != 0 {
                    } else if *mark != 0 {
                        *mark |= SHARED;
                        holds_itself |= *mark & OPEN != 0;
                    } else if is_leaf(value) {
                        *mark = SEEN;
                    } else {
                        *mark = SEEN | OPEN;
                        path.push((id, 0));
                    }
                }
                let Some((id, at)) = path.last_mut() else { break };
                match step(session.by_id(*id as usize), *at) {
                    Step::Part(part) => {
                        next = Some(super::id(part));
                        *at = at.saturating_add(1);
                    }
                    Step::Nothing => {
                        next = None;
                        *at = at.saturating_add(1);
                    }
                    Step::End => {
                        next = None;
                        if let Some(mark) = self.0.get_mut(*id as usize) {
                            *mark &= !OPEN;
                        }
                        path.pop();
                    }
                }
            }
        }
        holds_itself
    }

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

/// Values that Python does not keep in the memo.
pub(super) fn is_atom(value: Value<'_>) -> bool {
    matches!(value.raw_kind(), Kind::None | Kind::Bool(_) | Kind::Int(_) | Kind::BigInt(_) | Kind::Float(_))
}

fn is_leaf(value: Value<'_>) -> bool {
    !matches!(
        value.raw_kind(),
        Kind::List(_) | Kind::Tuple(_) | Kind::Set(_) | Kind::FrozenSet(_) | Kind::Dict(_) | Kind::Object(_)
    )
}

/// What is at a place among the parts of a value.
pub(super) enum Step<'a> {
    Part(Value<'a>),
    Nothing,
    End,
}

/// All that a value is made of, part by part.
pub(super) fn step(value: Value<'_>, at: u32) -> Step<'_> {
    let Kind::Object(object) = value.raw_kind() else {
        return super::part(value, at).map_or(Step::End, Step::Part);
    };
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
    at >= 3 && matches!(value.raw_kind(), Kind::Object(_))
}
