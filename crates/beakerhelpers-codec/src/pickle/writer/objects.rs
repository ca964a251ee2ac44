//! What is made by calling something.

use beakerhelpers_core::value::{Form, Kind, Object, Value};

use super::opcodes::Opcodes;
use super::{Task, Unwritable, Writer, id};

impl Writer<'_> {
    pub(super) fn object(&mut self, id: u32, object: &Object<'_>, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        let place = |value: Option<Value<'_>>| value.map(super::id).ok_or(Unwritable::Malformed);
        self.open(id);
        self.tasks.push(Task::Made(id));
        match object.form() {
            Form::Call => self.call(&[place(object.callable())?, place(object.args_tuple())?], b'R'),
            Form::New => {
                let (class, args) = (place(object.callable())?, place(object.args_tuple())?);
                match object.keywords().map(super::id) {
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

    pub(super) fn fill_object(&mut self, object: &Object<'_>) {
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
}
