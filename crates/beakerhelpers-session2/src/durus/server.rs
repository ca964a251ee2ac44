//! Durus's server (`durus/storage_server.py` and `durus/client_storage.py`, 4.3).
//!
//! A command is a letter; numbers are four bytes, big-endian. The server remembers what each client has loaded and others
//! have changed since: whoever wants to commit is told first.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use beakerhelpers_core::{Error, ErrorKind, Result};

use super::storage::{Commit, LARGEST, Loaded, Oid, Storage};

/// The version of the protocol.
const PROTOCOL: [u8; 4] = [0, 0, 0, 1];
/// The server does one thing at a time, and may be packing.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection, for one transaction.
#[derive(Debug)]
pub(super) struct Server {
    stream: TcpStream,
    loaded: Vec<Oid>,
}

pub(super) fn connect(host: &str, port: u16, wait: Duration) -> Result<Server> {
    let mut nobody = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs().map_err(|error| failed(&error))? {
        match TcpStream::connect_timeout(&address, wait.max(Duration::from_millis(100))) {
            Ok(stream) => return greet(stream).map_err(|error| failed(&error)),
            Err(error) => nobody = error,
        }
    }
    Err(failed(&nobody))
}

fn greet(stream: TcpStream) -> io::Result<Server> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut server = Server { stream, loaded: Vec::new() };
    server.stream.write_all(&[b"V", &PROTOCOL[..]].concat())?;
    if server.bytes::<4>()? != PROTOCOL {
        return Err(strange());
    }
    Ok(server)
}

fn failed(error: &io::Error) -> Error {
    let (message, hint) = match error.kind() {
        io::ErrorKind::InvalidData => ("what answers is no Durus server", "correct `host` and `port`"),
        _ => ("the Durus server cannot be reached", "start the server, or correct `host` and `port`"),
    };
    Error::new(ErrorKind::Unavailable, message).with_hint(hint).with_source(io::Error::from(error.kind()))
}

fn strange() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}

impl Server {
    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn number(&mut self) -> io::Result<u32> {
        self.bytes().map(u32::from_be_bytes)
    }

    fn ask_for(&mut self, oid: Oid) -> io::Result<Loaded> {
        self.stream.write_all(&[b"L", &oid[..]].concat())?;
        match self.bytes()? {
            [b'O'] => {}
            [b'K'] => return Ok(Loaded::Missing),
            [b'I'] => return Ok(Loaded::Conflict),
            _ => return Err(strange()),
        }
        let len = u64::from(self.number()?);
        if len > LARGEST {
            return Err(strange());
        }
        let mut record = Vec::new();
        (&self.stream).take(len).read_to_end(&mut record)?;
        self.loaded.push(oid);
        if record.len() as u64 == len { Ok(Loaded::Record(record)) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn store(&mut self, records: &[(Oid, Vec<u8>)]) -> io::Result<Commit> {
        let mut data = Vec::new();
        for (oid, record) in records {
            let len = u32::try_from(record.len() + oid.len()).map_err(|_| strange())?;
            data.extend_from_slice(&len.to_be_bytes());
            data.extend_from_slice(oid);
            data.extend_from_slice(record);
        }
        let len = u32::try_from(data.len()).map_err(|_| strange())?;
        self.stream.write_all(b"C")?;
        let changed = self.number()?;
        let mut conflict = false;
        for _ in 0..changed {
            let oid = self.bytes()?;
            conflict |= self.loaded.contains(&oid);
        }
        if conflict {
            // Nothing is to be stored.
            self.stream.write_all(&[0; 4])?;
            return Ok(Commit::Conflict);
        }
        self.stream.write_all(&len.to_be_bytes())?;
        self.stream.write_all(&data)?;
        match self.bytes()? {
            [b'O'] => Ok(Commit::Done),
            [b'I'] => Ok(Commit::Conflict),
            _ => Err(strange()),
        }
    }
}

impl Storage for Server {
    fn load(&mut self, oid: Oid) -> Result<Loaded> {
        self.ask_for(oid).map_err(|error| failed(&error))
    }

    fn new_oid(&mut self) -> Result<Oid> {
        self.stream.write_all(b"N").and_then(|()| self.bytes()).map_err(|error| failed(&error))
    }

    fn commit(&mut self, records: &[(Oid, Vec<u8>)]) -> Result<Commit> {
        self.store(records).map_err(|error| failed(&error))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // So that the server need not find out by itself.
        let _ = self.stream.write_all(b".");
    }
}
