//! The text of any value, long or cut off at any length. The first two bytes say where.
#![no_main]

use beakerhelpers_fuzz::{print, with_value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((limit, pickle)) = bytes.split_first_chunk() else { return };
    let payload = with_value(pickle);
    print(&payload, 100_000);
    print(&payload, u16::from_le_bytes(*limit).into());
});
