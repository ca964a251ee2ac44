//! A connection to one server, over which very many answers may come: reading all sessions.

mod answers;
mod plain;

use std::time::Duration;

use redis::{Cmd, Connection, ConnectionAddr, ConnectionInfo, RedisResult, Value};

use self::plain::Plain;
use crate::connection::connect;
use crate::pipeline::refusal;

/// One connection, logged in.
pub(crate) enum Wire {
    /// Answers are read here: the client's parser, which knows all that Redis can say, takes longer than the server.
    Plain(Plain),
    /// The client encrypts.
    Encrypted(Box<Connection>),
}

impl Wire {
    /// Connects within some time, which each read and each write may then take, too.
    pub(crate) fn open(info: &ConnectionInfo, wait: Duration) -> RedisResult<Self> {
        match info.addr() {
            ConnectionAddr::TcpTls { .. } => Ok(Self::Encrypted(Box::new(connect(info, wait)?))),
            _ => Ok(Self::Plain(Plain::open(info, wait)?)),
        }
    }

    /// Sends packed commands. Each has an answer, which must be read, or the connection be given up.
    pub(crate) fn send(&mut self, packed: &[u8]) -> RedisResult<()> {
        match self {
            Self::Plain(plain) => plain.send(packed),
            // A page of keys may have none, and the client takes that for a mistake.
            Self::Encrypted(_) if packed.is_empty() => Ok(()),
            Self::Encrypted(connection) => connection.send_packed_command(packed),
        }
    }

    /// The next answer. What the server refuses is a value here.
    pub(crate) fn answer(&mut self) -> RedisResult<Value> {
        match self {
            Self::Plain(plain) => plain.answer(),
            Self::Encrypted(connection) => connection.recv_response(),
        }
    }

    /// The next answer, but for a string of more bytes, which is passed over: `None`. The client that encrypts has all of it
    /// in memory for a moment.
    pub(crate) fn answer_up_to(&mut self, most: usize) -> RedisResult<Option<Value>> {
        match self {
            Self::Plain(plain) => plain.answer_up_to(most),
            Self::Encrypted(_) => {
                let answer = self.answer()?;
                Ok(Some(answer).filter(|answer| !matches!(answer, Value::BulkString(bytes) if bytes.len() > most)))
            }
        }
    }

    /// Runs one command where no answer is on its way. What the server refuses is an error.
    pub(crate) fn ask(&mut self, command: &Cmd) -> RedisResult<Value> {
        self.send(&command.get_packed_command())?;
        let answer = self.answer()?;
        refusal(&answer).map_or(Ok(answer), Err)
    }
}
