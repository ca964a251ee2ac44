//! The ciphers behind Beaker's crypto modules.

mod key;
mod nonce;
pub(crate) mod seal;

use std::fmt;

use aes::Aes256;
use aes::cipher::{
    Array, BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit, StreamCipher, block_padding::Pkcs7,
};
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, Tag};

pub(crate) use self::key::Key;
pub(crate) use self::nonce::{NonceEnd, NonceSize};

/// How Beaker encrypted a session, or would have.
///
/// Which one it was depends on `crypto_type`, on the release of Beaker, and on the libraries that it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cipher {
    /// AES-256-GCM: `cryptography`, since 1.9, the default since 1.14 (`beaker/crypto/pyca_cryptography.py`, 1.14.1).
    /// The only one that notices every change.
    AesGcm,
    /// AES-256-CTR with the counter from 0: `pycrypto` and `pycryptodome`, since 1.6.4, and pycryptopp up to 1.13
    /// (`beaker/crypto/pycrypto.py`, 1.14.1 and 1.6.4).
    AesCtr,
    /// AES-256-CBC with an initialization vector of zeros and the padding of PKCS #7: `nss`, 1.6.4 to 1.13
    /// (`beaker/crypto/nsscrypto.py`, 1.13.0).
    AesCbc,
    /// AES-256-ECB, padded with spaces: `PyCrypto` in 1.6.2 and 1.6.3 (`beaker/crypto/pycrypto.py`, 1.6.3).
    AesEcb,
    /// No encryption at all: since 1.9, where Beaker finds no library, it puts a nonce before the plain session and
    /// says nothing (`beaker/crypto/noencryption.py`, 1.14.1).
    Null,
}

/// With what a session was encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sealing {
    pub(crate) cipher: Cipher,
    pub(crate) nonce: NonceSize,
}

/// Why bytes are not of a cipher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// They have another length, or another padding.
    Shape,
    /// They were changed, or are of another key.
    Tag,
}

const BLOCK: usize = 16;
/// Of AES-GCM: what stands before the encrypted bytes.
const IV: usize = 12;
const GCM_HEADER: usize = IV + BLOCK;

/// As many bytes as [`Cipher::first_block`] looks at.
pub(crate) const HEAD: usize = GCM_HEADER + BLOCK;

/// The first bytes of a decrypted session.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FirstBlock {
    bytes: [u8; BLOCK],
    len: usize,
}

impl FirstBlock {
    fn of(bytes: &[u8]) -> Self {
        let mut block = Self { bytes: [0; BLOCK], len: bytes.len().min(BLOCK) };
        block.bytes.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        block
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Cipher {
    /// All of them, the one first that cannot be mistaken.
    pub(crate) const ALL: [Self; 5] = [Self::AesGcm, Self::AesCtr, Self::AesCbc, Self::AesEcb, Self::Null];

    /// Whether what it decrypts is known to be what was encrypted.
    pub(crate) const fn authenticates(self) -> bool {
        matches!(self, Self::AesGcm)
    }

    /// Decrypts the first bytes of a session, of whose encrypted bytes `head` is the beginning: [`HEAD`] bytes of them,
    /// or all. They tell at little cost whether the rest is worth it.
    pub(crate) fn first_block(self, key: Option<&Key>, head: &[u8]) -> FirstBlock {
        let aes = |key: &Key| Aes256::new(key.bytes().into());
        match (self, key) {
            (Self::Null, _) => FirstBlock::of(head),
            (_, None) => FirstBlock::default(),
            (Self::AesGcm, Some(key)) => {
                let mut counter = [0; BLOCK];
                let Some((iv, body)) = head.split_first_chunk::<IV>() else { return FirstBlock::default() };
                counter.iter_mut().zip(iv).for_each(|(to, from)| *to = *from);
                // GCM spends the first counter on the tag.
                if let Some(last) = counter.last_mut() {
                    *last = 2;
                }
                let mut block = FirstBlock::of(body.get(BLOCK..).unwrap_or_default());
                ctr(key, counter).apply_keystream(&mut block.bytes);
                block
            }
            (Self::AesCtr, Some(key)) => {
                let mut block = FirstBlock::of(head);
                ctr(key, [0; BLOCK]).apply_keystream(&mut block.bytes);
                block
            }
            // The vector of zeros makes the first block of both the same.
            (Self::AesCbc | Self::AesEcb, Some(key)) => {
                let mut block = FirstBlock::of(head);
                if block.len < BLOCK {
                    return FirstBlock::default();
                }
                aes(key).decrypt_block((&mut block.bytes).into());
                block
            }
        }
    }

    /// Decrypts in place.
    ///
    /// # Errors
    ///
    /// Where the bytes cannot be what this cipher makes; what is left of them is of no use.
    pub(crate) fn decrypt(self, key: Option<&Key>, bytes: &mut Vec<u8>) -> Result<(), Refusal> {
        let Some(key) = key else {
            return if self == Self::Null { Ok(()) } else { Err(Refusal::Shape) };
        };
        match self {
            Self::Null => {}
            Self::AesCtr => ctr(key, [0; BLOCK]).apply_keystream(bytes),
            Self::AesGcm => {
                let (header, body) = bytes.split_at_mut_checked(GCM_HEADER).ok_or(Refusal::Shape)?;
                let (iv, tag) = header.split_first_chunk::<IV>().ok_or(Refusal::Shape)?;
                let tag = Tag::try_from(tag).map_err(|_| Refusal::Shape)?;
                Aes256Gcm::new(key.bytes().into())
                    .decrypt_inout_detached(iv.into(), &[], body.into(), &tag)
                    .map_err(|_| Refusal::Tag)?;
                bytes.drain(..GCM_HEADER);
            }
            Self::AesCbc => {
                let cbc = cbc::Decryptor::<Aes256>::new(key.bytes().into(), &Array::default());
                let len = cbc.decrypt_padded::<Pkcs7>(bytes).map_err(|_| Refusal::Shape)?.len();
                bytes.truncate(len);
            }
            Self::AesEcb => {
                let aes = Aes256::new(key.bytes().into());
                let (blocks, rest) = Array::slice_as_chunks_mut(bytes);
                if !rest.is_empty() {
                    return Err(Refusal::Shape);
                }
                aes.decrypt_blocks(blocks);
                // At least one space, and a block of them at most.
                let spaces = bytes.iter().rev().take(BLOCK.saturating_add(1)).take_while(|byte| **byte == b' ').count();
                if !(1..=BLOCK).contains(&spaces) {
                    return Err(Refusal::Shape);
                }
                bytes.truncate(bytes.len().saturating_sub(spaces));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AesGcm => "AES-256-GCM",
            Self::AesCtr => "AES-256-CTR",
            Self::AesCbc => "AES-256-CBC",
            Self::AesEcb => "AES-256-ECB",
            Self::Null => "no cipher",
        })
    }
}

fn ctr(key: &Key, counter: [u8; BLOCK]) -> ctr::Ctr128BE<Aes256> {
    ctr::Ctr128BE::new(key.bytes().into(), &counter.into())
}
