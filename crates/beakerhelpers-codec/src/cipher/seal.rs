//! Encrypting a session, as Beaker does.

use aes::Aes256;
use aes::cipher::{
    Array, BlockCipherEncrypt, BlockModeEncrypt, KeyInit, KeyIvInit, StreamCipher, block_padding::Pkcs7,
};
use aes_gcm::Aes256Gcm;
use aes_gcm::aead::AeadInOut;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use beakerhelpers_core::{Error, ErrorKind, Result};
use zeroize::Zeroizing;

use super::{BLOCK, Cipher, GCM_HEADER, IV, Key, Sealing, ctr};
use crate::Settings;

/// Encrypts what a serializer made of a session, with a fresh nonce, and gives the text that Beaker would store: the
/// nonce and the encrypted bytes, both in base64.
///
/// # Errors
///
/// `Unsupported` without keys; `Other` where the system has no random bytes.
pub(crate) fn seal(settings: &Settings, how: Sealing, plain: &[u8]) -> Result<String> {
    let mut random = vec![0; how.nonce.bytes()];
    fill(&mut random)?;
    let mut text = BASE64.encode(random);
    let mut bytes = Vec::with_capacity(plain.len().saturating_add(GCM_HEADER));
    if how.cipher == Cipher::AesGcm {
        bytes.resize(GCM_HEADER, 0);
    }
    bytes.extend_from_slice(plain);
    if how.cipher != Cipher::Null {
        let key = settings
            .key(text.as_bytes(), &mut Zeroizing::default())
            .ok_or_else(|| settings.obstacle("is to be").unwrap_or_else(|| Error::unsupported("there are no keys")))?;
        how.cipher.encrypt(&key, &mut bytes)?;
    }
    BASE64.encode_string(bytes, &mut text);
    Ok(text)
}

impl Cipher {
    /// Encrypts in place; for AES-GCM what follows the room for its header.
    fn encrypt(self, key: &Key, bytes: &mut Vec<u8>) -> Result<()> {
        let failed = || Error::new(ErrorKind::Other, "a session is too large to be encrypted");
        match self {
            Self::Null => {}
            Self::AesCtr => ctr(key, [0; BLOCK]).apply_keystream(bytes),
            Self::AesGcm => {
                let (header, body) = bytes.split_at_mut_checked(GCM_HEADER).ok_or_else(failed)?;
                let (iv, room) = header.split_first_chunk_mut::<IV>().ok_or_else(failed)?;
                fill(iv)?;
                let tag = Aes256Gcm::new(key.bytes().into())
                    .encrypt_inout_detached((&*iv).into(), &[], body.into())
                    .map_err(|_| failed())?;
                room.copy_from_slice(&tag);
            }
            Self::AesCbc => {
                let len = bytes.len();
                bytes.resize(len.saturating_add(BLOCK), 0);
                let cbc = cbc::Encryptor::<Aes256>::new(key.bytes().into(), &Array::default());
                let len = cbc.encrypt_padded::<Pkcs7>(bytes, len).map_err(|_| failed())?.len();
                bytes.truncate(len);
            }
            Self::AesEcb => {
                let len = bytes.len();
                bytes.push(b' ');
                bytes.resize(bytes.len().next_multiple_of(BLOCK), b' ');
                debug_assert!(bytes.len() > len, "there is always padding");
                let (blocks, _) = Array::slice_as_chunks_mut(bytes);
                Aes256::new(key.bytes().into()).encrypt_blocks(blocks);
            }
        }
        Ok(())
    }
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes)
        .map_err(|error| Error::new(ErrorKind::Other, "the system has no random bytes").with_source(error))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::Stdio;

    use beakerhelpers_core::{Framing, Payload, StoreConfig, Value};
    use beakerhelpers_testkit::{OLDER_RELEASES, Python, python};

    use super::*;
    use crate::cipher::NonceSize;
    use crate::{Decoded, Decoder};

    const PLAIN: &[u8] = b"\x80\x02}q\x00X\x01\0\0\0aq\x01K\x07s.";

    fn settings() -> Settings {
        let config = StoreConfig::new("shop")
            .with("encrypt_key", "enc-key-0123456789")
            .with("validate_key", "val-key-9876543210");
        Settings::from_config(&config).unwrap()
    }

    fn nonce(bits: &str) -> NonceSize {
        NonceSize::parse(bits).unwrap()
    }

    #[test]
    fn what_is_sealed_can_be_opened() {
        let mut decoder = Decoder::with_settings(settings());
        for cipher in Cipher::ALL {
            for bits in ["0", "8", "48", "128", "256"] {
                if (cipher, bits) == (Cipher::Null, "0") {
                    // Nothing tells it from what was never meant to be encrypted.
                    continue;
                }
                // The padding of each length.
                for len in 0..40_u8 {
                    let value = [b"\x80\x02}U\x01aU", &[len][..], &vec![b'x'; len.into()], b"s."].concat();
                    let how = Sealing { cipher, nonce: nonce(bits) };
                    let text = seal(&settings(), how, &value).unwrap();
                    let found = decoder.decode(&Payload::new(Framing::Value, text.clone().into_bytes()));
                    let Ok(Decoded::Session(session)) = found else { panic!("{how:?}: {found:?}") };
                    let value = session.value("a").and_then(Value::as_str).map(str::len);
                    assert_eq!((value, decoder.sealing()), (Some(len.into()), Some(how)));
                    // Beaker's own form: a nonce of whole characters, and base64 of what is encrypted.
                    assert!(text.len() > how.nonce.chars() && text.len().is_multiple_of(4));
                }
            }
        }
    }

    #[test]
    fn no_two_texts_are_alike() {
        for cipher in Cipher::ALL {
            let seal = || seal(&settings(), Sealing { cipher, nonce: nonce("128") }, PLAIN).unwrap();
            assert_ne!(seal(), seal(), "{cipher}");
        }
    }

    #[test]
    fn nothing_is_sealed_without_keys() {
        let how = Sealing { cipher: Cipher::AesGcm, nonce: nonce("128") };
        let error = seal(&Settings::new(), how, PLAIN).unwrap_err();
        assert_eq!(error.to_string(), "the session is to be encrypted, and `encrypt_key` is not set");
    }

    /// Lets Beaker decrypt what is sealed here.
    fn open_with_beaker(python: &Python, release: &str) {
        let modules = [("pycrypto", Cipher::AesCtr), ("cryptography", Cipher::AesGcm), ("none", Cipher::Null)];
        let mut lines = String::new();
        for (module, cipher) in modules {
            for bits in ["48", "128", "256"] {
                let text = seal(&settings(), Sealing { cipher, nonce: nonce(bits) }, PLAIN).unwrap();
                lines.extend([module, "|pickle|", bits, "|", &text, "\n"]);
            }
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/crypto.py");
        let mut command = python.command();
        command.args([script, "decrypt"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "Beaker {release}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "[('a', 7)]\n".repeat(9), "Beaker {release}");
    }

    #[test]
    fn beaker_opens_what_is_sealed() {
        open_with_beaker(&python!(), "current");
        for release in OLDER_RELEASES {
            open_with_beaker(&python!(release), release);
        }
    }
}
