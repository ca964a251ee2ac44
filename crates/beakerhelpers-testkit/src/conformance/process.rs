//! Other processes, played by the test program itself.

use std::any::Any;
use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use beakerhelpers_core::{Framing, Record, SaveMode, SessionId, SessionStore, Timestamp};

use super::others;
use super::payload::Form;
use super::subject::NOW;

const ROLE: &str = "BEAKERHELPERS_TEST_ROLE";
const PLACE: &str = "BEAKERHELPERS_TEST_PLACE";
/// Whether objects are to be text.
const TEXT: &str = "BEAKERHELPERS_TEST_TEXT";
/// What a line begins with that is for the other side: the test harness prints some of its own.
const MARK: char = '\u{1}';

/// Opens the store that is in a place. Another process is told the place in the same words.
pub type OpenPlace<'o> = &'o dyn Fn(&str) -> Box<dyn SessionStore>;

/// A place that several processes use, and the store of this one.
#[derive(Debug)]
pub struct Place {
    /// The path of the test that plays the others.
    player: String,
    whereabouts: String,
    form: Form,
    store: Box<dyn SessionStore>,
    // Last, so that it outlives the store.
    _guard: Box<dyn Any>,
}

/// A fresh place: what must outlive it, and where it is.
pub trait Found {
    /// What must outlive it.
    type Guard: 'static;

    /// `None`: what it needs is missing, which was told.
    fn found(self) -> Option<(Self::Guard, String)>;
}

impl<G: 'static> Found for (G, String) {
    type Guard = G;

    fn found(self) -> Option<Self> {
        Some(self)
    }
}

impl<G: 'static> Found for Option<(G, String)> {
    type Guard = G;

    fn found(self) -> Self {
        self
    }
}

/// Runs one behaviour in a fresh place, whose store must say that it is safe for many processes. `player` is the path of
/// the test that calls [`play`].
pub fn run<F: Found>(
    player: &str,
    place: &dyn Fn() -> F,
    open: OpenPlace<'_>,
    framing: Framing,
    behaviour: fn(&Place),
) {
    let Some((guard, place)) = place().found() else { return };
    let store = open(&place);
    assert!(store.info().capabilities.multiprocess_safe, "this place promises nothing that could be tried");
    // The harness knows tests without the name of their crate.
    let player = player.split_once("::").map_or(player, |(_, path)| path).to_owned();
    let form = Form::of(&*store, framing);
    behaviour(&Place { player, whereabouts: place, form, store, _guard: Box::new(guard) });
}

/// Plays the role that the environment gives, if it gives one.
pub fn play(open: OpenPlace<'_>, framing: Framing) {
    let (Ok(role), Ok(place)) = (env::var(ROLE), env::var(PLACE)) else { return };
    let store = open(&place);
    let form = match framing {
        Framing::Object if env::var_os(TEXT).is_some() => Form::ObjectText,
        Framing::Object => Form::Object,
        framing => Form::Dict(framing),
    };
    let place = Place { player: String::new(), whereabouts: place, form, store, _guard: Box::new(()) };
    say("ready");
    io::stdin().read_line(&mut String::new()).expect("it is told to go");
    for line in others::play(&place, &role) {
        say(&line);
    }
    say("done");
}

impl Place {
    pub(super) fn store(&self) -> &dyn SessionStore {
        &*self.store
    }

    /// Starts another process that waits to be told to go.
    pub(super) fn start(&self, role: &str) -> Other {
        let program = env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .args(["--exact", &self.player, "--nocapture", "--test-threads", "1"])
            .env(ROLE, role)
            .env(PLACE, &self.whereabouts)
            .envs(matches!(self.form, Form::ObjectText).then_some((TEXT, "1")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts again");
        let (input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let mut other = Other { child, input, output: BufReader::new(output) };
        assert_eq!(other.line().as_deref(), Some("ready"), "another process does not start");
        other
    }

    /// A session in use that tells who saved it and when, and whose length and bytes follow from that.
    pub(super) fn tagged(&self, id: &str, name: &str, round: usize) -> Record {
        self.form.record(id, NOW, note(name, round).as_bytes())
    }

    /// A session of this access time.
    pub(super) fn aged(&self, id: &str, accessed: Timestamp) -> Record {
        self.form.record(id, accessed, b"")
    }

    pub(super) fn save(&self, record: &Record) {
        self.store.save(record, SaveMode::Upsert).expect("the store saves while others use it");
    }

    pub(super) fn load(&self, id: &str) -> Option<Record> {
        self.store.load(&SessionId::new(id)).expect("the store loads while others use it")
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.store.has(&SessionId::new(id)).expect("the store answers while others use it")
    }

    /// Checks that a record is as [`tagged`](Self::tagged) made it, by whomever.
    #[track_caller]
    pub(super) fn assert_whole(&self, record: &Record) {
        let text = String::from_utf8_lossy(record.payload.bytes());
        let tag = text.split_once(TAG).and_then(|(_, rest)| rest.split_once(TAG));
        let (name, round) = tag.and_then(|(tag, _)| tag.split_once(' ')).expect("it tells who saved it");
        let expected = self.tagged(record.id.as_str(), name, round.parse().expect("a number"));
        assert!(record.payload == expected.payload, "a record is torn");
    }

    /// Checks that this is stored.
    #[track_caller]
    pub(super) fn assert_stored(&self, expected: &Record) {
        let stored = self.load(expected.id.as_str()).expect("a session is lost");
        assert!(stored.payload == expected.payload, "another session is stored");
    }
}

/// Says something to the process that started this one.
pub(super) fn say(text: &str) {
    let mut out = io::stdout().lock();
    // A line of its own, whatever the harness has begun. Nobody listens where this one is about to be killed.
    let _ = writeln!(out, "\n{MARK}{text}").and_then(|()| out.flush());
}

/// Stands around name and round in a note.
const TAG: &str = "<|>";

/// Name and round, and a filling.
fn note(name: &str, round: usize) -> String {
    let filling = name.chars().next_back().unwrap_or('x').to_string();
    format!("{TAG}{name} {round}{TAG}{}", filling.repeat(round * 7919 % 20_000))
}

/// Another process at work. It is killed when it is dropped.
pub(super) struct Other {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Other {
    /// Lets it begin.
    pub(super) fn go(&mut self) {
        self.tell("");
    }

    /// Gives it a line to read.
    pub(super) fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("it reads this");
    }

    /// The next thing that it says; `None` at its end.
    pub(super) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        while self.output.read_line(&mut line).expect("it prints text") > 0 {
            if let Some(said) = line.strip_prefix(MARK) {
                return Some(said.trim_end().to_owned());
            }
            line.clear();
        }
        None
    }

    /// All that it says until it is done; `None` where it failed.
    pub(super) fn finish(mut self) -> Option<Vec<String>> {
        let mut said = Vec::new();
        loop {
            match self.line()? {
                done if done == "done" => return Some(said),
                line => said.push(line),
            }
        }
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
