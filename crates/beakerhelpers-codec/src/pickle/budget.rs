//! How much memory a pickle may take.

use beakerhelpers_core::value::{Draft, NodeId};

/// What any pickle may take; [`FACTOR`] times its length comes on top.
const FREE: usize = 64 * 1024;

/// Less than this is no more than what any machine begins with.
pub(super) const FRESH: usize = 4 * 1024;

/// Nodes, stack and memo take at most this many times the length of the pickle, also while they grow. What comes on top,
/// strings that grow and the search for equal keys, makes it less than 80.
const FACTOR: usize = 64;

/// So many opcodes are carried out between two looks at the memory.
pub(super) const STRIDE: usize = 128;

/// No opcode makes more nodes.
const NODES_OF_OPCODE: usize = 3;

/// How many bytes a pickle of this length may take.
pub(super) const fn of(len: usize) -> usize {
    len.saturating_mul(FACTOR).saturating_add(FREE)
}

/// How many bytes draft and stack take at most until the memory is looked at again, beside what the stack takes now.
pub(super) fn soon(draft: &Draft, stack: &Vec<NodeId>) -> usize {
    let items = stack.len().saturating_add(STRIDE);
    let grown = draft.allocated_with(STRIDE.saturating_mul(NODES_OF_OPCODE), items);
    let is_full = stack.capacity().saturating_sub(stack.len()) < STRIDE;
    // It moves into one of twice its size, and for a moment there are both.
    let more = if is_full { stack.capacity().saturating_mul(2).saturating_mul(size_of::<NodeId>()) } else { 0 };
    grown.saturating_add(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_to_grow_counts_before_it_does() {
        let mut draft = Draft::new();
        let mut stack = Vec::new();
        let taken = |draft: &Draft, stack: &Vec<NodeId>| draft.allocated() + stack.capacity() * size_of::<NodeId>();
        let mut most = 0;
        for number in 0..100_000 {
            if usize::is_multiple_of(number, STRIDE) {
                most = soon(&draft, &stack) + stack.capacity() * size_of::<NodeId>();
            }
            let before = taken(&draft, &stack);
            stack.push(draft.list(&[NodeId::NONE]));
            let after = taken(&draft, &stack);
            // What is new has doubled, so it is as long as what was freed.
            let peak = after + (after - before);
            assert!(peak <= most, "{peak} bytes and not {most} at node {number}");
        }
    }
}
