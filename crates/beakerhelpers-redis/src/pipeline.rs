//! Many commands in one turn.

use redis::{Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};

use crate::wire::Wire;

/// Commands that are sent together.
#[derive(Debug, Default)]
pub(crate) struct Pipeline {
    packed: Vec<u8>,
    commands: usize,
}

impl Pipeline {
    /// Adds a command.
    pub(crate) fn add(&mut self, command: &Cmd) {
        command.write_packed_command(&mut self.packed);
        self.commands += 1;
    }

    /// Adds a command of these words, which are many: the client's commands are put together more slowly.
    pub(crate) fn add_words(&mut self, words: &[&[u8]]) {
        self.head(b'*', words.len());
        for word in words {
            self.head(b'$', word.len());
            self.packed.extend_from_slice(word);
            self.packed.extend_from_slice(b"\r\n");
        }
        self.commands += 1;
    }

    fn head(&mut self, kind: u8, number: usize) {
        self.packed.push(kind);
        self.packed.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        self.packed.extend_from_slice(b"\r\n");
    }

    /// Sends them all and reads every answer: what the server answers to one, an error too, is a value here. After an
    /// error of the connection it must not be used any more.
    ///
    /// The client's own pipelines go on waiting for each of the answers after one of them did not come in time.
    pub(crate) fn run(&self, wire: &mut Wire) -> RedisResult<Vec<Value>> {
        if self.commands == 0 {
            return Ok(Vec::new());
        }
        self.send(wire)?;
        (0..self.commands).map(|_| wire.answer()).collect()
    }

    /// Sends them all and leaves the answers to the caller, who must read each or give the connection up.
    pub(crate) fn send(&self, wire: &mut Wire) -> RedisResult<()> {
        wire.send(&self.packed)
    }
}

/// The error in an answer, if it is one.
pub(crate) fn refusal(answer: &Value) -> Option<RedisError> {
    match answer {
        Value::ServerError(error) => Some(error.clone().into()),
        _ => None,
    }
}

/// The bytes of an answer; `None` where there is nothing.
pub(crate) fn bytes(answer: Value) -> RedisResult<Option<Vec<u8>>> {
    match answer {
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::SimpleString(text) => Ok(Some(text.into_bytes())),
        // A client that is too clever: the value was `OK`.
        Value::Okay => Ok(Some(b"OK".to_vec())),
        Value::Nil => Ok(None),
        Value::ServerError(error) => Err(error.into()),
        _ => Err(unexpected()),
    }
}

/// The number in an answer.
pub(crate) fn number(answer: &Value) -> RedisResult<i64> {
    match answer {
        Value::Int(number) => Ok(*number),
        _ => Err(refusal(answer).unwrap_or_else(unexpected)),
    }
}

pub(crate) fn unexpected() -> RedisError {
    (ErrorKind::UnexpectedReturnType, "the answer is none that the command has").into()
}

/// Whether the server says that the key holds something else than a string.
pub(crate) fn is_wrong_type(error: &RedisError) -> bool {
    error.code() == Some("WRONGTYPE")
}

/// Whether another node has the key, or will have it in a moment.
pub(crate) fn is_elsewhere(error: &RedisError) -> bool {
    let ErrorKind::Server(kind) = error.kind() else { return false };
    matches!(kind, ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::TryAgain)
}

#[cfg(test)]
mod tests {
    use redis::cmd;

    use super::*;

    #[test]
    fn words_are_packed_as_the_client_packs_them() {
        let key = [b"a\r\n\xff".as_slice(), &[b'x'; 1000]].concat();
        let (mut ours, mut theirs) = (Pipeline::default(), Pipeline::default());
        ours.add_words(&[b"GETRANGE", &key, b"0", b"16383"]);
        ours.add_words(&[b"PTTL", b""]);
        theirs.add(cmd("GETRANGE").arg(&key).arg(0).arg(16383));
        theirs.add(cmd("PTTL").arg(""));
        assert_eq!(ours.packed.escape_ascii().to_string(), theirs.packed.escape_ascii().to_string());
        assert_eq!(ours.commands, 2);
    }
}
