//! Objects of classes that only Python knows, as the pickle tells of them.

use beakerhelpers_core::Value;
use beakerhelpers_core::value::{Form, Items, Kind, Object, Pairs};

use super::name::{Name, has_more};
use super::sink::{Put, Sink};

/// The name of the type that `type(value)` is, of the three values that are written so.
pub(super) fn type_of(object: &Object<'_>) -> Option<&'static str> {
    if object.form() != Form::Call || object.class()?.python3_name() != ("builtins", "type") || has_more(object) {
        return None;
    }
    let mut args = object.args();
    let name = match (args.next()?.kind(), args.is_empty()) {
        (Kind::None, true) => "NoneType",
        (Kind::Global(global), true) => match global.python3_name() {
            ("builtins", "Ellipsis") => "ellipsis",
            ("builtins", "NotImplemented") => "NotImplementedType",
            _ => return None,
        },
        _ => return None,
    };
    Some(name)
}

/// Class and text of a string that is marked as safe HTML. All of these print as the string that they are.
pub(super) fn markup<'a>(object: &Object<'a>) -> Option<(&'static str, Value<'a>)> {
    let class = object.class()?;
    let class = match (class.module(), class.name()) {
        ("markupsafe", "Markup") => "Markup",
        ("webhelpers.html.builder" | "webhelpers2.html.builder", "literal") => "literal",
        _ => return None,
    };
    let mut args = Shape::of(object, Extent::Call).args;
    match (args.next()?, args.is_empty()) {
        (text, true) if matches!(text.kind(), Kind::Str(_) | Kind::SurrogateStr(_)) => Some((class, text)),
        _ => None,
    }
}

/// How much of an object is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Class and arguments.
    Call,
    /// All that the pickle says.
    All,
}

/// An object as it is printed: part by part, so that parts may hold objects in turn.
pub(super) struct Shape<'a> {
    name: Option<Name<'a>>,
    /// What is called, where it has no name.
    callable: Option<Value<'a>>,
    args: Items<'a>,
    /// What the arguments come from, where they are unknown.
    starred: Option<Value<'a>>,
    keywords: Option<Value<'a>>,
    state: Option<Value<'a>>,
    items: Option<Items<'a>>,
    pairs: Option<Pairs<'a>>,
}

impl<'a> Shape<'a> {
    pub(super) fn of(object: &Object<'a>, extent: Extent) -> Self {
        let (class, args, keywords) = call(object);
        let name = class.and_then(Name::of);
        let keywords = keywords.filter(|keywords| !matches!(keywords.kind(), Kind::Dict(pairs) if pairs.is_empty()));
        let all = extent == Extent::All;
        Self {
            callable: class.filter(|_| name.is_none()),
            name,
            args,
            starred: object.args_tuple().filter(|args| !matches!(args.kind(), Kind::Tuple(_))),
            keywords,
            state: object.state().filter(|_| all),
            items: Some(object.items()).filter(|items| all && !items.is_empty()),
            pairs: Some(object.pairs()).filter(|pairs| all && !pairs.is_empty()),
        }
    }

    fn is_called(&self) -> bool {
        !self.args.is_empty()
            || self.starred.is_some()
            || self.keywords.is_some()
            || self.callable.is_some()
            || self.name.as_ref().is_some_and(Name::is_exception)
    }

    fn has_more(&self) -> bool {
        self.state.is_some() || self.items.is_some() || self.pairs.is_some()
    }

    /// Prints what is before the first part; all of it, and `true`, where it has no parts.
    pub(super) fn open(&self, form: Form, out: &mut Sink<'_>) -> Put<bool> {
        let called = self.is_called();
        if self.has_more() || !called {
            out.put("<")?;
        }
        match (&self.name, form) {
            (Some(name), _) => name.put(out)?,
            (None, Form::Persistent) => out.put("persistent")?,
            (None, Form::Extension) => out.put("registered")?,
            (None, _) if self.callable.is_some() => return Ok(false),
            (None, _) => out.put("unknown")?,
        }
        out.put(if called { "(" } else { " object" })?;
        if !called && !self.has_more() {
            out.put(">")?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Prints an object that is a part of itself.
    pub(super) fn put_again(&self, out: &mut Sink<'_>) -> Put {
        let called = self.is_called();
        out.put(if called { "" } else { "<" })?;
        self.name.as_ref().map_or(Ok(()), |name| name.put(out))?;
        out.put(if called { "(...)" } else { " object ...>" })
    }

    /// The part at a place, and the two texts that stand before it.
    pub(super) fn part(&self, place: usize) -> Option<([&'static str; 2], Value<'a>)> {
        let mut place = place;
        let mut within = |len: usize| {
            let here = place < len;
            if !here {
                place = place.saturating_sub(len);
            }
            here.then_some(place)
        };
        if let Some(callable) = self.callable
            && within(1).is_some()
        {
            return Some((["", ""], callable));
        }
        let open = if self.callable.is_some() { "(" } else { "" };
        if let Some(at) = within(self.args.len()) {
            return Some(([if at == 0 { open } else { "" }, if at == 0 { "" } else { ", " }], self.args.get(at)?));
        }
        if let Some(starred) = self.starred
            && within(1).is_some()
        {
            return Some(([open, "*"], starred));
        }
        let has_args = !self.args.is_empty() || self.starred.is_some();
        if let Some(keywords) = self.keywords
            && within(1).is_some()
        {
            return Some((if has_args { [", ", "**"] } else { [open, "**"] }, keywords));
        }
        let closed = if self.is_called() { self.close_call() } else { "" };
        if let Some(state) = self.state
            && within(1).is_some()
        {
            return Some(([closed, " state="], state));
        }
        let closed = if self.state.is_some() { "" } else { closed };
        if let Some(items) = &self.items
            && let Some(at) = within(items.len())
        {
            return Some((if at == 0 { [closed, " items=["] } else { ["", ", "] }, items.get(at)?));
        }
        let closed = if self.items.is_some() { "]" } else { closed };
        let pairs = self.pairs.as_ref()?;
        let (key, value) = pairs.get(place / 2)?;
        Some(match place {
            0 => ([closed, " pairs={"], key),
            place if place.is_multiple_of(2) => (["", ", "], key),
            _ => (["", ": "], value),
        })
    }

    /// The end of the call; with its beginning, where no argument was there to bring that.
    fn close_call(&self) -> &'static str {
        let empty = self.args.is_empty() && self.starred.is_none() && self.keywords.is_none();
        if empty && self.callable.is_some() { "()" } else { ")" }
    }

    /// What stands behind the last part.
    pub(super) fn close(&self) -> &'static str {
        match (self.has_more(), &self.items, &self.pairs) {
            (false, ..) => self.close_call(),
            (true, _, Some(_)) => "}>",
            (true, Some(_), None) => "]>",
            (true, None, None) => ">",
        }
    }
}

/// Class, arguments and keywords. What helpers of `copyreg` are given is what they call the class with
/// (`Lib/copyreg.py`, 3.11).
fn call<'a>(object: &Object<'a>) -> (Option<Value<'a>>, Items<'a>, Option<Value<'a>>) {
    let (callable, mut args, keywords) = (object.callable(), object.args(), object.keywords());
    if object.callable().is_none() {
        // What an application calls by a name of its own.
        args.by_ref().for_each(drop);
        return (None, args, None);
    }
    let helper = match callable.map(Value::kind) {
        Some(Kind::Global(global))
            if matches!(global.module(), "copyreg" | "copy_reg")
                && args.get(0).is_some_and(|class| Name::of(class).is_some()) =>
        {
            global.python3_name()
        }
        _ => ("", ""),
    };
    match (helper, args.len()) {
        (("copyreg", "_reconstructor"), 3) => {
            let (class, base) = (args.next(), args.next());
            let base = match base.map(Value::kind) {
                Some(Kind::Global(base)) => base.python3_name(),
                _ => ("", ""),
            };
            match (base, args.get(0).map(Value::kind)) {
                (("builtins", "object"), Some(Kind::None)) => {
                    args.next();
                    (class, args, None)
                }
                // Most are namedtuples, which later protocols call with what is in them.
                (("builtins", "tuple"), Some(Kind::Tuple(inner))) => (class, inner, None),
                _ => (class, args, None),
            }
        }
        (("copyreg", "__newobj__"), _) => (args.next(), args, keywords),
        (("copyreg", "__newobj_ex__"), 3) => match args.get(1).map(Value::kind) {
            Some(Kind::Tuple(inner)) => (args.get(0), inner, args.get(2)),
            _ => (callable, args, keywords),
        },
        _ => (callable, args, keywords),
    }
}
