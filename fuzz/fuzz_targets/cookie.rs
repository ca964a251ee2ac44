//! A cookie as somebody copied it, signed or not, and the text that a session is in one and in a store: base64, of a pickle
//! or of something else, maybe behind a nonce.
#![no_main]

use beakerhelpers_codec::cookie::{CookieKey, Given, find, unquoted, without_quotes};
use beakerhelpers_core::{Framing, Payload};
use beakerhelpers_fuzz::{Holds, decode, with_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    // As memcached has it, too.
    decode(&Payload::new(Framing::Text, text.to_vec()), Holds::Json);
    for payload in with_text(text) {
        decode(&payload, Holds::Json);
    }
    let Ok(text) = std::str::from_utf8(text) else { return };
    let key = CookieKey::new("fuzz");
    if let Given::Value(value) = find(text, "id") {
        assert!(unquoted(value).len() <= 2 * value.len());
        key.verify(without_quotes(value));
    }
    assert_eq!(key.verify(&key.sign(text)), Some(text));
    assert!(key.verify(text).is_none(), "nobody guesses a signature");
});
