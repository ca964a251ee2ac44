//! The key of one session.

use sha1::Sha1;
use zeroize::Zeroizing;

/// An AES-256 key. It is wiped when it is dropped.
pub(crate) struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// PBKDF2-HMAC-SHA1 with one iteration of the encryption key, salted with the validation key and the nonce's text
    /// (`beaker/session.py`, `_encrypt_data`, and `beaker/crypto/pbkdf2.py`, 1.6.2 to 1.14.1).
    pub(crate) fn derive(encrypt: &[u8], validate: &[u8], nonce: &[u8], salt: &mut Zeroizing<Vec<u8>>) -> Self {
        let len = validate.len().saturating_add(nonce.len());
        if salt.capacity() < len {
            // Growing in place would leave an unwiped copy behind.
            *salt = Zeroizing::new(Vec::with_capacity(len));
        }
        salt.clear();
        salt.extend_from_slice(validate);
        salt.extend_from_slice(nonce);
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2::pbkdf2_hmac::<Sha1>(encrypt, salt, 1, &mut *key);
        Self(key)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_that_of_pythons_hashlib() {
        // hashlib.pbkdf2_hmac('sha1', b'enc', b'val' + b'AAECAwQF', 1, 32)
        let mut salt = Zeroizing::default();
        let key = Key::derive(b"enc", b"val", b"AAECAwQF", &mut salt);
        assert_eq!(format!("{:02x?}", key.bytes()).replace(['[', ']', ',', ' '], ""), EXPECTED);
        let again = Key::derive(b"enc", b"val", b"AAECAwQF", &mut salt);
        assert_eq!(key.bytes(), again.bytes());
        let longer = Key::derive(b"enc", &[b'v'; 500], b"AAECAwQF", &mut salt);
        assert_ne!(key.bytes(), longer.bytes());
    }

    #[test]
    fn it_is_that_of_rfc_3962_too() {
        // The first of its vectors, whose 32 bytes begin with the 16 that Beaker's own tests have.
        let key = Key::derive(b"password", b"ATHENA.MIT.EDU", b"raeburn", &mut Zeroizing::default());
        assert!(key.bytes().starts_with(b"\xcd\xed\xb5\x28\x1b\xb2\xf8\x01\x56\x5a\x11\x22\xb2\x56\x35\x15"));
    }

    const EXPECTED: &str = "94fde467400d8e6318f669b3ada59480a1b5e498a62a3082b0e4a533442eb678";
}
