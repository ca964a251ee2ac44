//! Decodes or encodes sessions again and again, and prints how many that is in a second: `throughput WORK FILE SECONDS`.
//!
//! WORK is `decode`, which decodes a payload and then reads every value; `encode`, which makes a new payload of a session,
//! and `decode-encoded`, which decodes these; `update`, which writes a new access time into the payload that a session came
//! from; or `serde-pickle` to compare with, which only decodes.

mod payload_file;

use std::env;
use std::error::Error;
use std::hint::black_box;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use beakerhelpers_codec::{Decoded, Decoder, Encoder, Found};
use beakerhelpers_core::value::{Items, Pairs};
use beakerhelpers_core::{Framing, Kind, Payload, Session, Value};
use serde_pickle::{HashableValue, Value as Theirs, value_from_slice};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [work, file, seconds] = arguments.as_slice() else {
        return Err("throughput WORK FILE SECONDS".into());
    };
    let payloads = payload_file::read(file)?;
    let time = Duration::try_from_secs_f64(seconds.parse()?)?;
    let mut encoder = Encoder::new();
    let rate = match work.as_str() {
        "decode" => decode(&payloads, time)?,
        "decode-encoded" => {
            let sessions = sessions(&payloads)?;
            let made: std::result::Result<Vec<_>, _> =
                sessions.iter().map(|session| encoder.encode(session, Framing::Namespace)).collect();
            decode(&made?, time)?
        }
        "encode" => rate(&sessions(&payloads)?, time, |session| Ok(encoder.encode(session, Framing::Namespace)?))?,
        "update" => {
            let mut sessions = sessions(&payloads)?;
            for session in &mut sessions {
                session.set("_accessed_time", |draft| draft.float(1_795_205_221.5));
            }
            let both: Vec<_> = payloads.iter().zip(&sessions).collect();
            rate(&both, time, |(payload, session)| Ok(encoder.update(payload, session)?))?
        }
        "serde-pickle" => rate(&payloads, time, theirs)?,
        _ => return Err("there is no such work".into()),
    };
    writeln!(io::stdout(), "{rate}")?;
    Ok(())
}

fn decode(payloads: &[Payload], time: Duration) -> Result<f64> {
    // Both keep their memory from one session to the next.
    let (mut decoder, mut session) = (Decoder::new(), Session::new());
    rate(payloads, time, |payload| {
        if decoder.decode_into(payload, &mut session)? != Found::Session {
            return Err("a payload holds no session".into());
        }
        read_pairs(session.iter(), 0)
    })
}

fn sessions(payloads: &[Payload]) -> Result<Vec<Session>> {
    let mut decoder = Decoder::new();
    let sessions = payloads.iter().map(|payload| match decoder.decode(payload)? {
        Decoded::Session(session) => Ok(session),
        _ => Err("a payload holds no session".into()),
    });
    sessions.collect()
}

/// For how many of these something is done in a second.
#[expect(clippy::cast_precision_loss, reason = "no run does so many")]
fn rate<T, Done>(all: &[T], time: Duration, mut work: impl FnMut(&T) -> Result<Done>) -> Result<f64> {
    let len = all.len() as f64;
    let mut all = || all.iter().try_for_each(|one| work(one).map(|done| drop(black_box(done))));
    // Warms up.
    all()?;
    let (mut rounds, start) = (0_u32, Instant::now());
    loop {
        all()?;
        rounds += 1;
        let taken = start.elapsed();
        if taken >= time {
            return Ok(f64::from(rounds) * len / taken.as_secs_f64());
        }
    }
}

/// Reads every value of some pairs, such as those of a session: a sum of all that is in them.
fn read_pairs(mut pairs: Pairs<'_>, depth: u32) -> Result<u64> {
    pairs.try_fold(0_u64, |sum, (key, value)| Ok(sum.wrapping_add(read(key, depth)?).wrapping_add(read(value, depth)?)))
}

fn read_items(mut items: Items<'_>, depth: u32) -> Result<u64> {
    items.try_fold(0_u64, |sum, item| Ok(sum.wrapping_add(read(item, depth)?)))
}

/// Reads a value and what is in it.
///
/// A session may be nested a million deep, and in itself: a program that recurses needs a limit.
fn read(value: Value<'_>, depth: u32) -> Result<u64> {
    if depth > 50 {
        return Err("a session is nested too deep".into());
    }
    let depth = depth + 1;
    Ok(match value.kind() {
        Kind::None => 1,
        Kind::Bool(value) => value.into(),
        Kind::Int(value) => value.cast_unsigned(),
        Kind::Float(value) => value.to_bits(),
        Kind::Str(text) | Kind::Decimal(text) => sum(text.as_bytes()),
        Kind::Bytes(bytes) | Kind::Python2Str(bytes) => sum(bytes),
        Kind::List(list) | Kind::Tuple(list) | Kind::Set(list) | Kind::FrozenSet(list) => read_items(list, depth)?,
        Kind::Dict(dict) | Kind::OrderedDict(dict) => read_pairs(dict, depth)?,
        Kind::DateTime(time) => u64::from(time.clock.microsecond).wrapping_add(u64::from(time.date.day)),
        Kind::Date(date) => date.day.into(),
        Kind::Object(object) => {
            let state = object.state().map_or(Ok(0), |state| read(state, depth))?;
            let items = read_items(object.args(), depth)?.wrapping_add(read_items(object.items(), depth)?);
            state.wrapping_add(items).wrapping_add(read_pairs(object.pairs(), depth)?)
        }
        other => return Err(format!("there is no {other:?} in what is measured").into()),
    })
}

/// Touches the first and the last byte: that the others are text was tested by the decoder.
fn sum(bytes: &[u8]) -> u64 {
    let ends = [bytes.first(), bytes.last()].map(|byte| byte.copied().map_or(0, u64::from));
    bytes.len() as u64 ^ ends[0] << 8 ^ ends[1] << 16
}

/// Decodes a payload with serde-pickle, the session's own pickle included.
fn theirs(payload: &Payload) -> Result<Theirs> {
    let options = serde_pickle::DeOptions::new();
    let Theirs::Dict(mut namespace) = value_from_slice(payload.bytes(), options.clone())? else {
        return Err("the payload is no dict".into());
    };
    match namespace.remove(&HashableValue::String("session".to_owned())) {
        Some(Theirs::String(text)) => Ok(value_from_slice(&STANDARD.decode(text)?, options)?),
        Some(session) => Ok(session),
        None => Err("a payload holds no session".into()),
    }
}
