//! What is made by calling something.

use beakerhelpers_core::value::{Form, Kind, NodeId, Object, Value};

use super::containers::Adding;
use super::opcodes::Opcodes;
use super::{Task, Unwritable, Writer, id, small};

impl Writer<'_> {
    pub(super) fn object(&mut self, id: u32, object: &Object<'_>, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        let place = |value: Option<Value<'_>>| value.map(super::id).ok_or(Unwritable::Malformed);
        self.open(id);
        match object.form() {
            Form::Call => {
                self.tasks.push(Task::Make(b'R', id));
                self.operands(&[place(object.callable())?, place(object.args_tuple())?], out)
            }
            Form::New => {
                let (class, args) = (place(object.callable())?, place(object.args_tuple())?);
                match object.keywords().map(super::id) {
                    None => {
                        self.tasks.push(Task::Make(0x81, id));
                        self.operands(&[class, args], out)
                    }
                    Some(keywords) if self.protocol >= 4 => {
                        self.tasks.push(Task::Make(0x92, id));
                        self.operands(&[class, args, keywords], out)
                    }
                    Some(keywords) => {
                        // As a function this is in Python 3 only, but so are classes that need it.
                        self.helper("copyreg", "__newobj_ex__", out);
                        self.tasks.extend([Task::Make(b'R', id), Task::Opcode(0x87)]);
                        self.operands(&[class, args, keywords], out)
                    }
                }
            }
            Form::Instance => {
                out.byte(b'(');
                let args = place(object.args_tuple())?;
                self.tasks.extend([Task::Make(b'o', id), Task::Parts(args, 0)]);
                self.operands(&[place(object.callable())?], out)
            }
            Form::Persistent => {
                self.tasks.push(Task::Make(b'Q', id));
                self.operands(&[place(object.args().next())?], out)
            }
            Form::Extension => {
                let code = object.args().next().and_then(Value::as_i64).and_then(|code| i32::try_from(code).ok());
                out.extension(code.filter(|code| *code > 0).ok_or(Unwritable::Malformed)?);
                self.tasks.push(Task::Made(id));
                Ok(())
            }
            _ => Err(Unwritable::Malformed),
        }
    }

    /// Writes what an opcode takes from the stack: at once, up to what has parts itself.
    fn operands(&mut self, operands: &[u32], out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        let mut rest = operands;
        while let Some((operand, others)) = rest.split_first()
            && self.simple(*operand, out)?
        {
            rest = others;
        }
        for operand in rest.iter().rev() {
            self.tasks.push(Task::Write(*operand));
        }
        Ok(())
    }

    /// Fills an object, in the order of CPython's `save_reduce`: items, pairs, state. The last to be done comes first here.
    pub(super) fn fill_object(&mut self, object: &Object<'_>) {
        if let Some(state) = object.state() {
            self.tasks.extend([Task::Opcode(b'b'), Task::Write(id(state))]);
        }
        let [.., list, dict] = object.reference_ids();
        if dict != NodeId::ABSENT {
            self.add_later(dict, Adding::TO_DICT);
        }
        if list != NodeId::ABSENT {
            self.add_later(list, Adding::to_items(object));
        }
    }

    fn add_later(&mut self, parts: NodeId, adding: Adding) {
        if let Some((has_mark, close)) = adding.opcodes(self.session.by_id(parts.index()).part_ids().len()) {
            self.tasks.extend([Task::Opcode(close), Task::Parts(small(parts.index()), 0)]);
            if has_mark {
                self.tasks.push(Task::Opcode(b'('));
            }
        }
    }
}

impl Adding {
    /// Only a set's own items are added as to a set; anything else has a method `append` or `extend`.
    fn to_items(object: &Object<'_>) -> Self {
        match object.callable().map(Value::raw_kind) {
            Some(Kind::Global(class)) if class.name() == "set" => Self::TO_SET,
            _ => Self::TO_LIST,
        }
    }
}
