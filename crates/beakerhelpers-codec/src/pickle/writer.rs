//! Values in, opcodes out. What is referred to more than once goes through the memo; nothing calls itself.

mod cycles;
mod helpers;
mod opcodes;
mod survey;

use beakerhelpers_core::Session;
use beakerhelpers_core::value::{Form, Kind, Object, Value};

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
    /// The name of a class is no text, has line ends in it, or is longer than any.
    Name,
    /// It has parts that no Python object has.
    Malformed,
}

/// What is still to be done, the last one first.
#[derive(Clone, Copy, Debug)]
enum Task {
    Write(u32),
    Opcode(u8),
    /// The parts of a value from the one at this place on.
    Parts(u32, u32),
    /// It is made and on the stack.
    Made(u32),
    /// It is on the stack and to be filled.
    Fill(u32),
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
        let mut out = Opcodes(out);
        self.tasks.clear();
        self.begin(id(value), &mut out)?;
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Write(id) => self.begin(id, &mut out)?,
                Task::Opcode(opcode) => out.byte(opcode),
                Task::Parts(id, at) => self.parts(id, at, &mut out)?,
                Task::Made(id) => self.made(id, &mut out),
                Task::Fill(id) => self.fill(id, &mut out)?,
                Task::FillLater(id) => {
                    self.get(id, &mut out);
                    self.tasks.push(Task::Opcode(b'0'));
                    self.fill(id, &mut out)?;
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
        // Atoms are as short as a reference to them.
        let mut is_atom = false;
        match self.session.by_id(id as usize).raw_kind() {
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
            _ => return Ok(false),
        }
        if self.marks.is_shared(id) && !is_atom || self.is_assigned(id) {
            self.put(id, out);
        }
        Ok(true)
    }

    /// Begins to write a container or an object.
    fn compound(&mut self, id: u32, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        if self.marks.is_open(id) {
            return Err(Unwritable::HoldsItself);
        }
        let value = self.session.by_id(id as usize);
        if let Kind::Object(object) = value.raw_kind() {
            return self.object(id, &object, out);
        }
        self.container(id, value, out)
    }

    /// Begins to write a container. What can be filled is made empty; the others need their items first.
    fn container(&mut self, id: u32, value: Value<'_>, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        let close = match value.raw_kind() {
            Kind::List(_) => return self.empty(id, b']', out),
            Kind::Dict(_) => return self.empty(id, b'}', out),
            Kind::Set(_) if self.protocol >= 4 => return self.empty(id, 0x8f, out),
            Kind::Set(items) => {
                self.set("set", id, items.len(), out);
                return Ok(());
            }
            Kind::FrozenSet(items) if self.protocol < 4 => {
                self.set("frozenset", id, items.len(), out);
                return Ok(());
            }
            Kind::FrozenSet(_) => 0x91,
            Kind::Tuple(items) => match items.len() {
                0 => {
                    out.byte(b')');
                    return Ok(());
                }
                1 => 0x85,
                2 => 0x86,
                3 => 0x87,
                _ => b't',
            },
            _ => return Ok(()),
        };
        if matches!(close, 0x91 | b't') {
            out.byte(b'(');
        }
        let at = self.simple_parts(id, out)?;
        let parts = value.part_ids();
        if at as usize >= parts.len() {
            // Nothing in it can lead back to it.
            out.byte(close);
            if self.marks.is_shared(id) || self.is_assigned(id) {
                self.put(id, out);
            }
            return Ok(());
        }
        self.open(id);
        self.tasks.extend([Task::Made(id), Task::Opcode(close), Task::Parts(id, at)]);
        Ok(())
    }

    /// Writes the first parts of a container, up to one that has parts itself, and tells where that is.
    fn simple_parts(&mut self, id: u32, out: &mut Opcodes<'_>) -> Result<u32, Unwritable> {
        let mut at = 0_u32;
        for part in self.session.by_id(id as usize).part_ids() {
            if !self.simple(small(part.index()), out)? {
                break;
            }
            at = at.saturating_add(1);
        }
        Ok(at)
    }

    /// Writes an empty container.
    fn empty(&mut self, id: u32, make: u8, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        out.byte(make);
        if self.is_kept_empty(id, false, out) { Ok(()) } else { self.fill(id, out) }
    }

    /// What is on the stack is there to be filled; `true` where that has to wait for what it is needed for.
    fn is_kept_empty(&mut self, id: u32, is_object: bool, out: &mut Opcodes<'_>) -> bool {
        let later = self.cycles.as_mut().is_some_and(|cycles| cycles.defer(id, is_object));
        if later || self.marks.is_shared(id) || self.is_assigned(id) {
            self.put(id, out);
        }
        later
    }

    /// Writes what is made of a list: `set([…])`.
    fn set(&mut self, class: &'static str, id: u32, len: usize, out: &mut Opcodes<'_>) {
        self.open(id);
        self.builtin(class, out);
        out.byte(b']');
        self.tasks.extend([Task::Made(id), Task::Opcode(b'R'), Task::Opcode(0x85)]);
        if len > 0 {
            out.byte(b'(');
            self.tasks.extend([Task::Opcode(b'e'), Task::Parts(id, 0)]);
        }
    }

    fn object(&mut self, id: u32, object: &Object<'_>, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        let place = |value: Option<Value<'_>>| value.map(self::id).ok_or(Unwritable::Malformed);
        self.open(id);
        self.tasks.push(Task::Made(id));
        match object.form() {
            Form::Call => self.call(&[place(object.callable())?, place(object.args_tuple())?], b'R'),
            Form::New => {
                let (class, args) = (place(object.callable())?, place(object.args_tuple())?);
                match object.keywords().map(self::id) {
                    None => self.call(&[class, args], 0x81),
                    Some(keywords) if self.protocol >= 4 => self.call(&[class, args, keywords], 0x92),
                    Some(keywords) => {
                        // As a function this is in Python 3 only, but so are classes that need it.
                        self.helper("copyreg", "__newobj_ex__", out);
                        self.tasks.push(Task::Opcode(b'R'));
                        self.call(&[class, args, keywords], 0x87);
                    }
                }
            }
            Form::Instance => {
                out.byte(b'(');
                let args = place(object.args_tuple())?;
                self.tasks.extend([Task::Opcode(b'o'), Task::Parts(args, 0), Task::Write(place(object.callable())?)]);
            }
            Form::Persistent => {
                self.call(&[place(object.args().next())?], b'Q');
            }
            Form::Extension => {
                let code = object.args().next().and_then(Value::as_i64).and_then(|code| i32::try_from(code).ok());
                out.extension(code.filter(|code| *code > 0).ok_or(Unwritable::Malformed)?);
            }
            _ => return Err(Unwritable::Malformed),
        }
        Ok(())
    }

    fn call(&mut self, parts: &[u32], opcode: u8) {
        self.tasks.push(Task::Opcode(opcode));
        self.tasks.extend(parts.iter().rev().map(|part| Task::Write(*part)));
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
        let filled_later = self.cycles.as_mut().map(|cycles| cycles.close(id)).unwrap_or_default();
        let is_object = matches!(self.session.by_id(id as usize).raw_kind(), Kind::Object(_));
        if is_object {
            // An object whose own parts lead back to it is in the memo before they are written.
            if !self.is_kept_empty(id, true, out) {
                self.tasks.push(Task::Fill(id));
            }
        } else if self.marks.is_shared(id) || self.is_assigned(id) {
            self.put(id, out);
        }
        self.tasks.extend(filled_later.into_iter().rev().map(Task::FillLater));
    }

    /// Fills what is on the stack.
    fn fill(&mut self, id: u32, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        let value = self.session.by_id(id as usize);
        match value.raw_kind() {
            Kind::List(items) => self.add(id, items.len(), [b'a', b'e'], out),
            Kind::Set(items) => self.add(id, items.len(), [0x90; 2], out),
            Kind::Dict(pairs) => self.add(id, pairs.len(), [b's', b'u'], out),
            Kind::Object(object) => {
                // The order of CPython's `save_reduce`: items, pairs, state; the last to be done comes first here.
                if let Some(state) = object.state() {
                    self.tasks.extend([Task::Opcode(b'b'), Task::Write(self::id(state))]);
                }
                self.fill_object(&object);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn fill_object(&mut self, object: &Object<'_>) {
        let pairs = object.pairs();
        if !pairs.is_empty() {
            self.tasks.push(Task::Opcode(if pairs.len() > 1 { b'u' } else { b's' }));
            for (key, value) in (0..pairs.len()).rev().filter_map(|index| pairs.get(index)) {
                self.tasks.extend([Task::Write(id(value)), Task::Write(id(key))]);
            }
            self.tasks.extend((pairs.len() > 1).then_some(Task::Opcode(b'(')));
        }
        let items = object.items();
        if !items.is_empty() {
            // Only a set's own items are added as to a set; anything else has a method `append` or `extend`.
            let is_set = object
                .callable()
                .is_some_and(|class| matches!(class.raw_kind(), Kind::Global(class) if class.name() == "set"));
            let close = if is_set { 0x90 } else { b'e' };
            let one = items.len() == 1 && !is_set;
            self.tasks.push(Task::Opcode(if one { b'a' } else { close }));
            self.tasks.extend((0..items.len()).rev().filter_map(|index| items.get(index)).map(id).map(Task::Write));
            self.tasks.extend((!one).then_some(Task::Opcode(b'(')));
        }
    }

    /// Adds the parts of a container to it: one of them, or several.
    fn add(&mut self, id: u32, len: usize, [one, several]: [u8; 2], out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        if len == 0 {
            return Ok(());
        }
        if len > 1 || one == several {
            out.byte(b'(');
        }
        let close = if len > 1 { several } else { one };
        let at = self.simple_parts(id, out)?;
        if (at as usize) < self.session.by_id(id as usize).part_ids().len() {
            self.tasks.extend([Task::Opcode(close), Task::Parts(id, at)]);
        } else {
            out.byte(close);
        }
        Ok(())
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

/// A part of a value, in the order in which they are written: items, or keys and values by turns.
fn part(value: Value<'_>, at: u32) -> Option<Value<'_>> {
    let at = at as usize;
    match value.raw_kind() {
        Kind::List(items) | Kind::Tuple(items) | Kind::Set(items) | Kind::FrozenSet(items) => items.get(at),
        Kind::Dict(pairs) => pairs.get(at / 2).map(|(key, value)| if at & 1 == 0 { key } else { value }),
        _ => None,
    }
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
