//! Where a file has what.

/// The longest header before the table of free space.
pub(super) const HEADER: u64 = 80;
/// The hash of an element that is free.
pub(super) const FREE: u32 = u32::MAX;
/// How many bits a hash has.
const HASH_BITS: u32 = 31;

/// The four bytes at the beginning, as a number: very old, 32 bits, 64 bits, and the latter two with a counter of
/// synchronisations.
const OLD: u32 = 0x1357_9ace;
const SMALL: u32 = 0x1357_9acd;
const LARGE: u32 = 0x1357_9acf;
const SMALL_COUNTED: u32 = 0x1357_9ad0;
const LARGE_COUNTED: u32 = 0x1357_9ad1;

/// Whether a file begins like this.
pub(crate) fn is_magic(bytes: [u8; 4]) -> bool {
    [u32::from_le_bytes(bytes), u32::from_be_bytes(bytes)]
        .iter()
        .any(|magic| matches!(*magic, OLD | SMALL | LARGE | SMALL_COUNTED | LARGE_COUNTED))
}

/// How the numbers of a file are to be read, and what its header says.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(super) is_big: bool,
    pub(super) is_large: bool,
    /// How long a bucket is before its elements.
    pub(super) before: u64,
    pub(super) elements: u32,
    directory: u64,
    directory_len: u32,
    bits: u32,
    /// How large the blocks are by which the file grows.
    pub(super) block: u32,
}

/// An element of a bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element {
    pub(super) hash: u32,
    /// Where its key is; the value follows it.
    pub(super) at: u64,
    pub(super) key_size: u32,
    pub(super) data_size: u32,
}

impl Layout {
    /// Reads a header. `None` where it is none.
    pub(super) fn new(header: &[u8]) -> Option<Self> {
        let magic = *header.first_chunk()?;
        let is_big = is_magic(magic) && magic.first() == Some(&0x13);
        let magic = if is_big { u32::from_be_bytes(magic) } else { u32::from_le_bytes(magic) };
        let is_large = matches!(magic, LARGE | LARGE_COUNTED);
        if !is_large && !matches!(magic, OLD | SMALL | SMALL_COUNTED) {
            return None;
        }
        let mut layout =
            Self { is_big, is_large, before: 0, elements: 0, directory: 0, directory_len: 0, bits: 0, block: 0 };
        let mut header = Numbers { layout: &layout, bytes: header.get(4..)? };
        let block = header.number()?;
        let (directory, directory_len, bits) = (header.offset()?, header.number()?, header.number()?);
        let (bucket_len, elements) = (header.number()?, header.number()?);
        // The alignment is written nowhere: it is the one by which so many elements fit.
        let fits = |before: &u64| {
            let room = u64::from(bucket_len).saturating_sub(*before);
            room.checked_div(layout.element_len()) == Some(u64::from(elements))
        };
        let before = layout.lengths_before().into_iter().find(fits)?;
        if elements == 0 || bits > HASH_BITS {
            return None;
        }
        (layout.before, layout.elements) = (before, elements);
        (layout.directory, layout.directory_len, layout.bits) = (directory, directory_len, bits);
        layout.block = block;
        Some(layout)
    }

    /// How long a bucket may be before its elements, which is six pieces of free space and three numbers: 64-bit numbers
    /// begin at multiples of 8, or of 4 on i386.
    const fn lengths_before(&self) -> [u64; 2] {
        if self.is_large { [6 * 16 + 16, 6 * 12 + 12] } else { [6 * 8 + 12; 2] }
    }

    const fn element_len(&self) -> u64 {
        if self.is_large { 24 } else { 20 }
    }

    /// How long an offset is.
    pub(super) const fn offset_len(&self) -> u64 {
        if self.is_large { 8 } else { 4 }
    }

    /// Whether 64-bit numbers begin at multiples of 8.
    pub(super) const fn is_aligned(&self) -> bool {
        self.before == self.lengths_before()[0]
    }

    /// Which entry of the directory is that of a hash.
    pub(super) fn entry(&self, hash: u32) -> Option<u64> {
        Some(u64::from(hash) >> HASH_BITS.checked_sub(self.bits)?)
    }

    /// How many entries the directory has.
    pub(super) fn entries(&self) -> u64 {
        1_u64.checked_shl(self.bits).unwrap_or_default()
    }

    /// Where the directory has an entry.
    pub(super) fn place(&self, n: u64) -> Option<u64> {
        let at = n.checked_mul(self.offset_len())?;
        let end = at.checked_add(self.offset_len())?;
        (end <= u64::from(self.directory_len)).then_some(())?;
        self.directory.checked_add(at)
    }

    /// How long a bucket is up to the end of its elements.
    pub(super) fn bucket_len(&self) -> Option<u64> {
        u64::from(self.elements).checked_mul(self.element_len())?.checked_add(self.before)
    }

    /// The offset that these bytes are.
    pub(super) fn offset(&self, bytes: &[u8]) -> Option<u64> {
        Numbers { layout: self, bytes }.offset()
    }

    /// So many entries of the directory lead to a bucket: it has so many of their bits.
    pub(super) fn share(&self, bucket: &[u8]) -> Option<u64> {
        // Two numbers stand before the elements; where the structure is aligned, a gap is behind the first ones.
        let bits = self.before_elements(bucket, 8)?;
        1_u64.checked_shl(self.bits.checked_sub(bits)?)
    }

    /// How many elements of a bucket are in use.
    pub(super) fn count(&self, bucket: &[u8]) -> Option<u32> {
        self.before_elements(bucket, 4)
    }

    fn before_elements(&self, bucket: &[u8], bytes: u64) -> Option<u32> {
        let at = usize::try_from(self.before.checked_sub(bytes)?).ok()?;
        Numbers { layout: self, bytes: bucket.get(at..)? }.number()
    }

    /// The elements of a bucket, in the order in which a hash is looked for.
    pub(super) fn elements<'b>(&'b self, bucket: &'b [u8], hash: u32) -> impl Iterator<Item = Element> + 'b {
        let all = usize::try_from(self.before).ok().and_then(|before| bucket.get(before..)).unwrap_or_default();
        let len = usize::try_from(self.element_len()).unwrap_or(usize::MAX);
        let home = hash.checked_rem(self.elements).and_then(|home| usize::try_from(home).ok()).unwrap_or_default();
        let (before, after) = all.split_at_checked(home.saturating_mul(len)).unwrap_or((all, &[]));
        after.chunks_exact(len).chain(before.chunks_exact(len)).map_while(|bytes| self.element(bytes))
    }

    fn element(&self, bytes: &[u8]) -> Option<Element> {
        let hash = Numbers { layout: self, bytes }.number()?;
        // The beginning of the key comes first.
        let mut numbers = Numbers { layout: self, bytes: bytes.get(8..)? };
        Some(Element { hash, at: numbers.offset()?, key_size: numbers.number()?, data_size: numbers.number()? })
    }
}

/// Numbers one after another.
struct Numbers<'l, 'b> {
    layout: &'l Layout,
    bytes: &'b [u8],
}

impl Numbers<'_, '_> {
    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(if self.layout.is_big { u32::from_be_bytes(*number) } else { u32::from_le_bytes(*number) })
    }

    fn offset(&mut self) -> Option<u64> {
        if !self.layout.is_large {
            return self.number().map(u64::from);
        }
        let (number, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(if self.layout.is_big { u64::from_be_bytes(*number) } else { u64::from_le_bytes(*number) })
    }
}
