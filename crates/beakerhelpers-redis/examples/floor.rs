//! The least that listing the sessions of a Redis can cost: `floor SOCKET USER PASSWORD DATABASE` walks over all keys by
//! `SCAN`, gets their values in pipelines, and keeps none. It prints how many there were and how many bytes they had.
//!
//! It speaks to the socket itself, without a client library, and asks for the next keys behind each page of values.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;

const PATTERN: &str = "beaker_cache:*:session";
const COUNT: &str = "512";

struct Redis {
    reader: BufReader<UnixStream>,
    writer: UnixStream,
    line: String,
    commands: Vec<u8>,
}

impl Redis {
    fn add(&mut self, words: &[&[u8]]) -> io::Result<()> {
        write!(self.commands, "*{}\r\n", words.len())?;
        for word in words {
            write!(self.commands, "${}\r\n", word.len())?;
            self.commands.extend_from_slice(word);
            self.commands.extend_from_slice(b"\r\n");
        }
        Ok(())
    }

    fn send(&mut self) -> io::Result<()> {
        self.writer.write_all(&self.commands)?;
        self.commands.clear();
        Ok(())
    }

    /// The number after the first byte of an answer.
    fn number(&mut self, kind: char) -> io::Result<i64> {
        self.line.clear();
        self.reader.read_line(&mut self.line)?;
        let number = self.line.strip_prefix(kind).and_then(|rest| rest.trim().parse().ok());
        number.ok_or_else(|| io::Error::other(format!("not expected: {}", self.line.trim())))
    }

    /// Reads bytes over those of before; `false` where there are none.
    fn bytes(&mut self, into: &mut Vec<u8>) -> io::Result<bool> {
        let Ok(length) = usize::try_from(self.number('$')?) else { return Ok(false) };
        into.resize(length + 2, 0);
        self.reader.read_exact(into)?;
        into.truncate(length);
        Ok(true)
    }

    fn expect_ok(&mut self) -> io::Result<()> {
        self.line.clear();
        self.reader.read_line(&mut self.line)?;
        if self.line == "+OK\r\n" { Ok(()) } else { Err(io::Error::other(self.line.trim())) }
    }
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [socket, user, password, database] = arguments.as_slice() else {
        return Err(io::Error::other("floor SOCKET USER PASSWORD DATABASE"));
    };
    let writer = UnixStream::connect(socket)?;
    let reader = BufReader::with_capacity(1 << 16, writer.try_clone()?);
    let mut redis = Redis { reader, writer, line: String::new(), commands: Vec::new() };
    redis.add(&[b"AUTH", user.as_bytes(), password.as_bytes()])?;
    redis.add(&[b"SELECT", database.as_bytes()])?;
    redis.send()?;
    redis.expect_ok()?;
    redis.expect_ok()?;

    let (mut cursor, mut keys, mut value) = (b"0".to_vec(), Vec::<Vec<u8>>::new(), Vec::new());
    let (mut sessions, mut bytes, mut begun) = (0_u64, 0_usize, false);
    while !begun || !keys.is_empty() || cursor != b"0" {
        for key in &keys {
            write!(redis.commands, "*2\r\n$3\r\nGET\r\n${}\r\n", key.len())?;
            redis.commands.extend_from_slice(key);
            redis.commands.extend_from_slice(b"\r\n");
        }
        let scans = !begun || cursor != b"0";
        if scans {
            redis.add(&[b"SCAN", &cursor, b"MATCH", PATTERN.as_bytes(), b"COUNT", COUNT.as_bytes()])?;
        }
        begun = true;
        redis.send()?;
        for _ in 0..keys.len() {
            if redis.bytes(&mut value)? {
                sessions += 1;
                bytes += value.len();
            }
        }
        keys.clear();
        if scans {
            redis.number('*')?;
            redis.bytes(&mut cursor)?;
            for _ in 0..redis.number('*')? {
                let mut key = Vec::new();
                redis.bytes(&mut key)?;
                keys.push(key);
            }
        }
    }
    writeln!(io::stdout(), "{sessions} sessions, {bytes} bytes")
}
