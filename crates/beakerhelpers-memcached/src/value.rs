//! From the items of memcached to payloads, and back.

use std::io::Read;

use beakerhelpers_core::{Error, Framing, Payload, Result};
use flate2::read::ZlibDecoder;

/// A pickle. This bit, and the next, mean the same to python-memcached 1.62, python-binary-memcached 0.33 and pylibmc
/// 1.6.
const PICKLE: u32 = 1;
/// Compressed by zlib.
const COMPRESSED: u32 = 1 << 3;
/// Text to python-memcached and pylibmc, where nothing is set for bytes; bytes to python-binary-memcached, where nothing is
/// set for text. Each gives Beaker the wrong type for the other's text.
const SIXTEEN: u32 = 1 << 4;

/// What is compressed may be so long without.
const LONGEST: usize = 64 << 20;

/// What an item holds.
#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) flags: u32,
    /// Changes with each change of the item; 0 where the server keeps none.
    pub(crate) cas: u64,
    pub(crate) bytes: Vec<u8>,
}

/// How a client library marks text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextFlag {
    /// python-memcached, pylibmc.
    Sixteen,
    /// python-binary-memcached.
    None,
}

impl TextFlag {
    /// How whoever wrote this item marks text; `None` where it holds none.
    pub(crate) const fn of(flags: u32) -> Option<Self> {
        match (flags & PICKLE, flags & SIXTEEN) {
            (0, 0) => Some(Self::None),
            (0, _) => Some(Self::Sixteen),
            _ => None,
        }
    }
}

/// The payload in an item.
///
/// # Errors
///
/// `Corrupt` where it says that it is compressed and cannot be decompressed.
pub(crate) fn payload(item: Item) -> Result<Payload> {
    let bytes = if item.flags & COMPRESSED == 0 { item.bytes } else { inflate(&item.bytes, LONGEST)? };
    Ok(Payload::new(Framing::Text, bytes))
}

fn inflate(zlib: &[u8], most: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    ZlibDecoder::new(zlib)
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|_| Error::corrupt("the item is marked as compressed, and is not what zlib writes"))?;
    if bytes.len() > most {
        return Err(Error::corrupt(format!("the item is compressed, and longer than {most} bytes without")));
    }
    Ok(bytes)
}

/// The flags for a payload: text where it could not be a pickle, as Beaker hands text to the client library since 1.12,
/// and a pickle otherwise.
pub(crate) fn flags(payload: &Payload, text: TextFlag) -> u32 {
    // A pickle of whatever protocol has a byte that base64 has not: each ends with a dot.
    let is_text = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    match text {
        _ if !payload.bytes().iter().all(is_text) => PICKLE,
        TextFlag::Sixteen => SIXTEEN,
        TextFlag::None => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use beakerhelpers_core::ErrorKind;
    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(flags: u32, bytes: &[u8]) -> Result<Vec<u8>, ErrorKind> {
        let payload = payload(Item { flags, cas: 1, bytes: bytes.to_vec() });
        payload.map(|payload| payload.bytes().to_vec()).map_err(|error| error.kind())
    }

    #[test]
    fn what_is_compressed_is_decompressed() {
        for flags in [8, 9, 24] {
            assert_eq!(read(flags, &zlib(b"gAJ9")), Ok(b"gAJ9".to_vec()));
            assert_eq!(read(flags, b"gAJ9"), Err(ErrorKind::Corrupt));
            assert_eq!(read(flags, b""), Err(ErrorKind::Corrupt));
        }
        for flags in [0, 1, 16] {
            assert_eq!(read(flags, b"gAJ9"), Ok(b"gAJ9".to_vec()));
        }
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = zlib(&vec![b' '; 100_000]);
        assert_eq!(inflate(&bomb, 100_000).unwrap().len(), 100_000);
        assert_eq!(inflate(&bomb, 99_999).unwrap_err().kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn flags_are_those_of_the_library() {
        let flags = |bytes: &[u8], text| flags(&Payload::new(Framing::Text, bytes.to_vec()), text);
        for text in [TextFlag::Sixteen, TextFlag::None] {
            let expected = if text == TextFlag::None { 0 } else { 16 };
            assert_eq!(flags(b"gAJ9cQAu", text), expected);
            assert_eq!(flags(b"bm9uY2U=gAJ9cQAu", text), expected);
            assert_eq!(flags(b"\x80\x02}.", text), 1);
            assert_eq!(flags(b"(dp0\n.", text), 1);
            assert_eq!(TextFlag::of(expected), Some(text));
            assert_eq!(TextFlag::of(expected | 8), Some(text));
            assert_eq!(TextFlag::of(9), None);
        }
    }
}
