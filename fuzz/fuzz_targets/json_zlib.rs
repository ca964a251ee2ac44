//! JSON in zlib: any text as JSON, and any bytes as what zlib wrote, bombs too.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use beakerhelpers_fuzz::{Holds, decode, with_text};
use libfuzzer_sys::fuzz_target;
use miniz_oxide::deflate::compress_to_vec_zlib;

fuzz_target!(|bytes: &[u8]| {
    for zlib in [&compress_to_vec_zlib(bytes, 0), bytes] {
        let [in_namespace, _] = with_text(STANDARD.encode(zlib).as_bytes());
        decode(&in_namespace, Holds::Json);
    }
});
