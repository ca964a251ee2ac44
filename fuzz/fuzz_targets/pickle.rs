//! The pickle of a session, and the pickle of a value in one.
#![no_main]

use beakerhelpers_core::{Framing, Payload};
use beakerhelpers_fuzz::{Holds, decode, with_value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|pickle: &[u8]| {
    decode(&Payload::new(Framing::Value, pickle.to_vec()), Holds::Pickles);
    decode(&with_value(pickle), Holds::Pickles);
});
