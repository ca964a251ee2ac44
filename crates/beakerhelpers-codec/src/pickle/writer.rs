//! Values in, opcodes out. What is referred to more than once goes through the memo; nothing calls itself.

mod containers;
mod cycles;
mod helpers;
mod objects;
mod opcodes;
mod survey;

use beakerhelpers_core::Session;
use beakerhelpers_core::value::{Kind, Value};

use self::cycles::Cycles;
use self::opcodes::Opcodes;
pub(crate) use self::opcodes::{memo_opcode, text_head, text_opcode};
use self::survey::Marks;

/// Writes values into one pickle, in the order in which they are to be read.
///
/// Containers are written empty and filled afterwards, as CPython's pickler does it. Where a container is needed to make
/// the very tuple, set or object that it holds, it is filled when that is made: CPython makes such a tuple twice and
/// drops one, which takes time that grows with the square of its length.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    session: &'a Session,
    /// As PROTO says. Up to 2, names are those of Python 2, which Python 3 translates.
    protocol: u8,
    marks: Marks,
    path: Vec<(u32, u32)>,
    roots: Vec<u32>,
    /// Nothing where no value holds itself.
    cycles: Option<Cycles>,
    /// How many bytes may still be written.
    left: usize,
    /// How long the pickle may become for now.
    longest: usize,
    /// The number of the next value in the memo.
    next: u32,
    /// Where the functions that every pickle needs are in the memo.
    helpers: Vec<(&'static str, u32)>,
    /// Numbers that nodes must get: pairs of a node and a number, in order.
    assigned: Vec<(u32, u32)>,
    /// Those of them that were written.
    placed: Vec<u32>,
    tasks: Vec<Task>,
}

/// Memory that writers need, to be kept from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    marks: Marks,
    path: Vec<(u32, u32)>,
    roots: Vec<u32>,
    helpers: Vec<(&'static str, u32)>,
    tasks: Vec<Task>,
}

/// Why a value cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unwritable {
    /// It is part of what it is made of, and nothing in between can be filled later.
    HoldsItself,
    /// The name of a class is no text, has line ends or empty parts in it, is longer than any, or is one that Python 3 reads
    /// as another.
    Name,
    /// It has parts that no Python object has.
    Malformed,
    /// A pickle would be far longer than what the session holds.
    TooLong,
}

/// What is still to be done, the last one first.
#[derive(Clone, Copy, Debug)]
enum Task {
    Write(u32),
    Opcode(u8),
    /// The parts of a value from the one at this place on.
    Parts(u32, u32),
    /// This opcode makes it of its parts.
    Make(u8, u32),
    /// It is made and on the stack.
    Made(u32),
    /// It is in the memo and to be filled.
    FillLater(u32),
}

impl<'a> Writer<'a> {
    /// A writer of values of this session; `next` is the first number in the memo that is free.
    pub(crate) fn new(session: &'a Session, protocol: u8, next: u32, scratch: Scratch) -> Self {
        // A small session does not keep the memory that a large one needed.
        let most = session.node_count().saturating_mul(64).saturating_add(64 << 10);
        let scratch = if scratch.allocated() > most { Scratch::default() } else { scratch };
        let Scratch { mut marks, path, roots, mut helpers, tasks } = scratch;
        marks.clear();
        helpers.clear();
        Self {
            session,
            protocol,
            marks,
            path,
            roots,
            cycles: None,
            left: most_bytes(session),
            longest: 0,
            next,
            helpers,
            assigned: Vec::new(),
            placed: Vec::new(),
            tasks,
        }
    }

    /// What another writer can use again.
    pub(crate) fn into_scratch(self) -> Scratch {
        let Self { marks, path, roots, helpers, tasks, .. } = self;
        Scratch { marks, path, roots, helpers, tasks }
    }

    /// Finds out what is referred to more than once, and what holds itself, in all values that are to be written.
    pub(crate) fn survey(&mut self, values: impl Iterator<Item = Value<'a>>) {
        self.roots.clear();
        self.roots.extend(values.map(id));
        if let [root] = *self.roots
            && !self.session.by_id(root as usize).has_parts()
        {
            return;
        }
        self.marks.size(self.session.node_count());
        if self.marks.survey(self.session, &self.roots, &mut self.path) {
            self.cycles = Some(Cycles::of(self.session, &self.roots, &self.marks));
        }
        // What was as deep as few sessions are needs memory of the same size again.
        if self.path.capacity() > DEEP {
            self.path = Vec::new();
        }
    }

    /// Says that a value is in the memo already.
    pub(crate) fn known(&mut self, value: Value<'_>, number: u32) {
        self.marks.size(self.session.node_count());
        self.marks.number(id(value), number);
    }

    /// Says which numbers nodes must get in the memo when they are written: pairs of an id and a number.
    pub(crate) fn assign(&mut self, mut numbers: Vec<(u32, u32)>) {
        numbers.sort_unstable();
        self.assigned = numbers;
    }

    /// The assigned numbers that were written since this was last asked.
    pub(crate) fn placed(&mut self) -> impl Iterator<Item = u32> {
        std::mem::take(&mut self.placed).into_iter()
    }

    /// The first number in the memo that is free now.
    pub(crate) const fn next(&self) -> u32 {
        self.next
    }

    /// Goes on with a larger number: others write into the same pickle.
    pub(crate) const fn go_on_from(&mut self, next: u32) {
        self.next = next;
    }

    /// Appends what leaves a value on the stack.
    ///
    /// # Errors
    ///
    /// Where no pickle can make it; `out` has half of it then.
    pub(crate) fn write(&mut self, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        let start = out.len();
        self.longest = start.saturating_add(self.left);
        self.write_all(id(value), &mut Opcodes(out))?;
        self.left = self.left.saturating_sub(out.len().saturating_sub(start));
        Ok(())
    }

    fn write_all(&mut self, id: u32, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        self.tasks.clear();
        self.begin(id, out)?;
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Write(id) => self.begin(id, out)?,
                Task::Opcode(opcode) => out.byte(opcode),
                Task::Parts(id, at) => self.parts(id, at, out)?,
                Task::Make(opcode, id) => {
                    out.byte(opcode);
                    self.made(id, out);
                }
                Task::Made(id) => self.made(id, out),
                Task::FillLater(id) => {
                    self.get(id, out);
                    self.tasks.push(Task::Opcode(b'0'));
                    self.fill(id, &self.session.by_id(id as usize).raw_kind(), out)?;
                }
            }
        }
        Ok(())
    }

    /// Appends what leaves a key on the stack.
    pub(crate) fn write_key(key: &str, out: &mut Vec<u8>) {
        Opcodes(out).text(key.as_bytes());
    }

    /// Writes a dict with these contents and leaves it on the stack; the error comes with the key of the value.
    pub(crate) fn write_root(&mut self, out: &mut Vec<u8>) -> Result<(), (Option<&'a str>, Unwritable)> {
        let session = self.session;
        let root = id(session.root());
        out.push(b'}');
        if self.marks.is_shared(root) {
            self.put(root, &mut Opcodes(out));
        }
        if session.is_empty() {
            return Ok(());
        }
        out.push(b'(');
        for (key, value) in session {
            for part in [key, value] {
                self.write(part, out).map_err(|reason| (key.as_str(), reason))?;
            }
        }
        out.push(b'u');
        Ok(())
    }

    /// Begins to write a node: all of it, where it has no parts.
    #[inline]
    fn begin(&mut self, id: u32, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        if self.simple(id, out)? { Ok(()) } else { self.compound(id, out) }
    }

    /// Writes a node that has no parts or is in the memo; `false` for any other.
    #[inline]
    fn simple(&mut self, id: u32, out: &mut Opcodes<'_>) -> Result<bool, Unwritable> {
        if let Some(number) = self.marks.numbered(id) {
            out.get(number);
            return Ok(true);
        }
        let value = self.session.by_id(id as usize);
        if value.has_parts() { Ok(false) } else { self.leaf(id, value, out).map(|()| true) }
    }

    /// Writes a node that has no parts. Not inlined: most calls of `simple` need none of its many registers.
    #[inline(never)]
    fn leaf(&mut self, id: u32, value: Value<'_>, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        // Atoms are as short as a reference to them.
        let mut is_atom = false;
        match value.raw_kind() {
            atom @ (Kind::None | Kind::Bool(_) | Kind::Int(_) | Kind::Float(_)) => {
                is_atom = true;
                match atom {
                    Kind::Bool(value) => out.byte(if value { 0x88 } else { 0x89 }),
                    Kind::Int(value) => out.int(value),
                    Kind::Float(value) => out.float(value),
                    _ => out.byte(b'N'),
                }
            }
            Kind::Str(text) => out.text(text.as_bytes()),
            Kind::BigInt(value) => out.long(value.le_bytes()),
            Kind::SurrogateStr(text) => out.text(text),
            Kind::Python2Str(bytes) => out.python2_str(bytes),
            Kind::Bytes(bytes) => self.bytes(bytes, out),
            Kind::ByteArray(bytes) => self.byte_array(bytes, out),
            Kind::Global(global) => self.global(&global, out)?,
            _ => return Ok(()),
        }
        // All else takes a few bytes for each node, and for each reference to one.
        if out.0.len() > self.longest {
            return Err(Unwritable::TooLong);
        }
        if self.marks.is_shared(id) && !is_atom || self.is_assigned(id) {
            self.put(id, out);
        }
        Ok(())
    }

    /// Begins to write a container or an object.
    fn compound(&mut self, id: u32, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        if self.marks.is_open(id) {
            return Err(Unwritable::HoldsItself);
        }
        let value = self.session.by_id(id as usize);
        if let Some(object) = value.as_object() {
            return self.object(id, &object, out);
        }
        self.container(id, value, out)
    }

    /// Goes on with the parts of a container.
    fn parts(&mut self, id: u32, mut at: u32, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        let parts = self.session.by_id(id as usize).part_ids();
        while let Some(part) = parts.get(at as usize) {
            let part = small(part.index());
            at = at.saturating_add(1);
            if !self.simple(part, out)? {
                // Nothing is left to do after the last one, however deep it goes.
                if (at as usize) < parts.len() {
                    self.tasks.push(Task::Parts(id, at));
                }
                return self.compound(part, out);
            }
        }
        Ok(())
    }

    /// What could not be filled while this was made is filled now, and then this.
    fn made(&mut self, id: u32, out: &mut Opcodes<'_>) {
        self.marks.close(id);
        let filled_later = self.cycles.as_mut().map(|cycles| cycles.close(id));
        if let Some(object) = self.session.by_id(id as usize).as_object() {
            // An object whose own parts lead back to it is in the memo before they are written.
            if !self.is_kept_empty(id, true, out) {
                self.fill_object(&object);
            }
        } else if self.marks.is_shared(id) || self.is_assigned(id) {
            self.put(id, out);
        }
        if let Some(filled_later) = filled_later {
            self.tasks.extend(filled_later.into_iter().rev().map(Task::FillLater));
        }
    }

    fn open(&mut self, id: u32) {
        self.marks.open(id);
        if let Some(cycles) = &mut self.cycles {
            cycles.open(id);
        }
    }

    fn is_assigned(&self, id: u32) -> bool {
        !self.assigned.is_empty() && self.assigned.binary_search_by_key(&id, |(id, _)| *id).is_ok()
    }

    /// Puts the top of the stack into the memo.
    fn put(&mut self, id: u32, out: &mut Opcodes<'_>) {
        let from = self.assigned.partition_point(|(assigned, _)| *assigned < id);
        let numbers = self.assigned.get(from..).unwrap_or_default().iter().take_while(|(assigned, _)| *assigned == id);
        let mut last = None;
        for (_, number) in numbers {
            out.put(*number);
            self.placed.push(*number);
            last = Some(*number);
        }
        let number = last.unwrap_or_else(|| {
            let number = self.next;
            out.put(number);
            self.next = self.next.saturating_add(1);
            number
        });
        self.marks.number(id, number);
    }

    fn get(&self, id: u32, out: &mut Opcodes<'_>) {
        if let Some(number) = self.marks.numbered(id) {
            out.get(number);
        }
    }
}

/// Nothing that people nest is as deep.
const DEEP: usize = 1000;

/// How long a pickle of a session may become.
///
/// Nodes may have names and text in common, which the opcodes for them repeat: a payload of a megabyte could become one of
/// many gigabytes. What Python writes has every text once, bytes as twice as much text at most, some bytes for each node
/// and five for a reference.
const fn most_bytes(session: &Session) -> usize {
    let nodes = session.node_count().saturating_mul(16);
    let references = session.reference_count().saturating_mul(5);
    let contents = session.content_len().saturating_mul(3);
    nodes.saturating_add(references).saturating_add(contents).saturating_add(64 << 10)
}

/// As a node is told apart here.
fn id(value: Value<'_>) -> u32 {
    small(value.id())
}

fn small(id: usize) -> u32 {
    u32::try_from(id).unwrap_or(u32::MAX)
}

impl Scratch {
    const fn allocated(&self) -> usize {
        let pairs = self.path.capacity().saturating_add(self.helpers.capacity()).saturating_mul(24);
        let tasks = self.tasks.capacity().saturating_mul(size_of::<Task>());
        let roots = self.roots.capacity().saturating_mul(size_of::<u32>());
        pairs.saturating_add(tasks).saturating_add(roots).saturating_add(self.marks.allocated())
    }
}
