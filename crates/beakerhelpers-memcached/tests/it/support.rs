//! Servers of the tests' own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Mutex;
use std::thread;

use beakerhelpers_core::{Registry, SessionStore, StoreConfig};
use beakerhelpers_memcached as _;
use beakerhelpers_testkit::Server;
use beakerhelpers_testkit::servers::Kind;

/// Servers that no test uses now. They end with this process.
static IDLE: Mutex<Vec<Server>> = Mutex::new(Vec::new());

/// Empty servers that are a test's alone as long as this lives.
#[derive(Debug)]
pub(crate) struct Servers(Vec<Server>);

impl Servers {
    /// `None` where memcached is missing, which was told.
    pub(crate) fn take(number: usize) -> Option<Self> {
        let mut servers = Self(Vec::new());
        while servers.0.len() < number {
            let idle = IDLE.lock().expect("nothing panics here").pop();
            let server = match idle {
                Some(server) => server,
                None => Server::own(Kind::Memcached)?,
            };
            servers.0.push(server);
            let last = servers.0.len() - 1;
            assert_eq!(servers.ask(last, b"flush_all\r\n", "OK\r\n"), "OK\r\n");
        }
        Some(servers)
    }

    pub(crate) fn url(&self) -> String {
        let addresses: Vec<_> = self.0.iter().map(|server| format!("127.0.0.1:{}", server.port())).collect();
        addresses.join(";")
    }

    /// Sends a command to one of them, and gives its answer up to this end.
    pub(crate) fn ask(&self, server: usize, command: &[u8], end: &str) -> String {
        let mut connection = TcpStream::connect(("127.0.0.1", self.0[server].port())).expect("it listens");
        connection.write_all(command).expect("it reads");
        let mut answer = Vec::new();
        while !answer.ends_with(end.as_bytes()) {
            let mut byte = [0];
            connection.read_exact(&mut byte).expect("it answers");
            answer.push(byte[0]);
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(crate) fn item(&self, server: usize, key: &str) -> String {
        self.ask(server, format!("get {key}\r\n").as_bytes(), "END\r\n")
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        if !thread::panicking() {
            IDLE.lock().expect("nothing panics here").append(&mut self.0);
        }
    }
}

pub(crate) fn config(url: &str) -> StoreConfig {
    StoreConfig::new("beaker.session").with("type", "ext:memcached").with("url", url)
}

pub(crate) fn open(config: &StoreConfig) -> Box<dyn SessionStore> {
    Registry::linked().expect("no twins").open(config).expect("it opens")
}

/// A stand-in for another server: it hands on what it is told, and its answers, except that it answers with `answer` to
/// lines that begin with a word. Gives its address.
pub(crate) fn relay(to: &Servers, word: &'static str, answer: &'static str) -> String {
    let port = to.0[0].port();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has one").to_string();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || drop(hand_on(&client, port, word, answer)));
        }
    });
    address
}

fn hand_on(client: &TcpStream, port: u16, word: &str, answer: &str) -> std::io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", port))?;
    let (mut back, mut from) = (client.try_clone()?, server.try_clone()?);
    let answers = thread::spawn(move || std::io::copy(&mut from, &mut back).map(drop));
    let mut requests = BufReader::new(client);
    loop {
        let mut line = Vec::new();
        if requests.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.starts_with(word.as_bytes()) {
            (&mut &*client).write_all(answer.as_bytes())?;
            continue;
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        let words: Vec<_> = text.split_whitespace().collect();
        if let ["set" | "add" | "cas", _, _, _, len, ..] = words[..] {
            let len: u64 = len.parse().expect("a number");
            (&mut requests).take(len + 2).read_to_end(&mut line)?;
        }
        (&server).write_all(&line)?;
    }
    server.shutdown(Shutdown::Both)?;
    answers.join().expect("copying does not panic")
}
