//! The same session in another frame.

use beakerhelpers_core::value::Draft;
use beakerhelpers_core::{Error, Framing, Payload, Result, Session};

use super::edit;
use super::wrapping;
use crate::decoder::{damaged, is_base64};
use crate::pickle::skim::Skim;
use crate::pickle::splice::{Cut, New, load, splice};
use crate::pickle::writer::{Scratch, Writer, text_opcode};
use crate::pickle::{Care, Machine};

/// Wraps the session of a payload as another store does, and leaves the session itself as it is: text, encrypted or not,
/// is the same text, and of a session that is no text the very bytes are kept that make it, with every class and every
/// shared reference. Nothing is decrypted, and no key is needed.
///
/// What was put into the memo by position may be put there by number, and frames of the pickle, which only save a reader
/// work, may be left out or be followed by something. A payload that has the framing already is returned as it is.
///
/// # Errors
///
/// [`Corrupt`](beakerhelpers_core::ErrorKind::Corrupt) where the payload cannot be read or holds no session.
/// [`Unsupported`](beakerhelpers_core::ErrorKind::Unsupported) where something would be lost: a namespace has other keys
/// beside `session`, or its pickle is one that Python would not write; and for [`Framing::Object`], whose sessions are the
/// attributes of an object: decode and encode them.
pub fn reframe(payload: &Payload, framing: Framing) -> Result<Payload> {
    let (source, from) = (payload.bytes(), payload.framing());
    if from == framing {
        return Ok(payload.clone());
    }
    if source.is_empty() {
        return Err(Error::corrupt("there are no data"));
    }
    let bytes = match (from, framing) {
        (Framing::Namespace, Framing::Value) => of_namespace(source)?,
        (Framing::Namespace, Framing::Text) => bare(of_namespace(source)?),
        (Framing::Value, Framing::Text) => bare(source.to_vec()),
        (Framing::Text | Framing::Value, Framing::Namespace | Framing::Value) => match (is_base64(source), framing) {
            (true, framing) => wrapped(source, framing),
            (false, Framing::Namespace) => in_namespace(source)?,
            (false, _) => source.to_vec(),
        },
        _ => {
            return Err(Error::unsupported(
                "a session that is an object's attributes has another form in other stores",
            )
            .with_hint("decode it and encode it anew"));
        }
    };
    Ok(Payload::new(framing, bytes))
}

/// Text of a session as a new pickle.
fn wrapped(text: &[u8], framing: Framing) -> Vec<u8> {
    let (before, after) = wrapping(framing);
    let mut bytes = before.to_vec();
    text_opcode(&mut bytes, text, None, b'X');
    bytes.extend_from_slice(after);
    bytes
}

/// The text that is all of a pickle, as it is; any other pickle stays one.
fn bare(pickle: Vec<u8>) -> Vec<u8> {
    match edit::lone_literal(&pickle) {
        Some((_, text)) if text.is_text() && is_base64(&text.content) && !text.content.is_empty() => {
            text.content.into_owned()
        }
        _ => pickle,
    }
}

/// The pickle of a namespace around what another pickle makes.
fn in_namespace(source: &[u8]) -> Result<Vec<u8>> {
    let mut machine = Machine::default();
    machine.run(&mut Draft::new(), source, Care::Later).map_err(|fault| damaged("data", fault))?;
    if !machine.is_done() {
        return Err(edit::irregular());
    }
    let end = machine.end();
    let stop = end.saturating_sub(1);
    let protocol = source.get(..protocol_len(source)).unwrap_or_default();
    let value = source.get(protocol.len()..stop).unwrap_or_default();
    // Behind STOP there is nothing that matters, unless a frame says that it holds it.
    let rest = source.get(end..).unwrap_or_default();
    // Neither the dict nor its key is in the memo: what is there keeps its number. If a frame ends with STOP, it ends with
    // SETITEM now.
    Ok([protocol, b"}X\x07\0\0\0session", value, b"s.", rest].concat())
}

/// The value of a namespace as a pickle of its own.
fn of_namespace(source: &[u8]) -> Result<Vec<u8>> {
    let protocol = source.get(..protocol_len(source)).unwrap_or_default();
    if let Some((before, literal)) = edit::lone_text(source) {
        let start = text_start(source, before);
        return Ok([protocol, source.get(start..literal.end).unwrap_or_default(), b"."].concat());
    }
    let mut whole = Skim::default();
    match whole.pickle(source).map_err(|halt| edit::halted("data", halt)).and_then(|()| cut_out(source, &whole)) {
        Err(edit::Failed::Irregular) => {
            edit::check_plain(source, true)?;
            anew(source, protocol)
        }
        cut => cut.map_err(edit::Failed::into_error),
    }
}

/// Cuts off all that is around the value of a namespace.
fn cut_out(source: &[u8], whole: &Skim) -> Result<Vec<u8>, edit::Failed> {
    let mut pair = [None];
    edit::find(source, whole, &whole.pairs, &["session"], &mut pair)?;
    let [Some(pair)] = pair else { return Err(edit::Failed::Other(no_session())) };
    if let Some(others @ 1..) = whole.pairs.len().checked_sub(1) {
        let keys = if others == 1 { "another key" } else { "other keys" };
        let why = format!("the namespace has {keys} beside `session`, which would be lost");
        return Err(edit::Failed::Other(Error::unsupported(why)));
    }
    let (start, end) = (pair.value.start as usize, pair.end as usize);
    // What is done around the value, and not told by it, would be lost.
    if whole.strange.iter().any(|at| !(start..end).contains(&(*at as usize))) {
        return Err(edit::Failed::Irregular);
    }
    let cuts = [(protocol_len(source), start), (end, whole.end)].map(|(from, to)| Cut { from, to, new: New::Nothing });
    let cut = splice(source, whole, &cuts, &Session::new(), &mut Scratch::default());
    cut.map_err(|trouble| edit::Failed::Other(edit::trouble(trouble)))
}

/// Writes the value of a namespace, which is [plain](edit::check_plain), anew.
fn anew(source: &[u8], protocol: &[u8]) -> Result<Vec<u8>> {
    let (namespace, _) = load(source).ok_or_else(no_session)?;
    if namespace.len() != 1 {
        return Err(Error::unsupported("the namespace has other keys beside `session`, which would be lost"));
    }
    let value = namespace.value("session").ok_or_else(no_session)?;
    let mut out = protocol.to_vec();
    let mut writer = Writer::new(&namespace, protocol.get(1).copied().unwrap_or(0), 0, Scratch::default());
    writer.survey(std::iter::once(value));
    writer.write(value, &mut out).map_err(|reason| edit::unwritable(None, reason))?;
    out.push(b'.');
    Ok(out)
}

fn no_session() -> Error {
    Error::corrupt("the data hold no session")
}

/// How many bytes tell the protocol.
fn protocol_len(source: &[u8]) -> usize {
    if source.first() == Some(&0x80) { 2 } else { 0 }
}

/// Where the [only text](edit::lone_text) of a namespace begins.
fn text_start(source: &[u8], [protocol, namespace]: [&[u8]; 2]) -> usize {
    let frame = if source.get(protocol.len()) == Some(&0x95) { 9 } else { 0 };
    protocol.len().saturating_add(frame).saturating_add(namespace.len())
}
