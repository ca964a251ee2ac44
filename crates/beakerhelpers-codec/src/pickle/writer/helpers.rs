//! Classes, and what is made by calling one.

use beakerhelpers_core::value::Global;

use super::opcodes::Opcodes;
use super::{Unwritable, Writer};
use crate::text::name::{DEEPEST_NAME, is_name};

/// The latin-1 text that bytes are written as up to protocol 2.
const LATIN1: &str = "latin1";

/// No module or class has so long a name, in bytes.
const MAX_NAME: usize = 500;

impl Writer<'_> {
    pub(super) fn global(&mut self, global: &Global<'_>, out: &mut Opcodes<'_>) -> Result<(), Unwritable> {
        if global.module.as_str().is_none() || global.name.as_str().is_none() {
            return Err(Unwritable::Name);
        }
        let (module, name) = global.python3_name();
        // Names are written wherever they occur: a long one that many classes share would be too much.
        if module.len().max(name.len()) > MAX_NAME {
            return Err(Unwritable::Name);
        }
        let (first, inner) = global.parts();
        if self.protocol >= 4 {
            // Python would look for `Inner` in `Outer`, and this is one name with a dot in it.
            if inner.is_none() && name.contains('.') {
                return Err(Unwritable::Name);
            }
            out.text(module.as_bytes());
            out.text(name.as_bytes());
            out.byte(0x93);
            return Ok(());
        }
        let (module, first) = match inner {
            _ if self.protocol < 3 => global.python2_name().ok_or(Unwritable::Name)?,
            Some(_) => (module, first),
            None => (module, name),
        };
        if module.contains('\n') || first.contains('\n') {
            return Err(Unwritable::Name);
        }
        // Before protocol 4 `Outer.Inner` is `getattr(Outer, 'Inner')`.
        let inner: Vec<&str> = inner.map(|inner| inner.split('.').collect()).unwrap_or_default();
        if !inner.is_empty()
            && (first.is_empty() || inner.len() > DEEPEST_NAME || !inner.iter().all(|part| is_name(part)))
        {
            return Err(Unwritable::Name);
        }
        for _ in &inner {
            self.builtin("getattr", out);
        }
        out.global(module, first);
        for attribute in inner {
            out.text(attribute.as_bytes());
            out.byte(0x86);
            out.byte(b'R');
        }
        Ok(())
    }

    pub(super) fn bytes(&mut self, bytes: &[u8], out: &mut Opcodes<'_>) {
        if self.protocol >= 3 {
            out.bytes(bytes);
        } else if bytes.is_empty() {
            self.builtin("bytes", out);
            out.byte(b')');
            out.byte(b'R');
        } else {
            self.helper("_codecs", "encode", out);
            out.latin1(bytes);
            self.latin1(out);
            out.byte(0x86);
            out.byte(b'R');
        }
    }

    pub(super) fn byte_array(&mut self, bytes: &[u8], out: &mut Opcodes<'_>) {
        self.builtin("bytearray", out);
        if bytes.is_empty() {
            out.byte(b')');
        } else if self.protocol >= 3 {
            out.bytes(bytes);
            out.byte(0x85);
        } else {
            out.latin1(bytes);
            self.latin1(out);
            out.byte(0x86);
        }
        out.byte(b'R');
    }

    /// The name of the encoding.
    fn latin1(&mut self, out: &mut Opcodes<'_>) {
        if let Some(number) = self.kept(LATIN1) {
            return out.get(number);
        }
        out.text(LATIN1.as_bytes());
        self.keep(LATIN1, out);
    }

    pub(super) fn builtin(&mut self, name: &'static str, out: &mut Opcodes<'_>) {
        self.helper(if self.protocol < 3 { "__builtin__" } else { "builtins" }, name, out);
    }

    /// A function that is written once and then referred to.
    pub(super) fn helper(&mut self, module: &str, name: &'static str, out: &mut Opcodes<'_>) {
        if let Some(number) = self.kept(name) {
            return out.get(number);
        }
        out.global(module, name);
        self.keep(name, out);
    }

    /// There are few: a search is fast.
    fn kept(&self, what: &str) -> Option<u32> {
        self.helpers.iter().find(|(kept, _)| *kept == what).map(|(_, number)| *number)
    }

    fn keep(&mut self, what: &'static str, out: &mut Opcodes<'_>) {
        out.put(self.next);
        self.helpers.push((what, self.next));
        self.next = self.next.saturating_add(1);
    }
}
