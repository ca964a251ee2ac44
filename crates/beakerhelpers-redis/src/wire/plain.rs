//! A connection that is not encrypted.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use redis::{
    Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, RedisConnectionInfo, RedisError, RedisResult, ServerErrorKind,
    Value, cmd,
};

use super::answers::Answers;
use crate::pipeline::refusal;

/// A socket, and what was read ahead of it.
pub(crate) struct Plain(Answers<Box<dyn Socket>>);

trait Socket: Read + Write + Send {}

impl<S: Read + Write + Send> Socket for S {}

impl Plain {
    pub(crate) fn open(info: &ConnectionInfo, wait: Duration) -> RedisResult<Self> {
        let mut plain = Self(Answers::new(connect(info.addr(), wait)?));
        plain.log_in(info.redis_settings())?;
        Ok(plain)
    }

    /// Logs in and chooses the database. The errors are those of the client, with which other connections are made.
    fn log_in(&mut self, login: &RedisConnectionInfo) -> RedisResult<()> {
        if let Some(password) = login.password() {
            let mut answer = self.one(cmd("AUTH").arg(login.username()).arg(password))?;
            // Redis before 6 has no users.
            if refusal(&answer).is_some_and(|error| detail(&error).contains("wrong number of arguments")) {
                answer = self.one(cmd("AUTH").arg(password))?;
            }
            if answer != Value::Okay {
                return Err((ErrorKind::AuthenticationFailed, "the user or the password is refused").into());
            }
        }
        if login.db() != 0 {
            let answer = self.one(cmd("SELECT").arg(login.db()))?;
            if let Some(error) = refusal(&answer) {
                let kind = ErrorKind::Server(ServerErrorKind::ResponseError);
                return Err(RedisError::from((kind, "the database is refused", detail(&error).to_owned())));
            }
        }
        Ok(())
    }

    fn one(&mut self, command: &Cmd) -> RedisResult<Value> {
        self.send(&command.get_packed_command())?;
        self.answer()
    }

    pub(crate) fn send(&mut self, packed: &[u8]) -> RedisResult<()> {
        Ok(self.0.get_mut().write_all(packed)?)
    }

    pub(crate) fn answer(&mut self) -> RedisResult<Value> {
        self.0.next()
    }

    pub(crate) fn answer_up_to(&mut self, most: usize) -> RedisResult<Option<Value>> {
        self.0.next_up_to(most)
    }
}

fn detail(error: &RedisError) -> &str {
    error.detail().unwrap_or_default()
}

fn connect(address: &ConnectionAddr, wait: Duration) -> RedisResult<Box<dyn Socket>> {
    match address {
        ConnectionAddr::Tcp(host, port) => {
            let socket = tcp(host, *port, wait)?;
            socket.set_nodelay(true)?;
            socket.set_read_timeout(Some(wait))?;
            socket.set_write_timeout(Some(wait))?;
            Ok(Box::new(socket))
        }
        #[cfg(unix)]
        ConnectionAddr::Unix(path) => {
            let socket = std::os::unix::net::UnixStream::connect(path)?;
            socket.set_read_timeout(Some(wait))?;
            socket.set_write_timeout(Some(wait))?;
            Ok(Box::new(socket))
        }
        _ => Err((ErrorKind::InvalidClientConfig, "there are no such connections here").into()),
    }
}

/// Connects to the first address of a host that takes the connection in time.
fn tcp(host: &str, port: u16, wait: Duration) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::AddrNotAvailable, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, wait) {
            Ok(socket) => return Ok(socket),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}
