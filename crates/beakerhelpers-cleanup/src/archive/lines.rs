//! The lines of all gzip members of a file.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

use super::LONGEST;

/// So much of a member is decompressed at once.
const BUFFER: usize = 1 << 16;

/// Reads lines, one after the other.
pub(super) enum Lines<R> {
    /// Before a member, or at the end.
    Between(R),
    /// In the middle of a member.
    Within(Box<BufReader<GzDecoder<R>>>),
    /// After an error nothing more is read.
    Over,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Line,
    /// A line longer than any that is written was passed over.
    TooLong,
    /// The member was whole.
    MemberEnd,
    End,
}

/// Why nothing comes next.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The file ends in the middle of a member.
    Torn,
    /// These are no gzip members.
    Damaged,
    Io(io::Error),
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self::Between(reader)
    }

    /// Reads a line without its end, or to the end of a member.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> Result<Next, Trouble> {
        line.clear();
        match std::mem::replace(self, Self::Over) {
            Self::Over => Ok(Next::End),
            Self::Between(mut reader) => {
                // A disk that lost power may leave zeros where the last batch was to be.
                match reader.fill_buf().map_err(Trouble::Io)?.first() {
                    None => return Ok(Next::End),
                    Some(0) => return Err(Trouble::Torn),
                    Some(_) => {}
                }
                *self = Self::Within(Box::new(BufReader::with_capacity(BUFFER, GzDecoder::new(reader))));
                self.next(line)
            }
            Self::Within(mut member) => {
                let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX).saturating_add(1);
                let read = (&mut *member).take(limit).read_until(b'\n', line).map_err(Trouble::of)?;
                if read == 0 {
                    *self = Self::Between(member.into_inner().into_inner());
                    return Ok(Next::MemberEnd);
                }
                let whole = line.pop_if(|last| *last == b'\n').is_some();
                let too_long = line.len() > LONGEST;
                if too_long && !whole {
                    member.skip_until(b'\n').map_err(Trouble::of)?;
                }
                *self = Self::Within(member);
                Ok(if too_long { Next::TooLong } else { Next::Line })
            }
        }
    }
}

impl Trouble {
    fn of(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Torn,
            // What flate2 says of a wrong header, checksum or code.
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Self::Damaged,
            _ => Self::Io(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn member(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// The lines, `|` for the end of a member, and what it ends with.
    fn read(bytes: &[u8]) -> String {
        let (mut lines, mut line, mut out) = (Lines::new(bytes), Vec::new(), Vec::new());
        loop {
            out.push(match lines.next(&mut line) {
                Ok(Next::Line) => String::from_utf8_lossy(&line).into_owned(),
                Ok(Next::TooLong) => "long".to_owned(),
                Ok(Next::MemberEnd) => "|".to_owned(),
                Ok(Next::End) => return out.join(" ") + " end",
                Err(error) => {
                    assert_eq!(lines.next(&mut line).unwrap(), Next::End, "an error is the end");
                    return out.join(" ") + &format!(" {error:?}");
                }
            });
        }
    }

    #[test]
    fn members_follow_one_another() {
        assert_eq!(read(b""), " end");
        let file = [member(b"a\nb\n"), member(b""), member(b"c\nd")].concat();
        assert_eq!(read(&file), "a b | | c d | end");
        assert_eq!(read(&[&file[..], &[0; 40]].concat()), "a b | | c d | Torn");
    }

    #[test]
    fn wherever_it_is_cut_whole_members_are_read() {
        let (first, second) = (member(b"a\n"), member(b"b\n"));
        let file = [&first[..], &second[..]].concat();
        for len in 1..file.len() {
            let text = read(&file[..len]);
            assert_eq!(text.contains('|'), len >= first.len(), "cut at {len}: {text}");
            assert_eq!(text.ends_with("Torn"), len != first.len(), "cut at {len}: {text}");
        }
    }

    #[test]
    fn whatever_is_changed_is_noticed() {
        let first = member(b"{\"id\":\"abcdefgh\"}\n");
        let file = [&first[..], &member(b"b\n")].concat();
        let whole = read(&file);
        for at in 0..first.len() {
            let mut changed = file.clone();
            changed[at] ^= 0x55;
            let text = read(&changed);
            // Bytes 3 to 9 hold flags, time and system, of which nothing depends on most.
            assert!(!text.contains('|') || (3..10).contains(&at) && text == whole, "byte {at}: {text}");
        }
        assert_eq!(read(b"plain text"), " Damaged");
    }

    #[test]
    fn lines_without_end_take_no_memory() {
        let bomb = member(&[&vec![b'a'; LONGEST + 10][..], b"\nshort\n", &vec![b'b'; LONGEST + 1][..]].concat());
        assert!(bomb.len() < 2_000_000);
        assert_eq!(read(&bomb), "long short long | end");
    }
}
