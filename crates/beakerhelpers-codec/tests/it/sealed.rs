//! Encrypted sessions. The texts were made with OpenSSL 3.0 and pyca/cryptography 50, which nothing here shares code with;
//! [`super::crypto`] has Beaker itself encrypt.

mod texts;

use beakerhelpers_codec::{Cipher, Decoded, Decoder, Encoder, Settings};
use beakerhelpers_core::{Error, ErrorKind, Framing, Payload, Result, Session, StoreConfig, Value};

use proptest::prelude::*;

use self::texts::{NONCES, SEALED, WHOLE_BLOCKS};
use super::{repr_of, str_of};

const KEYS: [(&str, &str); 2] = [("encrypt_key", "enc-key-0123456789"), ("validate_key", "val-key-9876543210")];
const WRONG: [(&str, &str); 2] = [("encrypt_key", "enc-key-0123456789"), ("validate_key", "val-key-987654321")];

fn settings(options: &[(&str, &str)]) -> Settings {
    let config = StoreConfig::new("shop");
    let config = options.iter().fold(config, |config, (name, value)| config.with(name, *value));
    Settings::from_config(&config).unwrap()
}

fn decoder(options: &[(&str, &str)]) -> Decoder {
    Decoder::with_settings(settings(options))
}

pub(super) fn keys_and(options: &[(&str, &str)]) -> Settings {
    settings(&[&KEYS, options].concat())
}

pub(super) fn with_keys(options: &[(&str, &str)]) -> Decoder {
    Decoder::with_settings(keys_and(options))
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
    assert_eq!(
        error.report().to_string(),
        "the session seems to be encrypted, and `shop.validate_key` is not set\n\n\
         hint: give `shop.validate_key` in the ini file as the application has it: Beaker too needs both keys"
    );
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
            // Bytes are shown as numbers: `val-` and `joe`.
            assert!(!told.contains("joe") && !told.contains("118, 97") && !told.contains("106, 111"), "{told}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_gives_an_error_or_a_session(
        which in 0..SEALED.len(),
        at in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        noise in "[A-Za-z0-9+/=]{0,40}",
    ) {
        let text = SEALED[which].2;
        let (at, cut) = (at.index(text.len()), cut.index(text.len()));
        let mut decoder = with_keys(&[]);
        for text in [&noise, &format!("{}{noise}", &text[..at]), &format!("{}{noise}{}", &text[..at], &text[cut..])] {
            match decode(&mut decoder, text) {
                Ok(Decoded::Session(_) | Decoded::Empty) => {}
                Ok(other) => prop_assert!(false, "{:?}", other),
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Corrupt),
            }
        }
    }
}

/// Changes a session, in a payload that is this text.
fn change(encoder: &mut Encoder, decoder: &mut Decoder, text: &str) -> Result<Payload> {
    let Decoded::Session(mut session) = decode(decoder, text)? else { panic!("no session") };
    session.set("n", |draft| draft.int(8));
    encoder.update(&payload(text), &session)
}

#[test]
fn an_update_keeps_the_cipher_and_takes_a_new_nonce() {
    for (cipher, _, text) in SEALED {
        let (mut encoder, mut decoder) = (Encoder::with_settings(keys_and(&[])), with_keys(&[]));
        let updated = [(); 2].map(|()| change(&mut encoder, &mut decoder, text).unwrap());
        assert_ne!(updated[0], updated[1], "{cipher}");
        for payload in updated {
            let found = decoder.decode(&payload);
            assert_eq!(decoder.cipher(), Some(cipher));
            let Ok(Decoded::Session(session)) = found else { panic!("{cipher}: {found:?}") };
            let shown: Vec<_> = session.iter().map(|(key, value)| str_of(key) + "=" + &repr_of(value)).collect();
            assert_eq!(shown, ["_creation_time=1795205176.25", "user_name='joe'", "n=8"]);
        }
        let error = change(&mut Encoder::new(), &mut decoder, text).map_err(|error| error.kind());
        let expected = if cipher == Cipher::Null { None } else { Some(ErrorKind::Unsupported) };
        assert_eq!(error.err(), expected, "{cipher}");
    }
}

#[test]
fn a_new_session_is_written_as_the_site_says() {
    let session = Session::from_pairs([("user_name", "joe".into()), ("n", 7.into())]);
    for (module, cipher) in [
        ("default", Cipher::AesGcm),
        ("cryptography", Cipher::AesGcm),
        ("pycryptodome", Cipher::AesCtr),
        ("nss", Cipher::AesCbc),
    ] {
        for serializer in ["pickle", "json"] {
            for framing in [Framing::Namespace, Framing::Value] {
                let options = [("crypto_type", module), ("data_serializer", serializer), ("encrypt_nonce_bits", "48")];
                let payload = Encoder::with_settings(keys_and(&options)).encode(&session, framing).unwrap();
                let mut decoder = with_keys(&options);
                let found = decoder.decode(&payload);
                assert_eq!(decoder.cipher(), Some(cipher), "{options:?}");
                let Ok(Decoded::Session(again)) = found else { panic!("{options:?}: {found:?}") };
                assert_eq!(again.iter().map(|(_, value)| str_of(value)).collect::<Vec<_>>(), ["joe", "7"]);
            }
        }
    }
    let refused = |options: &[(&str, &str)]| {
        let encoded = Encoder::with_settings(settings(options)).encode(&session, Framing::Value);
        encoded.map_err(|error| (error.kind(), error.to_string())).err()
    };
    let missing = "the session is to be encrypted, and `shop.validate_key` is not set";
    assert_eq!(refused(&KEYS[..1]), Some((ErrorKind::Unsupported, missing.to_owned())));
    assert_eq!(refused(&KEYS[1..]), None);
}
