//! Lists, tuples, sets and dicts.

use beakerhelpers_core::value::{Kind, Value};

use super::opcodes::Opcodes;
use super::{Task, Unwritable, Writer, small};

impl Writer<'_> {
    /// Begins to write a container. What can be filled is made empty; the others need their items first.
    pub(super) fn container(&mut self, id: u32, value: Value<'_>, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        let kind = value.raw_kind();
        let close = match &kind {
            Kind::List(_) => return self.empty(id, b']', &kind, out),
            Kind::Dict(_) => return self.empty(id, b'}', &kind, out),
            Kind::Set(_) if self.protocol >= 4 => return self.empty(id, 0x8f, &kind, out),
            Kind::Set(_) => return self.set("set", id, out),
            Kind::FrozenSet(_) if self.protocol < 4 => return self.set("frozenset", id, out),
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
        if let Some(rest) = self.simple_parts(id, out)? {
            self.open(id);
            self.tasks.extend([Task::Make(close, id), rest]);
            return Ok(());
        }
        // Nothing in it can lead back to it.
        out.byte(close);
        if self.marks.is_shared(id) || self.is_assigned(id) {
            self.put(id, out);
        }
        Ok(())
    }

    /// Writes the first parts of a container, up to one that has parts itself. Gives the task to write the others.
    fn simple_parts(&mut self, id: u32, out: &mut Opcodes<'_>) -> Result<Option<Task>, Unwritable> {
        for (at, part) in (0_u32..).zip(self.session.by_id(id as usize).part_ids()) {
            if !self.simple(small(part.index()), out)? {
                return Ok(Some(Task::Parts(id, at)));
            }
        }
        Ok(None)
    }

    /// Writes an empty container, and fills it where that need not wait.
    fn empty(&mut self, id: u32, make: u8, kind: &Kind<'_>, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        out.byte(make);
        if self.is_kept_empty(id, false, out) { Ok(()) } else { self.fill(id, kind, out) }
    }

    /// What is on the stack is there to be filled; `true` where that has to wait for what it is needed for.
    pub(super) fn is_kept_empty(&mut self, id: u32, is_object: bool, out: &mut Opcodes<'_>) -> bool {
        let later = self.cycles.as_mut().is_some_and(|cycles| cycles.defer(id, is_object));
        if later || self.marks.is_shared(id) || self.is_assigned(id) {
            self.put(id, out);
        }
        later
    }

    /// Writes what is made of a list: `set([…])`.
    fn set(&mut self, class: &'static str, id: u32, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        self.open(id);
        self.builtin(class, out);
        out.byte(b']');
        self.tasks.extend([Task::Make(b'R', id), Task::Opcode(0x85)]);
        self.add(id, Adding::FOR_SET, out)
    }

    /// Fills what is on the stack.
    pub(super) fn fill(&mut self, id: u32, kind: &Kind<'_>, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        match kind {
            Kind::List(_) => self.add(id, Adding::TO_LIST, out),
            Kind::Set(_) => self.add(id, Adding::TO_SET, out),
            Kind::Dict(_) => self.add(id, Adding::TO_DICT, out),
            Kind::Object(object) => {
                self.fill_object(object);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Adds the parts of a container to what is on the stack.
    fn add(&mut self, id: u32, adding: Adding, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        let Some((has_mark, close)) = adding.opcodes(self.session.by_id(id as usize).part_ids().len()) else {
            return Ok(());
        };
        if has_mark {
            out.byte(b'(');
        }
        match self.simple_parts(id, out)? {
            None => out.byte(close),
            Some(rest) => self.tasks.extend([Task::Opcode(close), rest]),
        }
        Ok(())
    }
}

/// How parts are added to what is on the stack.
#[derive(Clone, Copy, Debug)]
pub(super) struct Adding {
    /// The opcode for one alone, and how many parts that is: a pair is two.
    one: Option<(u8, usize)>,
    /// The opcode for what is on the stack from a mark on.
    several: u8,
}

impl Adding {
    pub(super) const TO_LIST: Self = Self { one: Some((b'a', 1)), several: b'e' };
    pub(super) const TO_DICT: Self = Self { one: Some((b's', 2)), several: b'u' };
    pub(super) const TO_SET: Self = Self { one: None, several: 0x90 };
    /// To the list of which a set is made: there is no need to tell one alone.
    const FOR_SET: Self = Self { one: None, several: b'e' };

    /// Whether so many parts need a mark before them, and the opcode that follows them; `None` where there are none.
    pub(super) fn opcodes(self, parts: usize) -> Option<(bool, u8)> {
        match self.one {
            _ if parts == 0 => None,
            Some((one, len)) if parts == len => Some((false, one)),
            _ => Some((true, self.several)),
        }
    }
}
