//! Changing what is in an arena.

use super::arena::{Arena, FIRST, Node, NodeId, ObjectNode, Sort, small};

impl Arena {
    /// Appends to the items of a container, a dict's being keys and values by turns; nothing where `id` is none.
    ///
    /// Items grow in place where there is room or nothing behind, else they move to the end and get twice the room.
    #[inline]
    pub(crate) fn extend(&mut self, id: NodeId, items: &[NodeId]) {
        let Node::Items { sort, log_capacity, start, len } = self.node(id) else { return };
        let node = if len == 0 {
            let start = small(self.slots.len());
            self.slots.extend_from_slice(items);
            Node::Items { sort, log_capacity: 0, start, len: small(items.len()) }
        } else {
            let (log_capacity, start, len) = self.grow(log_capacity, start, len, items);
            Node::Items { sort, log_capacity, start, len }
        };
        if let Some(slot) = self.nodes.get_mut(id.index()) {
            *slot = node;
        }
    }

    fn grow(&mut self, log_capacity: u8, start: u32, len: u32, items: &[NodeId]) -> (u8, u32, u32) {
        let slots = &mut self.slots;
        let (first, last) = (start as usize, start as usize + len as usize);
        let capacity = if log_capacity == 0 { len as usize } else { 1 << log_capacity };
        let all = len as usize + items.len();
        if first + capacity == slots.len() {
            slots.truncate(last);
            slots.extend_from_slice(items);
            return (0, start, small(all));
        }
        if all <= capacity {
            if let Some(room) = slots.get_mut(last..last + items.len()) {
                room.copy_from_slice(items);
            }
            return (log_capacity, start, small(all));
        }
        let capacity = all.max(2 * len as usize).next_power_of_two();
        let start = slots.len();
        slots.extend_from_within(first..last);
        slots.extend_from_slice(items);
        slots.resize(start + capacity, NodeId::ABSENT);
        #[expect(clippy::cast_possible_truncation, reason = "the logarithm of a usize is below 64")]
        (capacity.trailing_zeros() as u8, small(start), small(all))
    }

    pub(crate) fn is_dict(&self, id: NodeId) -> bool {
        matches!(self.node(id), Node::Items { sort: Sort::Dict, .. })
    }

    /// Adds an empty dict.
    pub(crate) fn push_dict(&mut self) -> NodeId {
        let id = NodeId(small(self.nodes.len()));
        self.nodes.push(Node::Items { sort: Sort::Dict, log_capacity: 0, start: 0, len: 0 });
        id
    }

    /// Replaces one of the items of a container.
    pub(crate) fn replace(&mut self, id: NodeId, index: usize, item: NodeId) {
        let Node::Items { start, len, .. } = self.node(id) else { return };
        if let Some(slot) = self.slots.get_mut(start as usize + index).filter(|_| index < len as usize) {
            *slot = item;
        }
    }

    /// Removes the key and the value of a dict that begin at `index` of its items.
    pub(crate) fn remove_pair(&mut self, id: NodeId, index: usize) {
        let Some(Node::Items { start, len, log_capacity, .. }) = self.nodes.get_mut(id.index()) else { return };
        let (first, last) = (*start as usize + index, *start as usize + *len as usize);
        if first + 2 <= last && last <= self.slots.len() {
            self.slots.copy_within(first + 2..last, first);
            *len -= 2;
            // What is free now is lost: room is a power of two, or all is in use.
            *log_capacity = if *len == 0 { 0 } else { *log_capacity };
        }
    }

    /// Copies another arena's nodes to the end of this one, and gives the place of one of them here.
    pub(crate) fn graft(&mut self, other: &Self, id: NodeId) -> NodeId {
        if self.nodes.is_empty() {
            self.nodes.extend_from_slice(&FIRST);
        }
        let shift = small(self.nodes.len() - FIRST.len());
        // A place that is none, or none of the other arena, is no place here.
        let place = |id: NodeId| match id.index() {
            index if index < FIRST.len() => id,
            index if index < other.nodes.len() => NodeId(id.0.saturating_add(shift)),
            _ => NodeId::ABSENT,
        };
        let [slots, text, bytes, objects] =
            [self.slots.len(), self.text.len(), self.bytes.len(), self.objects.len()].map(small);
        self.nodes.extend(other.nodes.iter().skip(FIRST.len()).map(|node| {
            let mut node = *node;
            match &mut node {
                Node::None | Node::Bool(_) | Node::Int(_) | Node::Float(_) => {}
                Node::Text { start, .. } => *start = start.saturating_add(text),
                Node::Raw { start, .. } => *start = start.saturating_add(bytes),
                Node::Items { start, .. } => *start = start.saturating_add(slots),
                Node::Global { module, name, .. } => (*module, *name) = (place(*module), place(*name)),
                Node::Object(index) => *index = index.saturating_add(objects),
            }
            node
        }));
        self.slots.extend(other.slots.iter().map(|id| place(*id)));
        self.text.push_str(&other.text);
        self.bytes.extend_from_slice(&other.bytes);
        self.objects.extend(other.objects.iter().map(|object| ObjectNode {
            form: object.form,
            callable: place(object.callable),
            args: place(object.args),
            keywords: place(object.keywords),
            state: place(object.state),
            list: place(object.list),
            dict: place(object.dict),
        }));
        match place(id) {
            NodeId::ABSENT => NodeId::NONE,
            id => id,
        }
    }
}
