//! Beaker encrypts, and what it encrypted is read.

use std::io::Write as _;
use std::process::Stdio;

use beakerhelpers_codec::{Cipher, Decoded, Encoder};
use beakerhelpers_core::{Framing, Payload, Session};
use beakerhelpers_testkit::{OLDER_RELEASES, Python, RecordedState, python, recorded_store};

use super::sealed::{check, decode, keys_and, with_keys};
use super::{repr_of, str_of};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/crypto.py");

/// What this Beaker makes of `crypto_type`.
fn expected(module: &str, release: &str) -> Cipher {
    match module {
        "default" if release == "current" => Cipher::AesGcm,
        "cryptography" => Cipher::AesGcm,
        "none" => Cipher::Null,
        _ => Cipher::AesCtr,
    }
}

/// Lets Beaker decrypt lines of module, serializer, bits and text.
fn decrypt(python: &Python, lines: &str) -> String {
    let mut command = python.command();
    command.args([SCRIPT, "decrypt"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "it decrypts");
    String::from_utf8(output.stdout).unwrap()
}

fn read_and_change_what_it_encrypts(python: &Python, release: &str) {
    let output = python.command().args([SCRIPT, "encrypt"]).output().unwrap();
    assert!(output.status.success(), "{release}: {}", String::from_utf8_lossy(&output.stderr));
    let (mut unaided, mut encoder) = (with_keys(&[]), Encoder::with_settings(keys_and(&[])));
    let mut updated = String::new();
    let mut seen = 0;
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let fields: Vec<_> = line.split('|').collect();
        let [module, serializer, bits, text] = fields[..] else { panic!("{} fields", fields.len()) };
        let what = format!("{release}, {module}, {serializer}, {bits}");
        let module_said = if module == "none" { "default" } else { module };
        let options = [("crypto_type", module_said), ("encrypt_nonce_bits", bits), ("data_serializer", serializer)];
        let options = if module == "default" { &options[1..] } else { &options[..] };
        for decoder in [&mut unaided, &mut with_keys(options)] {
            let found = decode(decoder, text);
            assert!(matches!(found, Ok(Decoded::Session(_))), "{what}: {found:?}");
            check(found);
            assert_eq!(decoder.cipher(), Some(expected(module, release)), "{what}");
        }
        let Ok(Decoded::Session(mut session)) = decode(&mut unaided, text) else { panic!("{what}") };
        session.set("n", |draft| draft.int(8));
        // As memcached has it: the text alone.
        let stored = Payload::new(Framing::Value, text.as_bytes().to_vec());
        let text = String::from_utf8(encoder.update(&stored, &session).unwrap().bytes().to_vec()).unwrap();
        updated.extend([module, "|", serializer, "|", bits, "|", &text, "\n"]);
        seen += 1;
    }
    assert!(seen >= 24, "{release}: {seen}");
    let decrypted = decrypt(python, &updated);
    let expected = "[('_creation_time', 1795205176.25), ('n', 8), ('user_name', 'joe')]\n";
    assert_eq!(decrypted, expected.repeat(seen), "{release}");
}

#[test]
fn what_current_beaker_encrypts_is_read_and_changed() {
    read_and_change_what_it_encrypts(&python!(), "current");
}

#[test]
fn what_older_beakers_encrypt_is_read_and_changed() {
    for release in OLDER_RELEASES {
        read_and_change_what_it_encrypts(&python!(release), release);
    }
}

#[test]
fn what_beaker_encrypted_block_by_block_is_read() {
    // Files that Beaker wrote under Python 2.7.18 with PyCrypto 2.6.1.
    for file in [
        &include_bytes!("../data/beaker-1.6.2-encrypted.cache")[..],
        include_bytes!("../data/beaker-1.6.3-encrypted.cache"),
    ] {
        let mut decoder = with_keys(&[]);
        let found = decoder.decode(&Payload::new(Framing::Namespace, file.to_vec()));
        let Ok(Decoded::Session(session)) = found else { panic!("{found:?}") };
        assert_eq!(decoder.cipher(), Some(Cipher::AesEcb));
        let mut shown: Vec<_> =
            session.iter().map(|(key, value)| format!("{}={}", str_of(key), repr_of(value))).collect();
        shown.retain(|pair| !pair.contains("_time="));
        shown.sort();
        let expected = [
            "cart=[1, (2, 'x'), {'a': None}]",
            "raw=b'caf\\xe9'",
            "since=datetime.datetime(2012, 1, 2, 3, 4, 5)",
            "user_name='Juška'",
            "visits=7",
        ];
        assert_eq!(shown, expected);
    }
}

fn shown(session: &Session) -> Vec<String> {
    session.iter().map(|(key, value)| format!("{}: {}", repr_of(key), repr_of(value))).collect()
}

#[test]
fn what_beaker_1_6_4_encrypted_in_files_is_read_and_changed() {
    let store = recorded_store("py27-b1.6.4-file-enc");
    let copy = store.copy();
    let (mut decoder, mut encoder) = (with_keys(&[]), Encoder::with_settings(keys_and(&[])));
    let mut values = 0;
    for recorded in &store.sessions {
        let id = &recorded.id;
        let path = copy.path().join(format!("data/container_file/{}/{}/{id}.cache", &id[..1], &id[..2]));
        let payload = Payload::new(Framing::Namespace, std::fs::read(path).unwrap());
        let found = decoder.decode(&payload);
        assert_eq!(decoder.cipher(), Some(Cipher::AesCtr), "{}", recorded.name);
        match (recorded.state, found.unwrap()) {
            (RecordedState::Deleted, Decoded::Empty) => {}
            (RecordedState::Live, Decoded::Session(mut session)) => {
                assert_eq!(session.len(), recorded.values.len(), "{}", recorded.name);
                for value in &recorded.values {
                    let ours = str_of(session.value(&value.key).unwrap());
                    // What Python 2 and 3 print alike; the listings' tests look at all of them.
                    if ["unicode", "int", "long", "bool", "NoneType", "datetime"].contains(&value.type_name.as_str()) {
                        assert_eq!(ours, value.text, "{}, {}", recorded.name, value.key);
                        values += 1;
                    }
                }
                let before = shown(&session);
                session.set("a new key", |draft| draft.int(8));
                let updated = encoder.update(&payload, &session).unwrap();
                let Ok(Decoded::Session(again)) = decoder.decode(&updated) else { panic!("{}", recorded.name) };
                assert_eq!(decoder.cipher(), Some(Cipher::AesCtr), "{}", recorded.name);
                assert_eq!(shown(&again), [&before[..], &["'a new key': 8".to_owned()]].concat(), "{}", recorded.name);
            }
            (_, found) => panic!("{}: {found:?}", recorded.name),
        }
    }
    assert_eq!(values, 23);
}
