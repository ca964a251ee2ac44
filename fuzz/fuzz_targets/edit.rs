//! Sessions that are changed and put back where they were. The first byte says how they are changed.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use beakerhelpers_fuzz::{raw, update, with_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    for payload in raw(bytes).iter().chain(&with_text(STANDARD.encode(bytes).as_bytes())) {
        update(payload, *which);
    }
});
