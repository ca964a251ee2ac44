//! Opcodes of protocols up to 2, and the few later ones that are used in later pickles.

/// Appends opcodes to a pickle.
pub(super) struct Opcodes<'o>(pub(super) &'o mut Vec<u8>);

impl Opcodes<'_> {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn int(&mut self, value: i64) {
        if let Ok(value) = u8::try_from(value) {
            self.0.extend([b'K', value]);
        } else if let Ok(value) = u16::try_from(value) {
            self.operand(b'M', value.to_le_bytes());
        } else if let Ok(value) = i32::try_from(value) {
            self.operand(b'J', value.to_le_bytes());
        } else {
            let bytes = value.to_le_bytes();
            // What repeats the sign says nothing.
            let spare = if value < 0 { value.leading_ones() } else { value.leading_zeros() }.saturating_sub(1) / 8;
            let len = bytes.len().saturating_sub(spare as usize);
            self.long(bytes.get(..len).unwrap_or(&bytes));
        }
    }

    /// An integer in two's complement, little endian.
    pub(super) fn long(&mut self, bytes: &[u8]) {
        self.sized(bytes, Some(0x8a), 0x8b);
    }

    pub(super) fn float(&mut self, value: f64) {
        self.operand(b'G', value.to_be_bytes());
    }

    /// A `str`; UTF-8 that may encode lone surrogates.
    pub(super) fn text(&mut self, utf8: &[u8]) {
        self.sized(utf8, None, b'X');
    }

    /// A `str` whose characters are these bytes.
    pub(super) fn latin1(&mut self, bytes: &[u8]) {
        let long = bytes.iter().filter(|byte| **byte >= 0x80).count();
        let len = bytes.len().saturating_add(long);
        self.operand(b'X', length(len));
        if long == 0 {
            return self.0.extend_from_slice(bytes);
        }
        self.0.reserve(len);
        for byte in bytes {
            if byte.is_ascii() {
                self.0.push(*byte);
            } else {
                // All else up to U+00FF is two bytes of UTF-8.
                self.0.extend([0xc0 | byte >> 6, 0x80 | byte & 0x3f]);
            }
        }
    }

    pub(super) fn python2_str(&mut self, bytes: &[u8]) {
        self.sized(bytes, Some(b'U'), b'T');
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.sized(bytes, Some(b'C'), b'B');
    }

    pub(super) fn global(&mut self, module: &str, name: &str) {
        self.0.push(b'c');
        for line in [module, name] {
            self.0.extend_from_slice(line.as_bytes());
            self.0.push(b'\n');
        }
    }

    pub(super) fn extension(&mut self, code: i32) {
        if let Ok(code) = u8::try_from(code) {
            self.0.extend([0x82, code]);
        } else if let Ok(code) = u16::try_from(code) {
            self.operand(0x83, code.to_le_bytes());
        } else {
            self.operand(0x84, code.to_le_bytes());
        }
    }

    pub(super) fn put(&mut self, number: u32) {
        memo_opcode(self.0, *b"qr", number);
    }

    pub(super) fn get(&mut self, number: u32) {
        memo_opcode(self.0, *b"hj", number);
    }

    fn sized(&mut self, bytes: &[u8], short: Option<u8>, long: u8) {
        text_opcode(self.0, bytes, short, long);
    }

    fn operand<const N: usize>(&mut self, opcode: u8, operand: [u8; N]) {
        self.0.push(opcode);
        self.0.extend_from_slice(&operand);
    }
}

/// Appends an opcode that puts into the memo or gets from it: the short one where the number allows it.
pub(crate) fn memo_opcode(out: &mut Vec<u8>, [short, long]: [u8; 2], number: u32) {
    if let Ok(number) = u8::try_from(number) {
        out.extend([short, number]);
    } else {
        let [a, b, c, d] = number.to_le_bytes();
        out.extend_from_slice(&[long, a, b, c, d]);
    }
}

/// Appends bytes behind an opcode and their length: in one byte where there is an opcode for it and they are few.
pub(crate) fn text_opcode(out: &mut Vec<u8>, bytes: &[u8], short: Option<u8>, long: u8) {
    text_head(out, bytes.len(), short, long);
    out.extend_from_slice(bytes);
}

/// Appends an opcode and the length of the bytes that are to follow.
pub(crate) fn text_head(out: &mut Vec<u8>, len: usize, short: Option<u8>, long: u8) {
    if let (Some(short), Ok(len)) = (short, u8::try_from(len)) {
        out.extend_from_slice(&[short, len]);
    } else {
        let [a, b, c, d] = length(len);
        out.extend_from_slice(&[long, a, b, c, d]);
    }
}

/// No text here is as long as 4 GiB: payloads have at most 1.
fn length(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes()
}
