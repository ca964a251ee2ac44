//! Equal keys of a dict.

use std::cmp::Ordering;

use super::arena::{Arena, Node, NodeId, RawSort, Sort};

/// Leaves one entry for each key of every dict: at the first place, with the last value, as in Python.
///
/// Numbers, texts and bytes are equal as in Python, a Python 2 `str` that is text being text; containers and objects
/// are equal to themselves only. Nearly every dict passes a cheap test; the others are done all at once, each key being
/// compared with others a number of times that is logarithmic, so that repeated references to long keys cost no more.
#[inline]
pub(super) fn unify(arena: &mut Arena) {
    let mut suspects = Vec::new();
    for (index, node) in arena.nodes.iter().enumerate() {
        if let Node::Items { sort: Sort::Dict, start, len: 4.., .. } = *node {
            let Node::Items { len, .. } = *node else { continue };
            if may_repeat(arena, arena.slots(start, len)) {
                suspects.push(index);
            }
        }
    }
    if !suspects.is_empty() {
        unify_suspects(arena, &suspects);
    }
}

/// Whether two keys have the same imprint; `true` by chance now and then.
fn may_repeat(arena: &Arena, pairs: &[NodeId]) -> bool {
    let mut seen = [0_u64; 16];
    for pair in pairs.chunks_exact(2) {
        let imprint = pair.first().map_or(0, |key| imprint(arena, *key));
        let Some(word) = seen.get_mut(usize::from(imprint >> 6) & 15) else { return true };
        let bit = 1 << (imprint & 63);
        if *word & bit != 0 {
            return true;
        }
        *word |= bit;
    }
    false
}

/// Ten bits that are the same for equal keys.
fn imprint(arena: &Arena, key: NodeId) -> u16 {
    let mixed = match arena.node(key) {
        Node::Text { start, len, .. } => {
            let text = arena.text(start, len).as_bytes();
            let at = |index: usize| u64::from(text.get(index).copied().unwrap_or(0));
            let last = text.len().wrapping_sub(1);
            at(0) | at(text.len() / 2) << 8 | at(last) << 16 | at(last.wrapping_sub(2)) << 24 | u64::from(len) << 32
        }
        Node::Raw { .. } => 1,
        #[expect(clippy::cast_sign_loss, reason = "only the bits matter")]
        _ => match number(arena.node(key)) {
            Some(number) => number as u64,
            None => 2,
        },
    };
    // The upper ten bits of the product.
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as u16
}

/// The integer that a key equals.
fn number(node: Node) -> Option<i64> {
    match node {
        Node::Bool(value) => Some(value.into()),
        Node::Int(value) => Some(value),
        // Beyond 2^53 a float and an integer that are equal may be told apart here; no session has such keys.
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
        Node::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => Some(value as i64),
        _ => None,
    }
}

/// A key in a form that compares; equal where the keys are.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Text(&'a [u8]),
    Number(i64),
    Float(u64),
    BigInt(&'a [u8]),
    Bytes(&'a [u8]),
    Other(NodeId),
}

fn key(arena: &Arena, id: NodeId) -> Key<'_> {
    let node = arena.node(id);
    match node {
        Node::Text { start, len, .. } => Key::Text(arena.text(start, len).as_bytes()),
        Node::Raw { sort, start, len } => {
            let bytes = super::arena::range(&arena.bytes, start, len);
            match sort {
                RawSort::BigInt => Key::BigInt(bytes),
                RawSort::Surrogates => Key::Text(bytes),
                RawSort::Bytes | RawSort::Python2 => Key::Bytes(bytes),
                RawSort::ByteArray => Key::Other(id),
            }
        }
        // NaN is equal to itself only, so to the same node.
        Node::Float(value) if value.is_nan() => Key::Other(id),
        _ => match (number(node), node) {
            (Some(number), _) => Key::Number(number),
            (None, Node::Float(value)) => Key::Float(value.to_bits()),
            _ => Key::Other(id),
        },
    }
}

fn unify_suspects(arena: &mut Arena, suspects: &[usize]) {
    let dict = |arena: &Arena, index: usize| match arena.nodes.get(index) {
        Some(Node::Items { sort: Sort::Dict, start, len, .. }) => Some((*start, *len)),
        _ => None,
    };
    // Every key node once, then equal ones side by side.
    let mut ids: Vec<NodeId> = Vec::new();
    for (start, len) in suspects.iter().filter_map(|index| dict(arena, *index)) {
        ids.extend(arena.slots(start, len).iter().step_by(2));
        if ids.len() > arena.nodes.len() {
            ids.sort_unstable();
            ids.dedup();
        }
    }
    ids.sort_unstable();
    ids.dedup();
    ids.sort_by(|a, b| key(arena, *a).cmp(&key(arena, *b)));
    // For each key node the first one that is equal.
    let mut representative: Vec<NodeId> = vec![NodeId::ABSENT; arena.nodes.len()];
    let mut first = NodeId::ABSENT;
    for id in ids {
        if first == NodeId::ABSENT || key(arena, first).cmp(&key(arena, id)) != Ordering::Equal {
            first = id;
        }
        if let Some(slot) = representative.get_mut(id.index()) {
            *slot = first;
        }
    }
    // Where in the present dict a representative stands; entries of other dicts are told by what stands there.
    let mut places: Vec<u32> = vec![0; arena.nodes.len()];
    let same = |a: NodeId, b: NodeId| match (representative.get(a.index()), representative.get(b.index())) {
        (Some(a), Some(b)) => a == b && *a != NodeId::ABSENT,
        _ => false,
    };
    for index in suspects {
        let Some((start, len)) = dict(arena, *index) else { continue };
        let (start, len) = (start as usize, len as usize & !1);
        let Some(slots) = arena.slots.get_mut(start..start + len) else { continue };
        let mut end: u32 = 0;
        for from in (0..len).step_by(2) {
            let Some(&[key, value]) = slots.get(from..from + 2) else { continue };
            let place = representative.get(key.index()).and_then(|id| places.get_mut(id.index()));
            let place = place.map_or(end, |place| {
                let there = slots.get(*place as usize).copied();
                if *place >= end || !there.is_some_and(|there| same(there, key)) {
                    *place = end;
                }
                *place
            });
            if let Some(room) = slots.get_mut(place as usize..place as usize + 2) {
                // The first key stays, as in Python: `{1: 'a', True: 'b'}` is `{1: 'b'}`.
                let kept = if place < end { room.first().copied().unwrap_or(key) } else { key };
                room.copy_from_slice(&[kept, value]);
            }
            end = end.max(place + 2);
        }
        if let Some(Node::Items { len, log_capacity, .. }) = arena.nodes.get_mut(*index) {
            (*len, *log_capacity) = (end, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::value::{Draft, Kind, Value};

    #[test]
    fn the_first_place_and_the_last_value_count() {
        let mut draft = Draft::new();
        let keys = [draft.str("a"), draft.str("b"), draft.python2_str(b"a"), draft.int(1), draft.float(1.0)];
        let one = draft.big_int(&[1, 0, 0]);
        let values: Vec<_> = (10..16).map(|value| draft.int(value)).collect();
        let pairs = [
            keys[0], values[0], keys[1], values[1], keys[2], values[2], keys[3], values[3], keys[4], values[4], one,
            values[5],
        ];
        let root = draft.dict(&pairs);
        let session = draft.finish(root).unwrap();
        let seen: Vec<_> = session
            .iter()
            .map(|(key, value)| match (key.kind(), value.kind()) {
                (Kind::Str(key), Kind::Int(value)) => (key.to_owned(), value),
                (Kind::Int(key), Kind::Int(value)) => (key.to_string(), value),
                _ => panic!("another kind"),
            })
            .collect();
        assert_eq!(seen, [("a".to_owned(), 12), ("b".to_owned(), 11), ("1".to_owned(), 15)]);
    }

    #[test]
    fn many_keys_are_told_apart() {
        let mut draft = Draft::new();
        let mut pairs = Vec::new();
        for round in 0..2 {
            for number in 0..5000 {
                pairs.push(draft.str(&format!("key {number}")));
                pairs.push(draft.int(number + round));
            }
        }
        let root = draft.dict(&pairs);
        let session = draft.finish(root).unwrap();
        assert_eq!(session.len(), 5000);
        assert_eq!(session.value("key 4999").and_then(Value::as_i64), Some(5000));
    }
}
