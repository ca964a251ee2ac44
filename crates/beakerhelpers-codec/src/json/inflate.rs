//! zlib, bounded.

use std::fmt;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_COMPUTE_ADLER32, TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// Why data could not be decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    EndsEarly,
    Checksum,
    Invalid,
    TooLong(usize),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndsEarly => "it ends early",
            Self::Checksum => "its check sum is wrong",
            Self::Invalid => "it is not what zlib writes",
            Self::TooLong(most) => return write!(f, "it would take too much memory, more than {most} bytes of text"),
        })
    }
}

/// How much room there is at first.
const FIRST: usize = 4096;

/// Decompresses, and keeps its memory from one to the next.
#[derive(Default)]
pub(super) struct Inflater {
    /// Made when it is needed first: it is far larger than what most pickles take.
    state: Option<Box<DecompressorOxide>>,
    /// As long as there is room: what is used again needs no zeros.
    out: Vec<u8>,
}

impl Inflater {
    /// The data in `zlib`, which may be `most` bytes. As Python's `zlib.decompress` it tests the check sum, wants the
    /// end, and ignores what follows it.
    pub(super) fn inflate(&mut self, zlib: &[u8], most: usize) -> Result<&[u8], Damage> {
        let flags =
            TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_COMPUTE_ADLER32 | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let state = self.state.get_or_insert_default();
        state.init();
        let (mut input, mut len) = (zlib, 0_usize);
        loop {
            if len == self.out.len() {
                let room = len.saturating_mul(2).max(FIRST).min(most);
                self.out.reserve_exact(room.saturating_sub(len));
                self.out.resize(room, 0);
            }
            let room = self.out.len().min(most);
            let out = self.out.get_mut(..room).unwrap_or_default();
            let (status, read, written) = decompress(state, input, out, len, flags);
            input = input.get(read..).unwrap_or_default();
            len = len.saturating_add(written);
            match status {
                TINFLStatus::Done => return Ok(self.out.get(..len).unwrap_or_default()),
                TINFLStatus::HasMoreOutput if len >= most => return Err(Damage::TooLong(most)),
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::Adler32Mismatch => return Err(Damage::Checksum),
                TINFLStatus::NeedsMoreInput | TINFLStatus::FailedCannotMakeProgress => return Err(Damage::EndsEarly),
                _ => return Err(Damage::Invalid),
            }
        }
    }

    pub(super) fn allocated(&self) -> usize {
        self.out.capacity()
    }
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec_zlib;

    use super::*;

    fn inflate(zlib: &[u8], most: usize) -> Result<Vec<u8>, Damage> {
        Inflater::default().inflate(zlib, most).map(<[u8]>::to_vec)
    }

    #[test]
    fn what_was_compressed_comes_back_whatever_there_was_before() {
        let mut inflater = Inflater::default();
        for len in [100_000, 0, 1, FIRST - 1, FIRST, FIRST + 1, 2 * FIRST, 3] {
            let data: Vec<u8> = (0..len).map(|n| u8::try_from(n * n % 251).unwrap()).collect();
            for level in [0, 1, 6, 9] {
                let zlib = compress_to_vec_zlib(&data, level);
                assert_eq!(inflater.inflate(&zlib, len.max(1)), Ok(&data[..]), "{len} {level}");
            }
        }
    }

    #[test]
    fn what_follows_the_end_is_ignored_and_what_is_before_it_is_not() {
        let zlib = compress_to_vec_zlib(b"[1, 2, 3]", 6);
        assert_eq!(inflate(&[&zlib[..], b"garbage"].concat(), 100).unwrap(), b"[1, 2, 3]");
        let mut cut = zlib.clone();
        while cut.pop().is_some() {
            assert_eq!(inflate(&cut, 100), Err(Damage::EndsEarly), "{}", cut.len());
        }
        let mut wrong = zlib.clone();
        *wrong.last_mut().unwrap() ^= 1;
        assert_eq!(inflate(&wrong, 100), Err(Damage::Checksum));
        assert_eq!(inflate(b"\x78\x9cgarbage, and more than a check sum", 100), Err(Damage::Invalid));
        // Another compression, a check sum of the header that is wrong, a dictionary that no one has, and a window that is
        // too large.
        for header in [*b"\x79\x9c", *b"\x78\x9d", *b"\x78\xbb", *b"\x88\x1c"] {
            let mut wrong = zlib.clone();
            *wrong.first_chunk_mut().unwrap() = header;
            assert_eq!(inflate(&wrong, 100), Err(Damage::Invalid), "{header:?}");
        }
    }

    #[test]
    fn a_bomb_takes_no_more_than_the_limit() {
        let bomb = compress_to_vec_zlib(&vec![b' '; 10_000_000], 9);
        assert!(bomb.len() < 11_000);
        let mut inflater = Inflater::default();
        assert_eq!(inflater.inflate(&bomb, 100_000), Err(Damage::TooLong(100_000)));
        assert_eq!(inflater.allocated(), 100_000);
        assert_eq!(inflater.inflate(&bomb, 1000), Err(Damage::TooLong(1000)));
        assert_eq!(inflater.inflate(&bomb, 10_000_000).map(<[u8]>::len), Ok(10_000_000));
    }
}
