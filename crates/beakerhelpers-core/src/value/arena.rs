//! The nodes of a decoded value, in a few flat vectors: nothing points, so nothing has to be dropped one by one.

use std::fmt;

use super::class::Known;

/// A node of a [`Draft`](super::Draft).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// `None`, in every draft.
    pub const NONE: Self = Self(0);
    /// `False`, in every draft.
    pub const FALSE: Self = Self(1);
    /// `True`, in every draft.
    pub const TRUE: Self = Self(2);
    /// `()`, in every draft.
    pub const EMPTY_TUPLE: Self = Self(3);
    /// No node at all: what fills a gap. It reads as `None`.
    pub const ABSENT: Self = Self(u32::MAX);

    /// The [`Value::id`](super::Value::id) that its value has in the session.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({})", self.0)
    }
}

/// The nodes that every arena begins with.
pub(crate) const FIRST: [Node; 4] = [
    Node::None,
    Node::Bool(false),
    Node::Bool(true),
    Node::Items { sort: Sort::Tuple, log_capacity: 0, start: 0, len: 0 },
];

/// One value. 16 bytes, because a hostile pickle makes one of every byte.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Node {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// A range of [`Arena::text`]. `python2`: it was a byte string there.
    Text {
        python2: bool,
        start: u32,
        len: u32,
    },
    /// A range of [`Arena::bytes`].
    Raw {
        sort: RawSort,
        start: u32,
        len: u32,
    },
    /// A range of [`Arena::slots`]; a dict's holds keys and values by turns.
    /// `log_capacity` is 0 where there is room for `len` only, else the binary logarithm of the room.
    Items {
        sort: Sort,
        log_capacity: u8,
        start: u32,
        len: u32,
    },
    Global {
        known: Known,
        /// Whether it stands in a protocol whose names Python 3 translates.
        translated: bool,
        module: NodeId,
        name: NodeId,
    },
    /// An index into [`Arena::objects`].
    Object(u32),
}

const _: () = assert!(size_of::<Node>() == 16);

/// What the bytes of a [`Node::Raw`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RawSort {
    /// Two's complement, little endian, as short as possible, and too long for an `i64`.
    BigInt,
    Surrogates,
    Python2,
    Bytes,
    ByteArray,
}

/// What a [`Node::Items`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    List,
    Tuple,
    Set,
    FrozenSet,
    Dict,
}

/// How an object was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// `callable(*args)`: REDUCE.
    Call,
    /// `callable.__new__(callable, *args, **keywords)`: NEWOBJ and `NEWOBJ_EX`.
    New,
    /// `callable(*args)`, where no arguments mean that `__init__` is not run: INST and OBJ, for Python 2's old classes.
    Instance,
    /// What an application calls by an id of its own, the only argument: PERSID and BINPERSID.
    Persistent,
    /// What an application calls by a registered number, the only argument: EXT1, EXT2 and EXT4.
    Extension,
}

/// All that a pickle says of an object. Most are [`NodeId::ABSENT`] in most objects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ObjectNode {
    pub(crate) form: Form,
    pub(crate) callable: NodeId,
    pub(crate) args: NodeId,
    pub(crate) keywords: NodeId,
    pub(crate) state: NodeId,
    /// A list node with what was appended.
    pub(crate) list: NodeId,
    /// A dict node with what was set.
    pub(crate) dict: NodeId,
}

/// Nodes and what they refer to.
#[derive(Clone, Default)]
pub(crate) struct Arena {
    pub(crate) nodes: Vec<Node>,
    pub(crate) slots: Vec<NodeId>,
    pub(crate) text: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) objects: Vec<ObjectNode>,
}

impl Arena {
    #[inline]
    pub(crate) fn node(&self, id: NodeId) -> Node {
        self.nodes.get(id.index()).copied().unwrap_or(Node::None)
    }

    /// All of its nodes.
    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..small(self.nodes.len())).map(NodeId)
    }

    #[inline]
    pub(crate) fn slots(&self, start: u32, len: u32) -> &[NodeId] {
        range(&self.slots, start, len)
    }

    #[inline]
    pub(crate) fn text(&self, start: u32, len: u32) -> &str {
        let start = start as usize;
        self.text.get(start..start.saturating_add(len as usize)).unwrap_or("")
    }

    /// The items of a list, tuple, set or frozenset; nothing for anything else.
    pub(crate) fn sequence(&self, id: NodeId) -> &[NodeId] {
        match self.node(id) {
            Node::Items { sort, start, len, .. } if sort != Sort::Dict => self.slots(start, len),
            _ => &[],
        }
    }

    /// Keys and values of a dict by turns; nothing for anything else.
    pub(crate) fn pairs(&self, id: NodeId) -> &[NodeId] {
        match self.node(id) {
            Node::Items { sort: Sort::Dict, start, len, .. } => self.slots(start, len),
            _ => &[],
        }
    }

    /// How many bytes of memory this holds, in use or not.
    pub(crate) fn allocated(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>()
            + self.slots.capacity() * size_of::<NodeId>()
            + self.objects.capacity() * size_of::<ObjectNode>()
            + self.text.capacity()
            + self.bytes.capacity()
    }
}

/// `len` elements from `start` on; nothing where they are not there.
#[inline]
pub(crate) fn range<T>(all: &[T], start: u32, len: u32) -> &[T] {
    let start = start as usize;
    all.get(start..start.saturating_add(len as usize)).unwrap_or(&[])
}

/// A length or a place as nodes keep it.
#[inline]
pub(crate) fn small(number: usize) -> u32 {
    // Past 4 GiB there is nothing to find: such a node reads as empty.
    u32::try_from(number).unwrap_or(u32::MAX)
}
