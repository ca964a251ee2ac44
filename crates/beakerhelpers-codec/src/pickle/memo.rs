//! The values that a pickle refers to again.

use std::collections::HashMap;

use beakerhelpers_core::value::NodeId;

use crate::fault::Reason;

/// Numbered values. Picklers number them from 0 or 1 on, so a vector serves; a number beyond what so long a pickle can
/// have reached by counting goes to a map, lest it make the vector large.
#[derive(Debug, Default)]
pub(super) struct Memo {
    dense: Vec<NodeId>,
    sparse: HashMap<usize, NodeId>,
    count: usize,
    limit: usize,
}

impl Memo {
    pub(super) fn clear(&mut self, pickle_len: usize) {
        self.dense.clear();
        self.sparse.clear();
        self.count = 0;
        self.limit = pickle_len;
    }

    #[inline]
    pub(super) fn put(&mut self, number: usize, id: NodeId) {
        if number == self.dense.len() {
            self.dense.push(id);
            self.count = self.count.saturating_add(1);
        } else {
            self.put_elsewhere(number, id);
        }
    }

    fn put_elsewhere(&mut self, number: usize, id: NodeId) {
        if number < self.limit && number >= self.dense.len() {
            self.dense.resize(number.saturating_add(1), NodeId::ABSENT);
        }
        let before = match self.dense.get_mut(number) {
            Some(slot) => std::mem::replace(slot, id),
            None => self.sparse.insert(number, id).unwrap_or(NodeId::ABSENT),
        };
        self.count = self.count.saturating_add(usize::from(before == NodeId::ABSENT));
    }

    /// Keeps a value under the next number.
    #[inline]
    pub(super) fn append(&mut self, id: NodeId) {
        self.put(self.count, id);
    }

    #[inline]
    pub(super) fn get(&self, number: usize) -> Result<NodeId, Reason> {
        match self.dense.get(number) {
            Some(id) if *id != NodeId::ABSENT => Ok(*id),
            Some(_) => Err(Reason::NotInMemo),
            None => self.sparse.get(&number).copied().ok_or(Reason::NotInMemo),
        }
    }

    pub(super) fn allocated(&self) -> usize {
        let sparse = self.sparse.capacity().saturating_mul(size_of::<(usize, NodeId)>());
        self.dense.capacity().saturating_mul(size_of::<NodeId>()).saturating_add(sparse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huge_numbers_allocate_next_to_nothing() {
        let mut memo = Memo::default();
        memo.clear(100);
        memo.put(4_294_967_295, NodeId::TRUE);
        memo.put(1, NodeId::FALSE);
        assert_eq!(memo.get(4_294_967_295), Ok(NodeId::TRUE));
        assert_eq!(memo.get(1), Ok(NodeId::FALSE));
        assert_eq!(memo.get(0), Err(Reason::NotInMemo));
        assert_eq!(memo.get(7), Err(Reason::NotInMemo));
        assert!(memo.allocated() < 1000);
        // As in CPython, MEMOIZE takes the number of values there are.
        memo.append(NodeId::NONE);
        assert_eq!(memo.get(2), Ok(NodeId::NONE));
    }
}
