//! What holds itself.

use std::collections::HashMap;

use beakerhelpers_core::Session;

use super::small;
use super::survey::{Marks, is_filling, reference};

/// What holds itself, and what of it is being made.
///
/// While a tuple or an object is being made, it cannot be referred to: something that leads to it must be filled later.
/// That is an object's state if it can be, because what a call or a state is given should be whole; only where no object
/// is on the way it is a list or a dict.
#[derive(Debug)]
pub(super) struct Cycles {
    all: Components,
    /// As if objects were never filled.
    unfilled: Components,
}

impl Cycles {
    pub(super) fn of(session: &Session, roots: &[u32], marks: &Marks) -> Self {
        let of = |fills| Components::of(session, roots, marks, fills);
        Self { all: of(true), unfilled: of(false) }
    }

    /// A node is being made, and can be referred to when it is.
    pub(super) fn open(&mut self, id: u32) {
        self.all.open(id);
        self.unfilled.open(id);
    }

    /// A node is made. Gives what can be filled now.
    pub(super) fn close(&mut self, id: u32) -> Vec<u32> {
        let mut later = self.unfilled.close(id);
        later.extend(self.all.close(id));
        later
    }

    /// Whether a node must be filled later: it leads to something that is being made and that leads to it.
    pub(super) fn defer(&mut self, id: u32, is_object: bool) -> bool {
        if is_object { self.all.defer(id) } else { self.unfilled.defer(id) }
    }
}

/// Groups of nodes that lead to each other.
#[derive(Debug)]
struct Components {
    /// For each node a number that it shares with those that lead to it and that it leads to.
    of: Vec<u32>,
    /// How many nodes of a group are being made, and what is to be filled when they are.
    pending: HashMap<u32, (u32, Vec<u32>)>,
}

const UNSEEN: u32 = 0;
/// The number of nodes that lead to no other that leads to them: nothing in them waits for them.
const ALONE: u32 = 0;
/// Beyond every number of a visit, and so of no group that is still looked for.
const DONE: u32 = u32::MAX;

impl Components {
    /// Finds the strongly connected components as Tarjan does, without calling itself.
    fn of(session: &Session, roots: &[u32], marks: &Marks, fills: bool) -> Self {
        let nodes = session.node_count();
        let mut of = vec![UNSEEN; nodes];
        // For nodes that are being looked at, the smallest visit they lead to; for others `DONE`.
        let mut low = vec![UNSEEN; nodes];
        let mut visits = 0_u32;
        // A node, the place of its next part, and its visit.
        let mut path: Vec<(u32, u32, u32)> = Vec::new();
        let mut group: Vec<u32> = Vec::new();
        let mut roots: Vec<u32> = roots.to_vec();
        while let Some(root) = roots.pop() {
            let mut next = Some(root);
            loop {
                if let Some(id) = next
                    && let Some(lowest) = low.get_mut(id as usize)
                    && *lowest == UNSEEN
                {
                    visits = visits.saturating_add(1);
                    *lowest = visits;
                    path.push((id, 0, visits));
                    group.push(id);
                }
                let Some((id, at, visit)) = path.last_mut() else { break };
                let (id, visit) = (*id, *visit);
                let lower = |low: &mut [u32], from: u32| {
                    let from = low.get(from as usize).copied().unwrap_or(DONE);
                    if let Some(lowest) = low.get_mut(id as usize) {
                        *lowest = from.min(*lowest);
                    }
                };
                let value = session.by_id(id as usize);
                match reference(value, *at).map(|part| small(part.index())) {
                    Some(part) if !fills && is_filling(value, *at) => {
                        roots.push(part);
                        next = None;
                        *at = at.saturating_add(1);
                    }
                    Some(part) => {
                        // A part that is new is looked at first, and lowers this one when it is done.
                        next = Some(part).filter(|part| low.get(*part as usize) == Some(&UNSEEN));
                        // What is in the memo already is not written.
                        next = next.filter(|part| marks.numbered(*part).is_none());
                        if next.is_none() && low.get(part as usize) != Some(&UNSEEN) {
                            lower(&mut low, part);
                        }
                        *at = at.saturating_add(1);
                    }
                    None => {
                        next = None;
                        path.pop();
                        if low.get(id as usize) == Some(&visit) {
                            let number = if group.last() == Some(&id) { ALONE } else { visit };
                            while let Some(member) = group.pop() {
                                if let (Some(of), Some(low)) =
                                    (of.get_mut(member as usize), low.get_mut(member as usize))
                                {
                                    (*of, *low) = (number, DONE);
                                }
                                if member == id {
                                    break;
                                }
                            }
                        } else if let Some((below, _, _)) = path.last() {
                            let mine = low.get(id as usize).copied().unwrap_or(DONE);
                            if let Some(lowest) = low.get_mut(*below as usize) {
                                *lowest = mine.min(*lowest);
                            }
                        }
                    }
                }
            }
        }
        Self { of, pending: HashMap::new() }
    }

    fn group(&self, id: u32) -> u32 {
        self.of.get(id as usize).copied().unwrap_or(ALONE)
    }

    fn open(&mut self, id: u32) {
        let group = self.group(id);
        if group != ALONE {
            let (open, _) = self.pending.entry(group).or_default();
            *open = open.saturating_add(1);
        }
    }

    fn close(&mut self, id: u32) -> Vec<u32> {
        let group = self.group(id);
        match self.pending.get_mut(&group) {
            Some((open @ 2.., _)) => {
                *open = open.saturating_sub(1);
                Vec::new()
            }
            Some(_) => self.pending.remove(&group).map(|(_, later)| later).unwrap_or_default(),
            None => Vec::new(),
        }
    }

    fn defer(&mut self, id: u32) -> bool {
        let group = self.group(id);
        match self.pending.get_mut(&group) {
            Some((_, later)) => {
                later.push(id);
                true
            }
            None => false,
        }
    }
}
