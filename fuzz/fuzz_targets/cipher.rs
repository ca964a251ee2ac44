//! Encrypted sessions: any text under any settings, and any bytes as what was decrypted. The first byte is the settings.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use beakerhelpers_codec::Settings;
use beakerhelpers_core::StoreConfig;
use beakerhelpers_fuzz::{decrypt, with_text};
use libfuzzer_sys::fuzz_target;

/// The keys of the recorded stores.
const KEYS: [(&str, &str); 2] = [("encrypt_key", "enc-key-0123456789"), ("validate_key", "val-key-9876543210")];
const TYPES: [Option<&str>; 5] = [None, Some("cryptography"), Some("pycryptodome"), Some("nss"), Some("other")];
const NONCES: [Option<&str>; 4] = [None, Some("128"), Some("48"), Some("0")];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let settings = settings(usize::from(*choice));
    // The module that does not encrypt leaves what follows the nonce as it is.
    let plain = ["AAECAwQFBgcICQoLDA0ODw==", &STANDARD.encode(bytes)].concat();
    for text in [bytes, plain.as_bytes()] {
        let [in_namespace, alone] = with_text(text).map(|payload| decrypt(&payload, &settings));
        assert_eq!(in_namespace.map(|session| session.len()), alone.map(|session| session.len()));
    }
});

fn settings(choice: usize) -> Settings {
    let keys = KEYS.iter().take(2 - (choice >> 6) % 3);
    let types = TYPES[choice % TYPES.len()].map(|name| ("crypto_type", name));
    let nonces = NONCES[(choice >> 3) % NONCES.len()].map(|bits| ("encrypt_nonce_bits", bits));
    let options = keys.copied().chain(types).chain(nonces);
    let config = options.fold(StoreConfig::new("beaker.session"), |config, (key, value)| config.with(key, value));
    Settings::from_config(&config).expect("Beaker knows all of these")
}
