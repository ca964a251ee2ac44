//! Encrypted sessions. The texts were made with OpenSSL 3.0 and pyca/cryptography 50, which nothing here shares code with;
//! [`super::beaker`] has Beaker itself encrypt.

use beakerhelpers_codec::{Cipher, Decoded, Decoder, Settings};
use beakerhelpers_core::{Error, ErrorKind, Framing, Payload, Result, Session, StoreConfig, Value};

use super::{repr_of, str_of};

/// `{'_creation_time': 1795205176.25, 'user_name': 'joe', 'n': 7}`, with the nonces that 48 and 128 bits give.
const SEALED: [(Cipher, u32, &str); 9] = [
    (
        Cipher::AesEcb,
        48,
        "AAECAwQFxCmSSlAE/lTalMLWbcldO5W9wwPTgYoH1/34l1BDyKbo2qsm+iRcTs0A8CyOe6jNFsf+yFlovEenpUzk0OnhCL7BlxCjVbnO3gvl35SktNg=",
    ),
    (
        Cipher::AesCbc,
        48,
        "AAECAwQFxCmSSlAE/lTalMLWbcldOySNoSOBHT5/srANhJ+p6xwjAK1/5++wZrmZHQW+xtQoLjABsIzPE0wObF6PHNK8a4ts2h5OFl9mErjHgB551UE=",
    ),
    (
        Cipher::AesCtr,
        48,
        "AAECAwQF7NYabpy3Qj4AUvZT3beX2N3GPNHscEFXAvV4B2D33Gv4MFDIrFUl81jCC5Q8xQLkL2ZLPxKPDiva8A3Mg5aeWQ6+DsOPbQZQbGU=",
    ),
    (
        Cipher::AesGcm,
        48,
        "AAECAwQFZGVmZ2hpamtsbW5vjH1K/3NObXW6SCsRiEMMUSuUY6cmo5qqlLMOXef2cEufTIcBz6dAZRxQKW+F6f4GX5qm+TnWV/A+sIqrQ0Rv+gpvbnnz6R1o37PLgjwftTgiGJ116T+EjT5U",
    ),
    (
        Cipher::AesEcb,
        128,
        "AAECAwQFBgcICQoLDA0ODw==K212izroF3G9aQRlllCbyo7ARPer1S+Id2lVLZGjwfdRqcR4IB9lcrhVco9zWq19qPfXLEXebpmGhhx7Qb70EoDSjxi+AG1D4taS5eBycYU=",
    ),
    (
        Cipher::AesCbc,
        128,
        "AAECAwQFBgcICQoLDA0ODw==K212izroF3G9aQRlllCbyhkfwvtVe9QNyvZ2ti8bM2mxA5qJqZVngcGyaQ5HzbfHRDenrTfI0Jkjo5V2+rplpyDd+0ZCsqgbT7ll0tVYRig=",
    ),
    (
        Cipher::AesCtr,
        128,
        "AAECAwQFBgcICQoLDA0ODw==iOSBhoBOy1ZINsT6MvmC4mcrJis7GY4kMAJ46IMKsTrhjJpROL8nxHWhQAXcbTSyd+65yZuq5vzWa2XTJy1+LxvSMVDX8oB3Dek=",
    ),
    (
        Cipher::AesGcm,
        128,
        "AAECAwQFBgcICQoLDA0ODw==ZGVmZ2hpamtsbW5vn3xlWK+OZJ2ABpn9iwN+C3nwJ7n+v5GIfvh4dGmH22FpHz9PV11MqsQvxNkj2ckItqhz4bTqBVcv3zqemvYo81/FxMHGslZyct9Z1VMhvj+xIO2IlpiB/YmM",
    ),
    (
        Cipher::Null,
        128,
        "AAECAwQFBgcICQoLDA0ODw==gAJ9cQAoWA4AAABfY3JlYXRpb25fdGltZXEBR0HawCoOEAAAWAkAAAB1c2VyX25hbWVxAlgDAAAAam9lcQNYAQAAAG5xBEsHdS4=",
    ),
];

const KEYS: [(&str, &str); 2] = [("encrypt_key", "enc-key-0123456789"), ("validate_key", "val-key-9876543210")];
const WRONG: [(&str, &str); 2] = [("encrypt_key", "enc-key-0123456789"), ("validate_key", "val-key-987654321")];

fn decoder(options: &[(&str, &str)]) -> Decoder {
    let config = StoreConfig::new("shop");
    let config = options.iter().fold(config, |config, (name, value)| config.with(name, *value));
    Decoder::with_settings(Settings::from_config(&config).unwrap())
}

pub(super) fn with_keys(options: &[(&str, &str)]) -> Decoder {
    decoder(&[&KEYS, options].concat())
}

/// What a database holds of a session that is this text.
fn payload(text: &str) -> Payload {
    let bytes =
        [b"\x80\x02}U\x07sessionX", &u32::try_from(text.len()).unwrap().to_le_bytes()[..], text.as_bytes(), b"s."];
    Payload::new(Framing::Namespace, bytes.concat())
}

pub(super) fn decode(decoder: &mut Decoder, text: &str) -> Result<Decoded> {
    decoder.decode(&payload(text))
}

fn error(decoder: &mut Decoder, text: &str) -> Error {
    decode(decoder, text).unwrap_err()
}

#[track_caller]
pub(super) fn check(decoded: Result<Decoded>) {
    let Decoded::Session(session) = decoded.unwrap() else { panic!("no session") };
    let shown: Vec<_> = session.iter().map(|(key, value)| format!("{}={}", str_of(key), repr_of(value))).collect();
    assert_eq!(shown, ["_creation_time=1795205176.25", "user_name='joe'", "n=7"]);
}

#[test]
fn every_cipher_is_recognised_and_named() {
    for (cipher, _, text) in SEALED {
        let mut decoder = with_keys(&[]);
        // The second time it is known what comes.
        for _ in 0..2 {
            check(decode(&mut decoder, text));
            assert_eq!(decoder.cipher(), Some(cipher));
        }
    }
    // One after the other, whatever the last one was.
    let mut decoder = with_keys(&[]);
    for (one, _, before) in SEALED {
        for (cipher, _, text) in SEALED {
            check(decode(&mut decoder, before));
            assert_eq!(decoder.cipher(), Some(one));
            check(decode(&mut decoder, text));
            assert_eq!(decoder.cipher(), Some(cipher));
        }
    }
    assert!(decode(&mut decoder, "gAJ9Lg==").is_ok());
    assert_eq!(decoder.cipher(), None);
}

#[test]
fn every_wrapping_is_recognised() {
    let (_, _, text) = SEALED[7];
    let len = u32::try_from(text.len()).unwrap().to_le_bytes();
    let namespace = |opcode: &[u8]| [b"\x80\x04}U\x07session", opcode, &len, text.as_bytes(), b"s."].concat();
    let value = |opcode: &[u8]| [b"\x80\x04", opcode, &len, text.as_bytes(), b"."].concat();
    let mut decoder = with_keys(&[]);
    // Text, bytes, and a byte string of Python 2.
    for opcode in [b"X", b"B", b"T"] {
        check(decoder.decode(&Payload::new(Framing::Namespace, namespace(opcode))));
        check(decoder.decode(&Payload::new(Framing::Value, value(opcode))));
    }
    let python2 = [b"(dp0\nS'session'\np1\nS'", text.as_bytes(), b"'\np2\ns."].concat();
    check(decoder.decode(&Payload::new(Framing::Namespace, python2)));
    // Memcached keeps the text itself.
    check(decoder.decode(&Payload::new(Framing::Value, text.as_bytes().to_vec())));
    let plain = SEALED[8].2.as_bytes()[24..].to_vec();
    check(decoder.decode(&Payload::new(Framing::Value, plain)));
    assert!(decoder.decode(&Payload::new(Framing::Namespace, text.as_bytes().to_vec())).is_err());
}

#[test]
fn what_is_not_encrypted_is_read_with_keys_too() {
    let mut decoder = with_keys(&[("crypto_type", "cryptography")]);
    check(decode(&mut decoder, &SEALED[8].2[24..]));
    let dict = b"}Vsession\n}V_creation_time\nF1795205176.25\nsVuser_name\nVjoe\nsVn\nI7\nss.";
    check(decoder.decode(&Payload::new(Framing::Namespace, dict.to_vec())));
    assert!(matches!(decoder.decode(&Payload::new(Framing::Namespace, b"}.".to_vec())), Ok(Decoded::Empty)));
    assert!(matches!(
        decoder.decode(&Payload::new(Framing::Value, b"(I1\nNI2\nt.".to_vec())),
        Ok(Decoded::NotASession)
    ));
}

#[test]
fn without_keys_an_encrypted_session_asks_for_them() {
    for (cipher, bits, text) in SEALED {
        if cipher == Cipher::Null {
            // It takes no key to read what nothing encrypted.
            check(decode(&mut Decoder::new(), text));
            continue;
        }
        let error = error(&mut decoder(&[]), text);
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let is = if bits == 128 { "is" } else { "seems to be" };
        assert_eq!(
            error.report().to_string(),
            format!(
                "the session {is} encrypted, and `shop.encrypt_key` is not set\n\n\
                 hint: give `shop.encrypt_key` and `shop.validate_key` in the ini file as the application has them"
            )
        );
    }
    let error = error(&mut decoder(&KEYS[..1]), SEALED[0].2);
    assert_eq!(error.to_string(), "the session seems to be encrypted, and `shop.validate_key` is not set");
}

#[test]
fn damaged_text_is_not_called_encrypted() {
    let plain = &SEALED[8].2[24..];
    // Cut and changed plain sessions, and what is no base64 at all.
    for text in
        [&plain[..60], &plain[..61], &plain[..63], &format!("{}\u{e9}", &plain[..62]), "user=joe;", "AAA=AAAA===="]
    {
        for mut decoder in [decoder(&[]), with_keys(&[])] {
            let error = error(&mut decoder, text);
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{text}");
            assert!(!error.to_string().contains("crypted"), "{text}: {error}");
        }
    }
}

#[test]
fn wrong_keys_are_corrupt_and_said() {
    for (cipher, _, text) in SEALED {
        let mut decoder = decoder(&WRONG);
        if cipher == Cipher::Null {
            check(decode(&mut decoder, text));
            continue;
        }
        let error = error(&mut decoder, text);
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert_eq!(
            error.report().to_string(),
            "the session cannot be decrypted: it was encrypted with other keys, or is damaged\n\n\
             hint: compare `shop.encrypt_key` and `shop.validate_key` with those of the application"
        );
    }
}

#[test]
fn the_configuration_is_taken_at_its_word() {
    for (cipher, bits, text) in SEALED {
        for (module, only) in
            [("cryptography", Cipher::AesGcm), ("pycryptodome", Cipher::AesCtr), ("nss", Cipher::AesCbc)]
        {
            let mut decoder = with_keys(&[("crypto_type", module)]);
            if cipher == only {
                check(decode(&mut decoder, text));
                continue;
            }
            let error = error(&mut decoder, text);
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert_eq!(
                error.to_string(),
                format!("the session is encrypted with {cipher} and a nonce of {bits} bits, unlike `shop.crypto_type`")
            );
        }
        let other = if bits == 48 { "128" } else { "48" };
        check(decode(&mut with_keys(&[("encrypt_nonce_bits", &bits.to_string())]), text));
        let error = error(&mut with_keys(&[("encrypt_nonce_bits", other)]), text);
        assert_eq!(
            error.to_string(),
            format!(
                "the session is encrypted with {cipher} and a nonce of {bits} bits, unlike `shop.encrypt_nonce_bits`"
            )
        );
        assert_eq!(
            error.hint().unwrap(),
            "the site cannot read it either; to read it here, leave out `shop.encrypt_nonce_bits`"
        );
    }
    let error = error(&mut with_keys(&[("crypto_type", "ours")]), SEALED[0].2);
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().ends_with("`shop.crypto_type` names a module that is not Beaker's own"), "{error}");
}

#[test]
fn a_nonce_of_any_size_is_found_and_honoured() {
    // By OpenSSL: AES-256-CTR with a nonce of 8, 24, 144, 192 and 256 bits, and of none.
    for (bits, text) in NONCES {
        check(decode(&mut with_keys(&[]), text));
        check(decode(&mut with_keys(&[("encrypt_nonce_bits", &bits.to_string())]), text));
        assert!(decode(&mut with_keys(&[("encrypt_nonce_bits", "96")]), text).is_err());
    }
}

/// A text with one character replaced by another one of base64: each where the nonce shows, else some.
fn tampered(text: &str) -> impl Iterator<Item = (usize, String)> {
    let step = if text.contains("==") { 1 } else { 7 };
    let at = (0..text.len()).step_by(step).filter(|at| text.as_bytes()[*at] != b'=');
    at.map(|at| {
        let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
        (at, format!("{}{other}{}", &text[..at], &text[at + 1..]))
    })
}

#[test]
fn a_change_of_what_is_authenticated_is_always_noticed() {
    for (_, _, text) in SEALED.iter().filter(|(cipher, ..)| *cipher == Cipher::AesGcm) {
        for options in [&[][..], &[("crypto_type", "cryptography")]] {
            for (at, text) in tampered(text) {
                assert_eq!(error(&mut with_keys(options), &text).kind(), ErrorKind::Corrupt, "{at}");
            }
            for len in 1..text.len() {
                let error = error(&mut with_keys(options), &text[..len]);
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{len}");
            }
        }
    }
}

#[test]
fn a_change_of_what_is_not_authenticated_is_noticed_where_it_no_longer_parses() {
    for (cipher, _, text) in SEALED {
        let mut missed = 0;
        for (_, text) in tampered(text) {
            match decode(&mut with_keys(&[]), &text) {
                Ok(Decoded::Session(session)) => missed += usize::from(!session.is_empty()),
                Ok(other) => panic!("{cipher}: {other:?}"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{cipher}: {error}"),
            }
        }
        // A byte in a string can be any other, and nobody can tell; so can a nonce that nothing depends on.
        assert!(if cipher == Cipher::AesGcm { missed == 0 } else { missed < text.len() * 3 / 5 }, "{cipher}: {missed}");
        for len in 1..text.len() {
            assert_eq!(error(&mut with_keys(&[]), &text[..len]).kind(), ErrorKind::Corrupt, "{cipher}, {len}");
        }
    }
}

#[test]
fn the_cipher_of_a_damaged_session_is_named() {
    // In the middle of the pickle: an opcode.
    let (_, _, ctr) = SEALED[6];
    let damaged = format!("{}AAAA{}", &ctr[..60], &ctr[64..]);
    let error = error(&mut with_keys(&[]), &damaged);
    assert!(error.to_string().starts_with("the pickle of the session is damaged at byte "), "{error}");
    assert_eq!(error.context().collect::<Vec<_>>(), [("decrypted with", "AES-256-CTR")]);
    let gcm = SEALED[7].2;
    let changed = format!("{}AAAA{}", &gcm[..100], &gcm[104..]);
    let error = self::error(&mut with_keys(&[]), &changed);
    assert_eq!(error.to_string(), "the session was changed or cut after it was encrypted");
    assert_eq!(error.context().collect::<Vec<_>>(), [("decrypted with", "AES-256-GCM")]);
}

#[test]
fn padding_of_a_whole_block_is_padding() {
    for (cipher, text) in WHOLE_BLOCKS {
        let mut decoder = with_keys(&[]);
        let Decoded::Session(session) = decode(&mut decoder, text).unwrap() else { panic!("no session") };
        assert_eq!(session.value("k").and_then(Value::as_str), Some("x".repeat(26).as_str()));
        assert_eq!(decoder.cipher(), Some(cipher));
    }
}

#[test]
fn text_that_looks_decrypted_everywhere_takes_no_time() {
    // Each nonce that is tried leaves what begins like a pickle, and ends nowhere.
    let text = "gAJ9".repeat(250_000);
    let mut session = Session::new();
    for mut decoder in [decoder(&[]), with_keys(&[])] {
        assert!(decoder.decode_into(&payload(&text), &mut session).is_err());
        assert!(decoder.decode_into(&payload(&"A".repeat(1_000_000)), &mut session).is_err());
    }
}

#[test]
fn keys_are_in_no_message() {
    for text in [SEALED[0].2, SEALED[7].2, "AAAA", "gAJ9AAAA"] {
        for options in [&KEYS, &WRONG] {
            let mut decoder = decoder(options);
            let told = format!("{:?} {decoder:?}", decode(&mut decoder, text).err());
            assert!(!told.contains("0123456789") && !told.contains("987654321"), "{told}");
            assert!(!told.contains("joe"), "{told}");
        }
    }
}

const NONCES: [(u32, &str); 6] = [
    (0, "gHp9x3q0QzJ5DdDoVhaJcd6rdcTluMdEkDp2u3DQTkdg/T204oEjzu1sR231D8Cyk6w10Y/idp8AwESrwx3d0FbaMLy2pDwFhE0="),
    (8, "AA==1noOEXWGuAsnHgLfMSALwTftMiYtymYD0+1ox2ycZcERlm9fXlzGZvIUKluzksPJaX9vTwh7B0bWpiCs42RUTnFLR6T68V+ic+k="),
    (24, "AAEC1iOWsKqU1CSwldP6AlxGSos2QW/zkAKE5OYo4X4VlTOI5Xu5bs71j/9uF+nrXYPzLhvEIK0eqVh/Upi3e3fnuq53DZNN3SZ+73M="),
    (
        144,
        "AAECAwQFBgcICQoLDA0ODxARnIi1acq+v49gGlcWpvZhEcB43cYI62KODHOOXNqRgDMLh/te3lU0D1q0tmPazQOqlu2riFLS5D8P1PVYXW22S2epPHLm3bkMg2s=",
    ),
    (
        192,
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXaSjWR1PbZCKvGPCpTDvZtAeWHXyTNMiZOW71EGg2rmscNCWGlBavXFf4I+Wd5UW7+/+sx45+u86SUXfzCovvCsF/olebgCZ47ZI=",
    ),
    (
        256,
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=zoQZRkpo4XyeJMCIwshEq8wJb29Ks4wDa8FgDSl/eASdFZ1J871uSUcLXk/WpeqV9TB1Yq15wW3ED/U3gjkD5G41aEw/IsFTZyg=",
    ),
];

/// `{'k': 'x' * 26}`, whose pickle is of 48 bytes.
const WHOLE_BLOCKS: [(Cipher, &str); 2] = [
    (
        Cipher::AesEcb,
        "AAECAwQF5RKKKcWJRGQAEuoZUv8ugRof1l4IdSQS9vTkEHTbrn4lHntb9a/EDamDjGRYr6sAzVVfjPPE/gwxHJiV7P0ARQ==",
    ),
    (
        Cipher::AesCbc,
        "AAECAwQF5RKKKcWJRGQAEuoZUv8ugbbG5iZQro22EsU59FejMeaH829rn1AJv0srKcT5LAAa0KXxtB5EkibYdvycXme8aQ==",
    ),
];
