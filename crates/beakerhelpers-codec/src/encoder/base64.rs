//! The text that a session is stored as.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::pickle::writer::text_head;

/// A pickle of the text of some bytes, between what comes before and after it.
pub(super) fn payload(before: &[u8], bytes: &[u8], after: &[u8]) -> Vec<u8> {
    let len = bytes.len().div_ceil(3).saturating_mul(4);
    let mut out = Vec::with_capacity(len.saturating_add(before.len()).saturating_add(after.len()).saturating_add(5));
    out.extend_from_slice(before);
    text_head(&mut out, len, None, b'X');
    append(bytes, &mut out);
    out.extend_from_slice(after);
    out
}

/// Appends the text of some bytes.
fn append(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start.saturating_add(bytes.len().div_ceil(3).saturating_mul(4)), 0);
    // There is as much room as the text needs.
    let written = STANDARD.encode_slice(bytes, out.get_mut(start..).unwrap_or_default());
    out.truncate(start.saturating_add(written.unwrap_or(0)));
}

/// So many bytes, 64 characters of text, are compared at once.
const STRIDE: usize = 48;

/// The text of some bytes. `old_text` is that of `old`: what both have at the beginning and at the end is copied.
pub(super) fn again(old_text: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let equal = |(ours, theirs): &(&[u8], &[u8])| ours == theirs;
    let before = old.chunks_exact(STRIDE).zip(new.chunks_exact(STRIDE)).take_while(equal).count();
    let before = before.saturating_mul(STRIDE);
    let (old, new) = (old.get(before..).unwrap_or_default(), new.get(before..).unwrap_or_default());
    // Behind a change of the length, three bytes are the same four characters only where they are the same three.
    let mut after = 0;
    if old.len() % 3 == new.len() % 3 {
        let partial = new.len() % 3;
        if old.get(old.len().saturating_sub(partial)..) == new.get(new.len().saturating_sub(partial)..) {
            let whole = |bytes: &'_ [u8]| bytes.len().saturating_sub(partial);
            let (old, new) = (old.get(..whole(old)), new.get(..whole(new)));
            let both = old.unwrap_or_default().rchunks_exact(STRIDE).zip(new.unwrap_or_default().rchunks_exact(STRIDE));
            after = both.take_while(equal).count().saturating_mul(STRIDE).saturating_add(partial);
        }
    }
    let text = |bytes: usize| bytes.div_ceil(3).saturating_mul(4);
    let mut out = Vec::with_capacity(text(before.saturating_add(new.len())));
    out.extend_from_slice(old_text.get(..text(before)).unwrap_or_default());
    append(new.get(..new.len().saturating_sub(after)).unwrap_or_default(), &mut out);
    out.extend_from_slice(old_text.get(old_text.len().saturating_sub(text(after))..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_copied_is_what_would_be_written(
            before in proptest::collection::vec(any::<u8>(), 0..200),
            after in proptest::collection::vec(any::<u8>(), 0..200),
            changed in proptest::array::uniform2(proptest::collection::vec(0_u8..2, 0..8)),
        ) {
            let [old, new] = changed.map(|changed| [&*before, &*changed, &*after].concat());
            let text = again(STANDARD.encode(&old).as_bytes(), &old, &new);
            prop_assert_eq!(String::from_utf8(text).unwrap(), STANDARD.encode(&new));
        }
    }

    #[test]
    fn a_change_in_the_middle_leaves_the_rest_of_the_text() {
        let (old, mut new) = (vec![7; 1000], vec![7; 1000]);
        new[500] = 8;
        // A text that is not that of the old bytes shows what was copied.
        let text = again("-".repeat(1336).as_bytes(), &old, &new);
        assert_eq!(text.iter().filter(|byte| **byte != b'-').count(), 52);
    }
}
