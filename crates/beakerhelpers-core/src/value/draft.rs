//! Building a session node by node.

#[cfg(test)]
mod tests;

use std::fmt;

use super::arena::{Arena, FIRST, Form, Node, NodeId, ObjectNode, RawSort, Sort, small};
use super::class::Known;
use super::{BigInt, keys};
use crate::Session;

/// A session in the making: the low level that codecs use.
///
/// Nodes are added and never removed; containers and objects refer to nodes by [`NodeId`], so they may be shared and
/// may contain themselves. An id of another draft gives a wrong value or `None`, never a panic.
///
/// # Examples
///
/// ```
/// use beakerhelpers_core::value::Draft;
///
/// let mut draft = Draft::new();
/// let (key, item) = (draft.str("cart"), draft.int(7));
/// let cart = draft.list(&[item, item]);
/// let root = draft.dict(&[key, cart]);
/// let session = draft.finish(root).expect("what `str` adds is text");
/// assert_eq!(session.value("cart").map(|cart| format!("{cart:?}")).as_deref(), Some("Value(List(Items(2)))"));
/// ```
#[derive(Clone)]
pub struct Draft {
    arena: Arena,
    /// What becomes [`Arena::text`] once all of it is known to be UTF-8: that is far faster than to test each string.
    chars: Vec<u8>,
    /// A string does not begin where a character begins.
    cut: bool,
    /// How many bytes calls may still turn into other bytes: a pickle can repeat such a call at four bytes each.
    conversions: usize,
}

impl Draft {
    /// Begins with nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::from_arena(Arena::default())
    }

    /// Empties an arena and keeps its memory.
    pub(crate) fn from_arena(mut arena: Arena) -> Self {
        let chars = std::mem::take(&mut arena.text).into_bytes();
        let mut draft = Self { arena, chars, cut: false, conversions: usize::MAX };
        draft.clear();
        draft
    }

    fn clear(&mut self) {
        self.chars.clear();
        self.cut = false;
        self.arena.nodes.clear();
        self.arena.slots.clear();
        self.arena.bytes.clear();
        self.arena.objects.clear();
        self.arena.nodes.extend_from_slice(&FIRST);
    }

    /// Removes all nodes and keeps the memory, unless it is more than `most` bytes.
    pub fn reset(&mut self, most: usize) {
        if self.allocated() > most {
            *self = Self::new();
        } else {
            self.clear();
        }
    }

    /// How many bytes of memory this holds, in use or not.
    pub fn allocated(&self) -> usize {
        self.arena.allocated() + self.chars.capacity()
    }

    /// How many bytes of memory this takes at most while so many more nodes, and so many items of containers, are added:
    /// a buffer that is full moves into one of twice its size, and for a moment there are both. What strings take is as
    /// [`Draft::allocated`] has it.
    pub fn allocated_with(&self, nodes: usize, items: usize) -> usize {
        let Arena { nodes: all, slots, objects, .. } = &self.arena;
        self.allocated() + growth(all, nodes) + growth(slots, items) + growth(objects, nodes)
    }

    /// Limits how many bytes calls of `_codecs.encode` and `bytearray` are turned into; beyond it they stay objects.
    pub const fn limit_conversions(&mut self, bytes: usize) {
        self.conversions = bytes;
    }

    #[inline]
    fn push(&mut self, node: Node) -> NodeId {
        let id = small(self.arena.nodes.len());
        self.arena.nodes.push(node);
        NodeId(id)
    }

    /// Adds an `int`.
    #[inline]
    pub fn int(&mut self, value: i64) -> NodeId {
        self.push(Node::Int(value))
    }

    /// Adds an `int` of any size: two's complement, little endian; zero where there are no bytes.
    pub fn big_int(&mut self, mut le_bytes: &[u8]) -> NodeId {
        // A last byte that repeats the sign says nothing.
        while let [rest @ .., before, last] = le_bytes
            && *last == if *before >= 0x80 { 0xff } else { 0 }
        {
            le_bytes = le_bytes.get(..=rest.len()).unwrap_or_default();
        }
        if le_bytes.len() > 8 {
            return self.raw(RawSort::BigInt, le_bytes);
        }
        let fill = if BigInt::new(le_bytes).is_negative() { 0xff } else { 0 };
        let mut bytes = [fill; 8];
        bytes.iter_mut().zip(le_bytes).for_each(|(to, from)| *to = *from);
        self.int(i64::from_le_bytes(bytes))
    }

    /// Adds a `float`.
    #[inline]
    pub fn float(&mut self, value: f64) -> NodeId {
        self.push(Node::Float(value))
    }

    /// Adds a `str`.
    pub fn str(&mut self, text: &str) -> NodeId {
        self.chars(text.as_bytes())
    }

    /// Adds a `str` that is UTF-8, which [`Draft::finish`] tests.
    #[inline]
    pub fn chars(&mut self, utf8: &[u8]) -> NodeId {
        self.text(false, utf8)
    }

    #[inline]
    fn text(&mut self, python2: bool, utf8: &[u8]) -> NodeId {
        self.cut |= utf8.first().is_some_and(|byte| byte & 0xc0 == 0x80);
        let start = small(self.chars.len());
        self.chars.extend_from_slice(utf8);
        self.push(Node::Text { python2, start, len: small(utf8.len()) })
    }

    /// Adds a `str` with lone surrogates: UTF-8 that encodes those too.
    pub fn surrogates(&mut self, bytes: &[u8]) -> NodeId {
        self.raw(RawSort::Surrogates, bytes)
    }

    /// Adds a `str` of Python 2, which is text where it is UTF-8.
    #[inline]
    pub fn python2_str(&mut self, bytes: &[u8]) -> NodeId {
        if bytes.is_ascii() || std::str::from_utf8(bytes).is_ok() {
            self.text(true, bytes)
        } else {
            self.raw(RawSort::Python2, bytes)
        }
    }

    /// Adds `bytes`.
    pub fn bytes(&mut self, bytes: &[u8]) -> NodeId {
        self.raw(RawSort::Bytes, bytes)
    }

    /// Adds a `bytearray`.
    pub fn byte_array(&mut self, bytes: &[u8]) -> NodeId {
        self.raw(RawSort::ByteArray, bytes)
    }

    fn raw(&mut self, sort: RawSort, bytes: &[u8]) -> NodeId {
        let start = small(self.arena.bytes.len());
        self.arena.bytes.extend_from_slice(bytes);
        self.push(Node::Raw { sort, start, len: small(bytes.len()) })
    }

    /// Adds a `list`.
    #[inline]
    pub fn list(&mut self, items: &[NodeId]) -> NodeId {
        self.items(Sort::List, items)
    }

    /// Adds a `tuple`.
    #[inline]
    pub fn tuple(&mut self, items: &[NodeId]) -> NodeId {
        if items.is_empty() {
            return NodeId::EMPTY_TUPLE;
        }
        self.items(Sort::Tuple, items)
    }

    /// Adds a `set`.
    pub fn set(&mut self, items: &[NodeId]) -> NodeId {
        self.items(Sort::Set, items)
    }

    /// Adds a `frozenset`.
    pub fn frozen_set(&mut self, items: &[NodeId]) -> NodeId {
        self.items(Sort::FrozenSet, items)
    }

    /// Adds a `dict` of keys and values by turns. Of equal keys the first place and the last value count.
    #[inline]
    pub fn dict(&mut self, pairs: &[NodeId]) -> NodeId {
        self.items(Sort::Dict, whole(pairs))
    }

    #[inline]
    fn items(&mut self, sort: Sort, items: &[NodeId]) -> NodeId {
        let start = small(self.arena.slots.len());
        self.arena.slots.extend_from_slice(items);
        self.push(Node::Items { sort, log_capacity: 0, start, len: small(items.len()) })
    }

    /// Adds a reference to a class or function, whose module and name are nodes.
    pub fn global(&mut self, module: NodeId, name: NodeId) -> NodeId {
        self.any_global(module, name, false)
    }

    /// Adds a reference to a class or function as pickles of protocols 0 to 2 have it, maybe by the name that Python 2
    /// has for it.
    pub fn python2_global(&mut self, module: NodeId, name: NodeId) -> NodeId {
        self.any_global(module, name, true)
    }

    fn any_global(&mut self, module: NodeId, name: NodeId, translated: bool) -> NodeId {
        let known = Known::of(self.characters(module), self.characters(name));
        self.push(Node::Global { known, translated, module, name })
    }

    /// Whether anything in it refers to a class or a function.
    pub fn has_globals(&self) -> bool {
        self.arena.nodes.iter().any(|node| matches!(node, Node::Global { .. }))
    }

    /// The bytes of a `str` that may be UTF-8, of Python 2 too; none for anything else.
    pub fn characters(&self, id: NodeId) -> &[u8] {
        match self.arena.node(id) {
            Node::Text { start, len, .. } => super::arena::range(&self.chars, start, len),
            _ => &[],
        }
    }

    /// The bytes of a `str` or of bytes of any sort; `None` for anything else.
    pub fn content(&self, id: NodeId) -> Option<&[u8]> {
        match self.arena.node(id) {
            Node::Text { .. } => Some(self.characters(id)),
            Node::Raw { sort, start, len } if sort != RawSort::BigInt => {
                Some(super::arena::range(&self.arena.bytes, start, len))
            }
            _ => None,
        }
    }

    /// The items of a tuple; `None` for anything else.
    pub fn tuple_items(&self, id: NodeId) -> Option<&[NodeId]> {
        match self.arena.node(id) {
            Node::Items { sort: Sort::Tuple, start, len, .. } => Some(self.arena.slots(start, len)),
            _ => None,
        }
    }

    /// The keys and values of a dict by turns; `None` for anything else.
    pub fn dict_items(&self, id: NodeId) -> Option<&[NodeId]> {
        match self.arena.node(id) {
            Node::Items { sort: Sort::Dict, start, len, .. } => Some(self.arena.slots(start, len)),
            _ => None,
        }
    }

    /// Whether this is what Python writes a reference to or makes by a call: something that may be callable.
    pub fn may_be_called(&self, id: NodeId) -> bool {
        matches!(self.arena.node(id), Node::Global { .. } | Node::Object(_))
    }

    /// Whether this is made by a call.
    pub fn is_object(&self, id: NodeId) -> bool {
        matches!(self.arena.node(id), Node::Object(_))
    }

    /// The dict of attributes of an object, as BUILD gives it to an object without a `__setstate__` of its own: its state,
    /// or the first half of that where it has slots. `None` for what is no object, and [`NodeId::NONE`] where it has no
    /// such dict.
    pub fn attributes(&self, id: NodeId) -> Option<NodeId> {
        let Node::Object(index) = self.arena.node(id) else { return None };
        let state = self.arena.objects.get(index as usize)?.state;
        let dict = match self.tuple_items(state) {
            Some([attributes, _]) => *attributes,
            _ => state,
        };
        Some(if self.dict_items(dict).is_some() { dict } else { NodeId::NONE })
    }

    /// Adds what `form` makes of a callable and a tuple of arguments, or an object that only its own code can make a tuple
    /// of. Calls that make bytes give bytes, and `str` of text gives text.
    pub fn object(&mut self, form: Form, callable: NodeId, args: NodeId, keywords: Option<NodeId>) -> NodeId {
        if let (Form::Call, Node::Global { known: Known::Str, .. }) = (form, self.arena.node(callable))
            && let Some([text]) = self.tuple_items(args)
            && let node @ (Node::Text { .. } | Node::Raw { sort: RawSort::Surrogates, .. }) = self.arena.node(*text)
        {
            return self.push(node);
        }
        if let (Form::Call, Node::Global { known: known @ (Known::CodecsEncode | Known::Bytes | Known::ByteArray), .. }) =
            (form, self.arena.node(callable))
            && let Some(bytes) = self.convert(args)
        {
            self.conversions -= bytes.len().min(self.conversions);
            let sort = if known == Known::ByteArray { RawSort::ByteArray } else { RawSort::Bytes };
            return self.raw(sort, &bytes);
        }
        let (keywords, absent) = (keywords.unwrap_or(NodeId::ABSENT), NodeId::ABSENT);
        let index = small(self.arena.objects.len());
        self.arena.objects.push(ObjectNode {
            form,
            callable,
            args,
            keywords,
            state: absent,
            list: absent,
            dict: absent,
        });
        self.push(Node::Object(index))
    }

    /// What `_codecs.encode(text, 'latin1')`, `bytearray(text, 'latin-1')`, `bytearray(bytes)`, `bytes()` and so on hold.
    fn convert(&self, args: NodeId) -> Option<Vec<u8>> {
        let within = |bytes: &[u8]| bytes.len() <= self.conversions;
        match self.tuple_items(args)? {
            [] => Some(Vec::new()),
            [text, encoding] if matches!(self.characters(*encoding), b"latin1" | b"latin-1") => {
                let text = std::str::from_utf8(self.characters(*text)).ok().filter(|text| within(text.as_bytes()))?;
                text.chars().map(|char| u8::try_from(char).ok()).collect()
            }
            [bytes] => match self.arena.node(*bytes) {
                Node::Raw { sort: RawSort::Bytes | RawSort::Python2 | RawSort::ByteArray, .. }
                | Node::Text { python2: true, .. } => {
                    self.content(*bytes).filter(|bytes| within(bytes)).map(<[u8]>::to_vec)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Sets the state of an object: BUILD. `false` where it is none.
    pub fn set_state(&mut self, id: NodeId, state: NodeId) -> bool {
        let Some(object) = self.object_mut(id) else { return false };
        object.state = state;
        true
    }

    fn object_mut(&mut self, id: NodeId) -> Option<&mut ObjectNode> {
        match self.arena.node(id) {
            Node::Object(index) => self.arena.objects.get_mut(index as usize),
            _ => None,
        }
    }

    /// Appends items to a list or an object. `false` where it is neither.
    pub fn append(&mut self, id: NodeId, items: &[NodeId]) -> bool {
        self.extend(id, Sort::List, items)
    }

    /// Adds items to a set or an object. `false` where it is neither.
    pub fn add(&mut self, id: NodeId, items: &[NodeId]) -> bool {
        self.extend(id, Sort::Set, items)
    }

    /// Sets items, keys and values by turns, of a dict or an object. `false` where it is neither.
    #[inline]
    pub fn set_items(&mut self, id: NodeId, pairs: &[NodeId]) -> bool {
        self.extend(id, Sort::Dict, whole(pairs))
    }

    #[inline]
    fn extend(&mut self, id: NodeId, wanted: Sort, items: &[NodeId]) -> bool {
        match self.arena.node(id) {
            Node::Items { sort, .. } if sort == wanted => {
                self.arena.extend(id, items);
                true
            }
            Node::Object(_) => self.extend_object(id, wanted, items),
            _ => false,
        }
    }

    fn extend_object(&mut self, id: NodeId, wanted: Sort, items: &[NodeId]) -> bool {
        let Some(object) = self.object_mut(id).copied() else { return false };
        let sort = if wanted == Sort::Dict { Sort::Dict } else { Sort::List };
        let part = if sort == Sort::Dict { object.dict } else { object.list };
        if part != NodeId::ABSENT {
            return self.extend(part, sort, items);
        }
        let part = self.items(sort, items);
        if let Some(object) = self.object_mut(id) {
            *(if sort == Sort::Dict { &mut object.dict } else { &mut object.list }) = part;
        }
        true
    }

    /// Makes it a session whose keys and values are those of a dict; an empty one where `root` is no dict.
    ///
    /// # Errors
    ///
    /// Gives the draft back where [`Draft::chars`] was given something that is not UTF-8.
    #[expect(clippy::result_large_err, reason = "the draft is worth its buffers")]
    pub fn finish(mut self, root: NodeId) -> Result<Session, Self> {
        if self.cut {
            return Err(self);
        }
        match String::from_utf8(self.chars) {
            Ok(text) => self.arena.text = text,
            Err(error) => return Err(Self { chars: error.into_bytes(), ..self }),
        }
        keys::unify(&mut self.arena);
        Ok(Session::from_arena(self.arena, root))
    }

    /// Makes text that is none a `str` of Python 2, so that nothing keeps it from being finished.
    pub(crate) fn settle(mut self) -> Arena {
        let (arena, chars) = (&mut self.arena, &self.chars);
        arena.text.clear();
        for node in &mut arena.nodes {
            let Node::Text { start, len, .. } = node else { continue };
            let bytes = super::arena::range(chars, *start, *len);
            if let Ok(text) = std::str::from_utf8(bytes) {
                *start = small(arena.text.len());
                arena.text.push_str(text);
            } else {
                *node = Node::Raw { sort: RawSort::Python2, start: small(arena.bytes.len()), len: *len };
                arena.bytes.extend_from_slice(bytes);
            }
        }
        keys::unify(arena);
        self.arena
    }

    /// Throws the nodes away and keeps the memory, in an empty session.
    pub fn discard(mut self) -> Session {
        self.clear();
        self.arena.text = String::from_utf8(self.chars).unwrap_or_default();
        Session::from_arena(self.arena, NodeId::NONE)
    }
}

/// Without a key at the end that has no value.
#[inline]
fn whole(pairs: &[NodeId]) -> &[NodeId] {
    pairs.get(..pairs.len() & !1).unwrap_or_default()
}

/// What it takes to add so many elements, if they need another buffer.
fn growth<T>(buffer: &Vec<T>, more: usize) -> usize {
    if buffer.capacity() - buffer.len() >= more { 0 } else { 2 * buffer.capacity().max(more) * size_of::<T>() }
}

impl Default for Draft {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({} nodes)", self.arena.nodes.len())
    }
}
