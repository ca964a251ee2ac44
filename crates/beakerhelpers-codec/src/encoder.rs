//! From a session to a payload.

mod base64;
mod edit;
mod reframe;

use std::fmt;

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD as BASE64;
use beakerhelpers_core::{Error, Framing, Payload, Result, Session};

use self::edit::Failed;
pub(crate) use self::edit::unwritable;
pub use self::reframe::reframe;
use crate::cipher::seal::seal;
use crate::decoder::is_base64;
use crate::pickle::literal::Literal;
use crate::pickle::skim::Skim;
use crate::pickle::splice::{Cut, New, splice};
use crate::pickle::writer::{Scratch, Writer, text_opcode};
use crate::settings::Serializer;
use crate::{Decoder, Settings, json};

/// How long the JSON of a session may be that is changed: what a decoder reads by default.
const LONGEST_JSON: usize = 64 << 20;

/// Encodes sessions, and keeps its memory from one to the next.
///
/// What it writes is read by every Beaker since 1.12, on Python 2 and 3: base64 of a pickle of protocol 2, or what the
/// site's [`Settings`] say. What it [updates](Encoder::update) keeps the form that it has. Nothing that a session holds is
/// ever run or imported.
#[derive(Default)]
pub struct Encoder {
    settings: Settings,
    /// Decrypts what is to be updated; made when it is needed first.
    opener: Option<Box<Decoder>>,
    /// The session's own pickle, where it is stored as base64.
    inner: Vec<u8>,
    /// What was found in the pickle that is stored, and in the session itself.
    whole: Skim,
    part: Skim,
    scratch: Scratch,
}

impl Encoder {
    /// An encoder that does not encrypt.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An encoder that knows what the site's configuration says about its sessions: with which serializer new ones are
    /// written, and how they are encrypted, if they are.
    ///
    /// Without a `crypto_type` that is AES-256-GCM, as in Beaker 1.14 where it finds `cryptography`; earlier ones, and
    /// sites without that library, use other ciphers and need `crypto_type` to be set.
    #[must_use]
    pub fn with_settings(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Encodes a whole session as a new payload.
    ///
    /// As a pickle it takes at most 80 times the memory of the payload that a session came from, and 64 KiB, and as JSON at
    /// most 64 MiB of text: a session whose values share so much that it would become far longer is an error.
    ///
    /// Objects of any class are written as the session has them. What a pickle did beside making its values, such as
    /// calling a function only for its effect, is not in a session: where there is a payload, [`Encoder::update`] it.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](beakerhelpers_core::ErrorKind::Unsupported) for values that no pickle of protocol 2, or no JSON, can
    /// have (the error names the key), for settings that do not suffice to encrypt, and for [`Framing::Object`]: only the
    /// application knows the class of its sessions.
    pub fn encode(&mut self, session: &Session, framing: Framing) -> Result<Payload> {
        if framing == Framing::Object {
            return Err(edit::no_object("made anew"));
        }
        let (before, after) = wrapping(framing);
        match self.settings.serializer() {
            Some(Serializer::Json) => self.inner = json::write(session)?,
            Some(Serializer::Pickle) | None => self.pickle(session)?,
        }
        let bytes = match self.settings.sealing()? {
            None if framing == Framing::Text => BASE64.encode(&self.inner).into_bytes(),
            None => base64::payload(before, &self.inner, after),
            Some(how) => {
                let sealed = seal(&self.settings, how, &self.inner)?;
                if framing == Framing::Text {
                    sealed.into_bytes()
                } else {
                    let mut bytes = before.to_vec();
                    text_opcode(&mut bytes, sealed.as_bytes(), None, b'X');
                    bytes.extend_from_slice(after);
                    bytes
                }
            }
        };
        Ok(Payload::new(framing, bytes))
    }

    fn pickle(&mut self, session: &Session) -> Result<()> {
        let pickle = &mut self.inner;
        pickle.clear();
        pickle.extend_from_slice(b"\x80\x02");
        let mut writer = Writer::new(session, 2, 0, std::mem::take(&mut self.scratch));
        writer.survey(std::iter::once(session.root()));
        let written = writer.write_root(pickle);
        self.scratch = writer.into_scratch();
        pickle.push(b'.');
        written.map_err(|(key, reason)| edit::unwritable(key, reason))
    }

    /// Writes a session's [changes](Session::changes) into the payload that it was decoded from.
    ///
    /// Everything else stays as it is, byte by byte: other values of whatever class, other keys of the namespace, the
    /// form of the payload. Only what was shared with a value that is gone is written again; behind a change, what is put
    /// into the memo by position may be put there by number; and frames, which only save a reader work, are left out.
    /// Without changes the payload is returned as it is.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](beakerhelpers_core::ErrorKind::Corrupt) where the payload holds no session, or none that the keys
    /// decrypt; [`Unsupported`](beakerhelpers_core::ErrorKind::Unsupported) where a new value cannot be written (the error
    /// names its key), for encrypted sessions that the settings do not allow to decrypt, for [`Framing::Object`], and where
    /// the payload is one that Python would not write and that cannot be written anew without loss.
    pub fn update(&mut self, payload: &Payload, session: &Session) -> Result<Payload> {
        if session.changes().next().is_none() {
            return Ok(payload.clone());
        }
        let bytes = payload.bytes();
        let updated = match payload.framing() {
            Framing::Namespace => self.namespace(bytes, session)?,
            Framing::Object => return Err(edit::no_object("changed")),
            _ => self.value(bytes, session)?,
        };
        Ok(Payload::new(payload.framing(), updated))
    }

    /// The pickle of a namespace.
    fn namespace(&mut self, source: &[u8], session: &Session) -> Result<Vec<u8>> {
        if let Some((before, literal)) = edit::lone_text(source) {
            return self.around(before, &literal, source.get(literal.end..).unwrap_or_default(), session);
        }
        let mut outer = std::mem::take(&mut self.whole);
        let updated = outer
            .nested(source)
            .map_err(|halt| edit::broken("data", halt))
            .and_then(|()| self.in_namespace(source, &outer, session));
        self.whole = outer;
        updated
    }

    /// A pickle of a session that is text, between what comes before and after that.
    fn around(
        &mut self,
        before: [&[u8]; 2],
        literal: &Literal<'_>,
        after: &[u8],
        session: &Session,
    ) -> Result<Vec<u8>> {
        let text = self.text(&literal.content, session)?;
        let rest = before.iter().fold(after.len(), |len, part| len.saturating_add(part.len()));
        // An opcode and a length come on top.
        let mut out = Vec::with_capacity(text.len().saturating_add(rest).saturating_add(9));
        for part in before {
            out.extend_from_slice(part);
        }
        literal.write_like(&text, &mut out);
        out.extend_from_slice(after);
        Ok(out)
    }

    fn in_namespace(&mut self, source: &[u8], outer: &Skim, session: &Session) -> Result<Vec<u8>> {
        let mut pair = [None];
        edit::find(source, outer, &outer.pairs, &["session"], &mut pair).map_err(Failed::into_error)?;
        let [pair] = pair;
        let pair = pair.ok_or_else(|| {
            Error::corrupt("the data hold no session").with_hint("encode the session as a new payload")
        })?;
        let new = match edit::literal(source, outer, pair.value) {
            Some(literal) => {
                let text = self.text(&literal.content, session)?;
                let mut opcode = Vec::with_capacity(text.len().saturating_add(8));
                literal.write_like(&text, &mut opcode);
                New::Opcodes(opcode)
            }
            None => match edit::part(&mut self.part, source, outer, &pair, session, &mut self.scratch) {
                Err(Failed::Irregular) => {
                    edit::check_plain(source, true)?;
                    New::Root
                }
                edited => return edited.map_err(Failed::into_error),
            },
        };
        let cut = Cut { from: pair.value.start as usize, to: pair.end as usize, new };
        splice(source, outer, &[cut], session, &mut self.scratch).map_err(edit::trouble)
    }

    /// The pickle of the value alone.
    fn value(&mut self, source: &[u8], session: &Session) -> Result<Vec<u8>> {
        if is_base64(source) {
            return self.text(source, session);
        }
        match edit::lone_literal(source) {
            Some((protocol, literal)) => self.around([protocol, &[]], &literal, b".", session),
            None => edit::pickle(&mut self.part, source, "data", session, &mut self.scratch),
        }
    }

    /// The text of a session.
    fn text(&mut self, text: &[u8], session: &Session) -> Result<Vec<u8>> {
        let Self { settings, opener, inner, part, scratch, .. } = self;
        if !settings.has_keys() {
            inner.clear();
            // Anything else is encrypted, or damaged.
            if BASE64.decode_vec(text, inner).is_ok() && (json::is_zlib(inner) || matches!(**inner, [0x80, 0..=5, ..]))
            {
                let updated = serialized(part, inner, text.len(), session, scratch)?;
                return Ok(base64::again(text, inner, &updated));
            }
        }
        let opener = opener.get_or_insert_with(|| Box::new(Decoder::with_settings(settings.clone())));
        let (sealing, plain) = opener.open(text)?;
        let updated = serialized(part, plain, text.len(), session, scratch)?;
        match sealing {
            None => Ok(BASE64.encode(updated).into_bytes()),
            Some(how) => seal(settings, how, &updated).map(String::into_bytes),
        }
    }
}

/// What stands around the text of a session in a new payload.
const fn wrapping(framing: Framing) -> (&'static [u8], &'static [u8]) {
    match framing {
        Framing::Namespace => (b"\x80\x02}q\0X\x07\0\0\0sessionq\x01", b"q\x02s."),
        Framing::Text => (b"", b""),
        _ => (b"\x80\x02", b"q\0."),
    }
}

/// Writes the changes into what a serializer made.
fn serialized(
    part: &mut Skim,
    plain: &[u8],
    stored: usize,
    session: &Session,
    scratch: &mut Scratch,
) -> Result<Vec<u8>> {
    if json::is_zlib(plain) {
        return json::update(plain, json::Limits::of(stored, LONGEST_JSON), session.changes());
    }
    edit::pickle(part, plain, "session", session, scratch)
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The buffers hold what the last session held.
        f.debug_struct("Encoder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
