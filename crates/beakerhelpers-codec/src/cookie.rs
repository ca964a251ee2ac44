//! Signed cookies, and cookies in the headers of HTTP, as Beaker reads and writes them.

use std::borrow::Cow;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// So many hex digits come before what is signed.
const SIGNATURE: usize = 40;

/// The name of the cookie where `key` is not set (`beaker/middleware.py`, 1.14.1).
pub const DEFAULT_NAME: &str = "beaker.session.id";

/// What a site's cookies are signed with: `validate_key` where the cookie is the session, `secret` where it names one in a
/// store.
///
/// A signed value is the HMAC-SHA1 of the value as 40 lower-case hex digits, and then the value
/// (`beaker/session.py`, `SignedCookie`, 1.14.1; the same since 1.2).
#[derive(Clone)]
pub struct CookieKey(Hmac<Sha1>);

impl CookieKey {
    /// Takes the key as the configuration has it.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length"))
    }

    /// The value that is signed, if the signature holds. How long that takes does not tell how much of it is right.
    pub fn verify<'c>(&self, cookie: &'c str) -> Option<&'c str> {
        let (signature, value) = cookie.split_at_checked(SIGNATURE)?;
        let mut claimed = [0; SIGNATURE / 2];
        for (byte, digits) in claimed.iter_mut().zip(signature.as_bytes().chunks_exact(2)) {
            let [high, low] = digits else { return None };
            *byte = digit(*high)?.checked_mul(16)?.checked_add(digit(*low)?)?;
        }
        let mac = self.0.clone().chain_update(value.as_bytes());
        mac.verify_slice(&claimed).ok().map(|()| value)
    }

    /// Signs a value.
    pub fn sign(&self, value: &str) -> String {
        let mac = self.0.clone().chain_update(value.as_bytes()).finalize().into_bytes();
        let digits = mac.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let signature = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
        signature.chain(value.chars()).collect()
    }
}

impl fmt::Debug for CookieKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieKey(…)")
    }
}

/// A lower-case hex digit: Beaker compares the text.
fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase())?;
    u8::try_from(digit).ok()
}

/// What `text` says about the cookie of this name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Given<'t> {
    /// The value as it is sent, maybe in quotes.
    Value(&'t str),
    /// It is a header, or the contents of one, and has no such cookie.
    Missing,
}

impl fmt::Debug for Given<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A cookie is a credential.
        f.write_str(if matches!(self, Self::Missing) { "Missing" } else { "Value(…)" })
    }
}

/// Finds a cookie in what somebody copied from a browser or a log: a header line, `Cookie: a=b; …` or
/// `Set-Cookie: a=b; …`, what stands in one, several of them, or the value alone. Of several cookies of the name it is the
/// last, as in Python.
pub fn find<'t>(text: &'t str, name: &str) -> Given<'t> {
    let (mut found, mut is_header) = (None, false);
    for line in text.lines() {
        let (header, contents) = without_name(line.trim());
        is_header |= header;
        let mut rest = contents;
        while !rest.is_empty() {
            let (pair, tail) = first_pair(rest);
            rest = tail;
            let named = pair.trim().strip_prefix(name).and_then(|rest| rest.trim_start().strip_prefix('='));
            found = named.map(str::trim).or(found);
        }
    }
    match found {
        Some(value) => Given::Value(value),
        // No value has what ends a cookie in a header.
        None if is_header || text.trim().contains([';', '\n']) => Given::Missing,
        None => Given::Value(text.trim()),
    }
}

/// A line without the name of the header, and whether it had one.
fn without_name(line: &str) -> (bool, &str) {
    let header = line.split_once(':').filter(|(name, _)| {
        let name = name.trim();
        name.eq_ignore_ascii_case("cookie") || name.eq_ignore_ascii_case("set-cookie")
    });
    header.map_or((false, line), |(_, contents)| (true, contents))
}

/// A cookie of a header, and what comes after it. In quotes, `;` is part of a value, and `\` hides a quote.
fn first_pair(text: &str) -> (&str, &str) {
    let (mut quoted, mut hidden) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if hidden => hidden = false,
            '\\' if quoted => hidden = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                let (pair, rest) = text.split_at(at);
                return (pair, rest.strip_prefix(';').unwrap_or(rest));
            }
            _ => {}
        }
    }
    (text, "")
}

/// The value without the quotes around it, as Beaker takes signed ones.
pub fn without_quotes(value: &str) -> &str {
    value.trim_matches('"')
}

/// The value as Python's `http.cookies` reads it: within quotes, `\"` is a quote and `\303` the character of that number in
/// octal.
///
/// What a browser sends is bytes, each of which Python takes for a character: they are put together to UTF-8 again, where
/// they are that.
pub fn unquoted(value: &str) -> Cow<'_, str> {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner.filter(|inner| inner.contains('\\')) else { return Cow::Borrowed(inner.unwrap_or(value)) };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                bytes.push(((a & 3) << 6) | ((b & 7) << 3) | (c & 7));
                rest = tail;
            }
            (b'\\', [next, tail @ ..]) => {
                bytes.push(*next);
                rest = tail;
            }
            _ => bytes.push(*first),
        }
    }
    Cow::Owned(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => error.into_bytes().into_iter().map(char::from).collect(),
    })
}

#[cfg(test)]
mod tests;
