//! A session that is stored as text: base64 of what a serializer made, or a nonce and base64 of that, encrypted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use beakerhelpers_core::{Error, Result};

use super::{Decoder, Pass, Read, corrupt, damaged, root};
use crate::cipher::{Cipher, HEAD, NonceEnd, NonceSize, Refusal, Sealing};
use crate::json;
use crate::settings::Ciphers;

/// What the configuration allows.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Allowed {
    ciphers: Ciphers,
    nonce: Option<NonceSize>,
}

/// So often a text is decrypted whole: once where its first bytes tell the truth, and again where they do by chance.
const TRIES: usize = 4;

impl Decoder {
    pub(super) fn read_text(&mut self, text: &[u8], pass: &mut Pass<'_>) -> Result<Read> {
        // What is not encrypted begins so, pickle or JSON; so do one of 16 million nonces, and one of 64.
        let looks_plain = !self.settings.has_keys() || matches!(text, [b'g', b'A', b'J', b'9', ..] | [b'e', ..]);
        let mut plain = if looks_plain { self.read_plain(text, pass) } else { None };
        if let Some(Ok(read)) = plain {
            return Ok(read);
        }
        let end = NonceEnd::find(text);
        let mut why = None;
        if let Some(end) = end {
            match self.read_sealed(text, end, self.allowed(), pass) {
                Ok((read, sealing)) => {
                    (self.sealing, self.last_sealing) = (Some(sealing), Some(sealing));
                    return Ok(read);
                }
                Err(reason) => why = reason,
            }
        }
        if !looks_plain {
            plain = self.read_plain(text, pass);
        }
        match (plain, why, end) {
            (Some(read), ..) => read,
            (None, Some(why), _) => Err(why),
            (None, None, Some(end)) => Err(self.cannot_decrypt(text, end, pass)),
            (None, None, None) => Err(corrupt("the session is text that is not base64, or was cut")),
        }
    }

    /// Reads what is not encrypted. `None` where the text is something else.
    fn read_plain(&mut self, text: &[u8], pass: &mut Pass<'_>) -> Option<Result<Read>> {
        self.plain.clear();
        BASE64.decode_vec(text, &mut self.plain).ok()?;
        begins_a_session(&self.plain, Trust::All).then(|| self.parse(pass))
    }

    /// Decrypts and reads, in every way that is allowed, until one gives a session.
    ///
    /// Only one cipher tells whether it was the right one. For the others the session must say so: it begins like every
    /// pickled dict of Beaker or like compressed JSON, and its pickle ends where the bytes end. Of a billion sessions
    /// that are decrypted with a wrong key, less than one does that.
    ///
    /// # Errors
    ///
    /// What came nearest; `None` where nothing came near.
    fn read_sealed(
        &mut self,
        text: &[u8],
        end: NonceEnd,
        allowed: Allowed,
        pass: &mut Pass<'_>,
    ) -> Result<(Read, Sealing), Option<Error>> {
        let (mut nearest, mut tries) = (None, 0..TRIES);
        for nonce in end.sizes(allowed.nonce, self.last_sealing) {
            let Some((nonce_text, body)) = text.split_at_checked(nonce.chars()) else { continue };
            let mut head = [0; HEAD];
            let Ok(len) = BASE64.decode_slice(body.get(..HEAD / 3 * 4).unwrap_or(body), &mut head) else { continue };
            let head = head.get(..len).unwrap_or_default();
            let key = self.settings.key(nonce_text, &mut self.salt);
            for cipher in order(allowed.ciphers, self.last_sealing) {
                let first = cipher.first_block(key.as_ref(), head);
                let trust = if cipher.authenticates() { Trust::All } else { Trust::Little };
                if !begins_a_session(first.bytes(), trust) {
                    continue;
                }
                if tries.next().is_none() {
                    return Err(nearest);
                }
                self.plain.clear();
                if BASE64.decode_vec(body, &mut self.plain).is_err() {
                    continue;
                }
                let decrypted = cipher.decrypt(key.as_ref(), &mut self.plain);
                let read = match decrypted {
                    Ok(()) => self.parse(pass).and_then(|read| self.check_end(read, trust)),
                    Err(Refusal::Tag) => Err(corrupt("the session was changed or cut after it was encrypted")),
                    Err(Refusal::Shape) => continue,
                };
                // Noise may well begin like compressed JSON, with two bytes, and hardly like a pickle, with three.
                let sure = decrypted.is_ok() && cipher.authenticates();
                match read {
                    Ok(read) => return Ok((read, Sealing { cipher, nonce })),
                    Err(error) if sure || first.bytes().starts_with(&[0x80]) => {
                        nearest.get_or_insert_with(|| error.with_context("decrypted with", cipher.to_string()));
                    }
                    Err(_) => {}
                }
            }
        }
        Err(nearest)
    }

    /// Reads [`Decoder::plain`], which [`begins_a_session`].
    fn parse(&mut self, pass: &mut Pass<'_>) -> Result<Read> {
        // What surrounds the session refers to nothing, unless it is an attack: that stays to be seen.
        if !pass.draft.has_globals() {
            pass.draft.reset(pass.most);
        }
        let top = if json::is_zlib(&self.plain) {
            self.json.read(pass.draft, &self.plain, pass.limits)?
        } else {
            let read = self.machine.run(pass.draft, &self.plain, pass.care);
            read.map_err(|fault| damaged("session", fault))?
        };
        root(pass.draft, top)
    }

    /// Refuses what only chance can have made.
    fn check_end(&self, read: Read, trust: Trust) -> Result<Read> {
        let ends = json::is_zlib(&self.plain) || self.machine.end() == self.plain.len();
        if trust == Trust::All || (ends && read != Read::NotASession) {
            return Ok(read);
        }
        Err(corrupt("something follows the pickle of the session"))
    }

    fn allowed(&self) -> Allowed {
        Allowed { ciphers: self.settings.ciphers(), nonce: self.settings.nonce() }
    }

    /// Explains why text that has the form of an encrypted session gives none.
    fn cannot_decrypt(&mut self, text: &[u8], end: NonceEnd, pass: &mut Pass<'_>) -> Error {
        // Without padding in the middle it may be the base64 of anything.
        let is = if end == NonceEnd::Hidden { "seems to be" } else { "is" };
        if let Some(obstacle) = self.settings.obstacle(is) {
            return obstacle;
        }
        let any = Allowed { ciphers: Ciphers::Any, nonce: None };
        if self.allowed() != any
            && let Ok((_, Sealing { cipher, nonce })) = self.read_sealed(text, end, any, pass)
        {
            let names = self.settings.contradicted_by(cipher, nonce);
            let found = format!("{cipher} and a nonce of {} bits", nonce.bits());
            return Error::unsupported(format!("the session is encrypted with {found}, unlike {names}"))
                .with_hint(format!("the site cannot read it either; to read it here, leave out {names}"));
        }
        corrupt("the session cannot be decrypted: it was encrypted with other keys, or is damaged").with_hint(format!(
            "compare {} and {} with those of the application",
            self.settings.name("encrypt_key"),
            self.settings.name("validate_key")
        ))
    }
}

/// How sure it is that bytes are what was stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    All,
    /// They may be noise.
    Little,
}

/// Whether bytes begin as a serializer lets them begin: Beaker's pickles are of protocol 2, and hold a dict.
fn begins_a_session(plain: &[u8], trust: Trust) -> bool {
    match *plain {
        [0x80, 2, b'}', ..] => true,
        [0x80, 0..=5, ..] => trust == Trust::All,
        _ => json::is_zlib(plain),
    }
}

/// Whether bytes are characters of base64 and nothing else.
pub(crate) fn is_base64(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// The ciphers to try: the one of the session before first.
fn order(ciphers: Ciphers, before: Option<Sealing>) -> impl Iterator<Item = Cipher> {
    let before = before.map(|before| before.cipher);
    let allowed = move |cipher: &Cipher| match ciphers {
        Ciphers::Any => true,
        Ciphers::Only(only) => *cipher == only,
        Ciphers::NullOnly => *cipher == Cipher::Null,
    };
    let others = Cipher::ALL.into_iter().filter(move |cipher| Some(*cipher) != before);
    before.into_iter().chain(others).filter(allowed)
}
