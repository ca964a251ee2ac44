//! What is looked at before SQLite is: the first page, which has the schema.

use crate::error::damaged;
use beakerhelpers_core::Result;

use super::NAME;

/// Where the header has the size of a page, how much of it is left out, and the encoding of texts.
const SIZE_AT: usize = 16;
const LEFT_OUT_AT: usize = 20;
const ENCODING_AT: usize = 56;
/// Where the b-tree of the schema begins: its kind, after 3 bytes how many entries, after 8 where they are.
const SCHEMA_AT: usize = 100;
/// A page of a table without pages below it.
const LEAF: u8 = 0x0d;
/// Every other encoding would hide the words.
const UTF_8: [u32; 2] = [0, 1];
/// SQLite reads such tables whole as soon as it looks at a schema.
const WORDS: [&[u8]; 2] = [b"sqlite_stat", b"virtual"];

/// Makes sure that SQLite reads the schema in one go. Pages may refer to each other in any way, so that a b-tree of a dozen
/// pages can have more leaves than anybody can visit, and SQLite visits each of the schema. Python's schema, a table and
/// its index, is on the first page alone.
pub(super) fn check(file: &[u8]) -> Result<()> {
    match is_plain(file) {
        Some(true) => Ok(()),
        Some(false) => Err(damaged(NAME, "its schema is none of Python's")),
        None => Err(damaged(NAME, "its first page is none")),
    }
}

/// `None` where the page is not whole.
fn is_plain(file: &[u8]) -> Option<bool> {
    let size = match number(file, SIZE_AT)? {
        1 => 1 << 16,
        size => size,
    };
    let page = file.get(..size)?;
    let used = size.checked_sub((*page.get(LEFT_OUT_AT)?).into())?;
    let encoding = page.get(ENCODING_AT..)?.first_chunk().copied().map(u32::from_be_bytes)?;
    let entries = number(page, SCHEMA_AT.checked_add(3)?)?;
    let pointers = page.get(SCHEMA_AT.checked_add(8)?..)?.chunks_exact(2);
    // More than that go on, on pages of their own, where no word is looked for.
    let most = used.checked_sub(35)?;
    for pointer in pointers.take(entries) {
        if length(page.get(number(pointer, 0)?..)?)? > most {
            return Some(false);
        }
    }
    let has = |word: &[u8]| page.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
    Some(page.get(SCHEMA_AT) == Some(&LEAF) && UTF_8.contains(&encoding) && !WORDS.into_iter().any(has))
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes).map(usize::from)
}

/// The length that an entry begins with: seven bits in each byte, the last without the eighth. `None` where it is beyond
/// any page.
fn length(entry: &[u8]) -> Option<usize> {
    let mut length = 0_usize;
    for byte in entry.iter().take(4) {
        length = length.checked_mul(128)?.checked_add((byte & 127).into())?;
        if byte & 128 == 0 {
            return Some(length);
        }
    }
    None
}
