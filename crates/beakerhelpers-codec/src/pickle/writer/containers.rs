//! Lists, tuples, sets and dicts.

use beakerhelpers_core::value::{Kind, Value};

use super::opcodes::Opcodes;
use super::{Task, Unwritable, Writer, small};

impl Writer<'_> {
    /// Begins to write a container. What can be filled is made empty; the others need their items first.
    pub(super) fn container(&mut self, id: u32, value: Value<'_>, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
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
        self.tasks.extend([Task::Make(close, id), Task::Parts(id, at)]);
        Ok(())
    }

    /// Writes the first parts of a container, up to one that has parts itself, and tells where that is.
    pub(super) fn simple_parts(&mut self, id: u32, out: &mut Opcodes<'_>) -> Result<u32, Unwritable> {
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
    pub(super) fn empty(&mut self, id: u32, make: u8, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        out.byte(make);
        if self.is_kept_empty(id, false, out) { Ok(()) } else { self.fill(id, out) }
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
    pub(super) fn set(&mut self, class: &'static str, id: u32, len: usize, out: &mut Opcodes<'_>) {
        self.open(id);
        self.builtin(class, out);
        out.byte(b']');
        self.tasks.extend([Task::Made(id), Task::Opcode(b'R'), Task::Opcode(0x85)]);
        if len > 0 {
            out.byte(b'(');
            self.tasks.extend([Task::Opcode(b'e'), Task::Parts(id, 0)]);
        }
    }

    /// Fills what is on the stack.
    pub(super) fn fill(&mut self, id: u32, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        let value = self.session.by_id(id as usize);
        match value.raw_kind() {
            Kind::List(items) => self.add(id, items.len(), [b'a', b'e'], out),
            Kind::Set(items) => self.add(id, items.len(), [0x90; 2], out),
            Kind::Dict(pairs) => self.add(id, pairs.len(), [b's', b'u'], out),
            Kind::Object(object) => {
                // The order of CPython's `save_reduce`: items, pairs, state; the last to be done comes first here.
                if let Some(state) = object.state() {
                    self.tasks.extend([Task::Opcode(b'b'), Task::Write(super::id(state))]);
                }
                self.fill_object(&object);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Adds the parts of a container to it: one of them, or several.
    pub(super) fn add(
        &mut self,
        id: u32,
        len: usize,
        [one, several]: [u8; 2],
        out: &mut Opcodes<'_>,
    ) -> Result<(), Unwritable> {
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
}
