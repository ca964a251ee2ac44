//! What the fuzz targets share: payloads around their inputs, and the laws that all of them must keep.

use beakerhelpers_codec::{Decoded, Decoder, Settings};
use beakerhelpers_core::{Framing, Payload, Session};
use peak_alloc::PeakAlloc;

/// The laws that the codec's own tests know, too.
#[path = "../../crates/beakerhelpers-codec/tests/it/laws/change.rs"]
mod change;
#[path = "../../crates/beakerhelpers-codec/tests/it/laws/exercise.rs"]
mod exercise;
#[path = "../../crates/beakerhelpers-codec/tests/it/laws/frames.rs"]
mod frames;

/// Memory that does not depend on the payload, where it may hold JSON.
const FREE_WITH_JSON: usize = exercise::FREE + (1 << 20);

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What a payload may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Pickles and nothing else.
    Pickles,
    /// JSON too.
    Json,
}

/// Decodes a payload, and demands what the decoder promises of any.
pub fn decode(payload: &Payload, holds: Holds) -> Option<Session> {
    let free = match holds {
        Holds::Pickles => exercise::FREE,
        Holds::Json => FREE_WITH_JSON,
    };
    let settings = Settings::new();
    exercise::decode(payload, &settings, free);
    decode_in_bounds(payload, &settings, free)
}

/// Decodes a payload that may be encrypted, and demands the same.
pub fn decrypt(payload: &Payload, settings: &Settings) -> Option<Session> {
    exercise::decode(payload, settings, FREE_WITH_JSON);
    decode_in_bounds(payload, settings, FREE_WITH_JSON)
}

/// Decodes a payload of pickles, and prints everything in it.
pub fn print(payload: &Payload, max_len: usize) {
    if let Some(session) = decode_in_bounds(payload, &Settings::new(), exercise::FREE) {
        exercise::print(&session, max_len);
    }
}

/// Changes a session and updates its payload; `which` says how it is changed.
pub fn update(payload: &Payload, which: u8) {
    change::update(payload, which.into());
}

/// Puts a payload into every other frame, and demands that it is the same session there.
pub fn reframe(payload: &Payload) {
    frames::reframed(payload);
}

/// Decodes a payload in as much memory as is promised, by what the allocator counted.
fn decode_in_bounds(payload: &Payload, settings: &Settings, free: usize) -> Option<Session> {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let decoded = Decoder::with_settings(settings.clone()).decode(payload);
    let taken = MEMORY.peak_usage().saturating_sub(before);
    let len = payload.bytes().len();
    assert!(taken <= 80 * len + free, "{taken} bytes of memory for {len}");
    match decoded {
        Ok(Decoded::Session(session)) => Some(session),
        _ => None,
    }
}

/// The pickle of a session of one key, given the pickle of its value: with its end or without.
pub fn with_value(pickle: &[u8]) -> Payload {
    let pickle = pickle.strip_suffix(b".").unwrap_or(pickle);
    Payload::new(Framing::Namespace, [b"}Vsession\n}Vv\n", pickle, b"ss."].concat())
}

/// A session that is stored as a text, in both framings.
pub fn with_text(text: &[u8]) -> [Payload; 2] {
    let len = u32::try_from(text.len()).expect("inputs are short").to_le_bytes();
    let value = [b"B", &len[..], text].concat();
    [
        Payload::new(Framing::Namespace, [b"}Vsession\n", &value[..], b"s."].concat()),
        Payload::new(Framing::Value, [&value[..], b"."].concat()),
    ]
}

/// The bytes as they are, in both framings.
pub fn raw(bytes: &[u8]) -> [Payload; 2] {
    [Framing::Namespace, Framing::Value].map(|framing| Payload::new(framing, bytes.to_vec()))
}
