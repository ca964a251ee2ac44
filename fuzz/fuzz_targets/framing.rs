//! Whole payloads as stores hold them, and sessions in base64.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use beakerhelpers_fuzz::{Holds, decode, raw, reframe, with_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for payload in raw(bytes) {
        decode(&payload, Holds::Json);
        reframe(&payload);
    }
    // The framing is no part of the session.
    let texts = with_text(STANDARD.encode(bytes).as_bytes());
    texts.iter().for_each(reframe);
    let [in_namespace, alone] = texts.map(|payload| decode(&payload, Holds::Json));
    assert_eq!(in_namespace.map(|session| session.len()), alone.map(|session| session.len()));
});
