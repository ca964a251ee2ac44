//! The session of one cookie.

use std::io::Read;

use beakerhelpers_codec::cookie::{CookieKey, DEFAULT_NAME, Given, find, unquoted, without_quotes};
use beakerhelpers_codec::{Decoder, Encoder, Settings};
use beakerhelpers_core::command::{Context, Opened};
use beakerhelpers_core::{
    Cutoff, Error, Framing, MemoryStore, Payload, Record, Result, SaveMode, Session, SessionId, SessionStore,
    StoreConfig,
};

/// The key of cookie sessions that is their id (`beaker/session.py`, `CookieSession`, 1.14.1).
const ID: &str = "_id";
/// Browsers send 4 KB.
const LONGEST: u64 = 1 << 20;

/// Reads a cookie from standard input, checks its signature, and gives a store that holds its session and nothing else,
/// or nothing at all. On standard error it says what holds.
///
/// # Errors
///
/// `Corrupt` where there is no cookie or its signature does not hold; `Config` where the file does not say what cookies are
/// signed with; what the store says.
pub(super) fn read(
    cx: &mut Context<'_>,
    opened: &Opened,
    settings: &Settings,
    cutoff: Option<Cutoff>,
) -> Result<MemoryStore> {
    let name = opened.config.get("key").unwrap_or(DEFAULT_NAME);
    let text = input(cx)?;
    let value = match find(&text, name) {
        Given::Value(value) if !without_quotes(value).is_empty() => value,
        _ => {
            return Err(Error::corrupt(format!("standard input has no cookie `{name}`"))
                .with_hint("give the value of the cookie, or the whole line `Cookie: …` of a request"));
        }
    };
    let is_cookie = opened.store.info().store_type == "cookie";
    let found = if is_cookie { carried(cx, &opened.config, value).map(Some) } else { named(cx, opened, value) };
    let store = MemoryStore::new();
    if let Some(record) = found? {
        let (record, session) = without_id(record, settings)?;
        if let Some(session) = session {
            tell_age(cx, &session, cutoff);
        }
        store.save(&record, SaveMode::Create)?;
    }
    Ok(store)
}

fn input(cx: &mut Context<'_>) -> Result<String> {
    cx.note_reading_stdin("the cookie");
    let mut bytes = Vec::new();
    let read = cx.stdin.take(LONGEST).read_to_end(&mut bytes);
    read.map_err(|error| Error::config("cannot read the cookie from standard input").with_source(error))?;
    String::from_utf8(bytes).map_err(|_| Error::corrupt("the cookie on standard input is not UTF-8"))
}

/// The session that a cookie carries.
fn carried(cx: &mut Context<'_>, config: &StoreConfig, value: &str) -> Result<Record> {
    let key = CookieKey::new(config.require("validate_key")?);
    let value = verified(cx, &key, value, &config.origin("validate_key"))?;
    Ok(Record::new(SessionId::new(""), Payload::new(Framing::Text, value.into_bytes())))
}

/// The session in the store that a cookie names.
fn named(cx: &mut Context<'_>, opened: &Opened, value: &str) -> Result<Option<Record>> {
    let id = if let Some(secret) = opened.config.get("secret") {
        verified(cx, &CookieKey::new(secret), value, &opened.config.origin("secret"))?
    } else {
        cx.note(&format!("note: this site signs no cookies: `{}.secret` is not set", opened.config.prefix()));
        unquoted(value).into_owned()
    };
    let record = opened.store.load(&SessionId::new(id))?;
    if record.is_none() {
        cx.note("note: the store has no session of this cookie");
    }
    Ok(record)
}

/// The value under the signature. Beaker takes it as it comes; browsers' tools show it with percent escapes, too.
fn verified(cx: &mut Context<'_>, key: &CookieKey, value: &str, origin: &str) -> Result<String> {
    let value = without_quotes(value);
    let verified = key.verify(value).map(str::to_owned);
    let verified = verified.or_else(|| key.verify(&without_percents(value)).map(str::to_owned));
    let verified = verified.ok_or_else(|| {
        Error::corrupt("the signature of the cookie does not hold: Beaker would not take it")
            .with_context("signed with", origin)
            .with_hint("it was changed or cut off, or signed by another site, or with another key")
    })?;
    cx.note("note: the signature holds");
    Ok(verified)
}

fn without_percents(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (first, tail) {
            (b'%', [high, low, tail @ ..]) if digit(*high).is_some() && digit(*low).is_some() => {
                bytes.push(digit(*high).unwrap_or(0) << 4 | digit(*low).unwrap_or(0));
                rest = tail;
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The record without the id that a cookie session has among its keys, and the session, where it can be read. What cannot
/// be read is reported by whoever lists it.
fn without_id(record: Record, settings: &Settings) -> Result<(Record, Option<Session>)> {
    let mut session = Session::new();
    if Decoder::with_settings(settings.clone()).decode_into(&record.payload, &mut session).is_err() {
        return Ok((record, None));
    }
    let id = session.value(ID).and_then(|id| id.as_str().map(SessionId::new));
    if !session.remove(ID) {
        return Ok((record, Some(session)));
    }
    let payload = Encoder::with_settings(settings.clone()).update(&record.payload, &session)?;
    Ok((Record::new(id.unwrap_or(record.id), payload), Some(session)))
}

fn tell_age(cx: &mut Context<'_>, session: &Session, cutoff: Option<Cutoff>) {
    cx.note(match (session.accessed_time(), cutoff) {
        (_, None) => "note: sessions of this site do not time out",
        (None, _) => "note: when the session was last used is not known",
        (Some(accessed), Some(cutoff)) if accessed < cutoff.at() => {
            "note: the session has timed out: Beaker would begin a new one"
        }
        _ => "note: the session has not timed out",
    });
}
