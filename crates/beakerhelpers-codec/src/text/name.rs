//! What classes and functions are called.

use beakerhelpers_core::Value;
use beakerhelpers_core::value::{Form, Global, Kind, Object};

use super::printable::is_printable;
use super::sink::{Put, Sink};

/// So many attributes of attributes are part of a name, and no more.
pub(crate) const DEEPEST_NAME: usize = 8;

/// What a class or function is called: a global, and attributes that `getattr` is asked for.
pub(super) struct Name<'a> {
    module: &'a str,
    global: &'a str,
    /// The last one first.
    attributes: Vec<&'a str>,
}

impl<'a> Name<'a> {
    /// The name of a global, and of what `getattr(…, 'name')` gives of one.
    pub(super) fn of(mut value: Value<'a>) -> Option<Self> {
        let mut attributes = Vec::new();
        for _ in 0..=DEEPEST_NAME {
            match value.kind() {
                Kind::Global(global) => {
                    let (module, global) = global.python3_name();
                    return Some(Self { module, global, attributes });
                }
                Kind::Object(object) => {
                    let (of, attribute) = attribute(&object)?;
                    attributes.push(attribute);
                    value = of;
                }
                _ => return None,
            }
        }
        None
    }

    /// `module.Class`, and `Class` of what is built in, as Python does.
    pub(super) fn put(&self, out: &mut Sink<'_>) -> Put {
        if self.module != "builtins" {
            out.put(self.module)?;
            out.put(".")?;
        }
        out.put(self.global)?;
        for attribute in self.attributes.iter().rev() {
            out.put(".")?;
            out.put(attribute)?;
        }
        Ok(())
    }

    /// An exception is printed with parentheses, whether it has arguments or not.
    pub(super) fn is_exception(&self) -> bool {
        const ENDS: [&str; 6] = ["Error", "Exception", "Warning", "Exit", "Interrupt", "Iteration"];
        let is_inner = !self.attributes.is_empty() || self.global.contains('.');
        self.module == "builtins" && !is_inner && ENDS.iter().any(|end| self.global.ends_with(end))
    }
}

/// Of `getattr(value, 'name')` the two arguments, where the second could stand behind a dot. Enumerations of Python 3.11
/// and nested classes are written so.
fn attribute<'a>(object: &Object<'a>) -> Option<(Value<'a>, &'a str)> {
    if object.form() != Form::Call || object.class()?.python3_name() != ("builtins", "getattr") || has_more(object) {
        return None;
    }
    let mut args = object.args();
    let (of, name) = (args.next()?, args.next()?.as_str()?);
    (is_name(name) && args.is_empty()).then_some((of, name))
}

/// Whether this could stand behind a dot.
pub(crate) fn is_name(text: &str) -> bool {
    let may_be_in_it = |char: char| match char {
        '_' => true,
        char if char.is_ascii() => char.is_ascii_alphanumeric(),
        char => is_printable(char),
    };
    !text.is_empty() && text.chars().all(may_be_in_it)
}

/// Whether more is known of an object than how it is called.
pub(super) fn has_more(object: &Object<'_>) -> bool {
    object.state().is_some() || !object.items().is_empty() || !object.pairs().is_empty()
}

/// What `getattr` of a class gives, such as a member of an enumeration.
pub(super) fn member<'a>(object: &Object<'a>) -> Option<Name<'a>> {
    let (of, attribute) = attribute(object)?;
    let mut name = Name::of(of)?;
    name.attributes.insert(0, attribute);
    Some(name)
}

/// `<class 'list'>`, `<class 'module.Name'>`, `<built-in function len>`, `Ellipsis`.
pub(super) fn global(out: &mut Sink<'_>, global: &Global<'_>) -> Put {
    match global.python3_name() {
        ("builtins", name @ ("Ellipsis" | "NotImplemented")) => out.put(name),
        ("builtins", name) if FUNCTIONS.contains(&name) => out.format(format_args!("<built-in function {name}>")),
        ("builtins", name) => out.format(format_args!("<class '{name}'>")),
        (module, name) => out.format(format_args!("<class '{module}.{name}'>")),
    }
}

/// The functions among what is built in (CPython 3.11, those that `site` adds left out).
const FUNCTIONS: [&str; 45] = [
    "__build_class__",
    "__import__",
    "abs",
    "aiter",
    "all",
    "anext",
    "any",
    "ascii",
    "bin",
    "breakpoint",
    "callable",
    "chr",
    "compile",
    "delattr",
    "dir",
    "divmod",
    "eval",
    "exec",
    "format",
    "getattr",
    "globals",
    "hasattr",
    "hash",
    "hex",
    "id",
    "input",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "locals",
    "max",
    "min",
    "next",
    "oct",
    "open",
    "ord",
    "pow",
    "print",
    "repr",
    "round",
    "setattr",
    "sorted",
    "sum",
    "vars",
];
