//! The text that a session is in a cookie, and in a store: base64, of a pickle or of something else, maybe behind a nonce.
//! The signature around it is not of this codec's.
#![no_main]

use beakerhelpers_core::{Framing, Payload};
use beakerhelpers_fuzz::{Holds, decode, with_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    // As memcached has it, too.
    decode(&Payload::new(Framing::Value, text.to_vec()), Holds::Json);
    for payload in with_text(text) {
        decode(&payload, Holds::Json);
    }
});
