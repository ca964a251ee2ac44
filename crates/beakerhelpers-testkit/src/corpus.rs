//! The recorded stores: what releases of Beaker wrote that no longer run everywhere.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use tempfile::TempDir;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus");

/// A store as a release of Beaker left it, and what is in it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedStore {
    /// `py27-b1.6.4-sqlite`.
    pub name: String,
    /// The kind of store: `sqlite`, `file`, `dbm`.
    pub backend: String,
    /// The release of Beaker, `1.6.4`.
    pub beaker: String,
    /// The release of Python, `2.7.18`.
    pub python: String,
    /// The library that encrypted it, if one did.
    pub crypto: Option<String>,
    /// When it was made, in seconds since the epoch.
    pub made_at: f64,
    /// What is in it.
    pub sessions: Vec<RecordedSession>,
}

/// A session of a recorded store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedSession {
    /// What it is there for: `datetimes`.
    pub name: String,
    /// Its id.
    pub id: String,
    /// What a reader is to make of it.
    pub state: RecordedState,
    /// What is special about it; empty where nothing is.
    pub note: String,
    /// The values in the order of their keys; empty unless the state is live.
    pub values: Vec<RecordedValue>,
}

/// What a reader is to make of a recorded session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordedState {
    /// It is a session.
    Live,
    /// It is a session with an object whose class is gone; Python cannot read it, we can.
    LiveUnimportable,
    /// Its application deleted it, and Beaker left a stub.
    Deleted,
    /// It cannot be read.
    Corrupt,
    /// It is made to harm a careless reader.
    Hostile,
    /// It is no session but a row of a Beaker cache.
    CacheRow,
}

/// A value of a recorded session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedValue {
    /// The key.
    pub key: String,
    /// The name of its Python type.
    pub type_name: String,
    /// What Python's `str()` made of it when the store was made.
    pub text: String,
    /// The bytes of a Python 2 byte string.
    pub bytes: Option<Vec<u8>>,
    /// The local time, in UTC, that the original shows for one of Beaker's two time keys.
    pub display: Option<String>,
    /// Whether `text` comes from code of the class, which a reader that runs no code cannot know.
    pub needs_python: bool,
}

/// A copy of a recorded store, which a test may change. It is removed when it is dropped.
#[derive(Debug)]
pub struct RecordedCopy(TempDir);

impl RecordedCopy {
    /// The ini file that describes the store.
    pub fn config(&self) -> PathBuf {
        self.0.path().join("config.ini")
    }

    /// The directory that holds it all.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl RecordedStore {
    /// Copies it to a directory of its own.
    pub fn copy(&self) -> RecordedCopy {
        let copy = tempfile::tempdir().expect("a temporary directory");
        copy_into(&Path::new(CORPUS).join(&self.name), copy.path());
        RecordedCopy(copy)
    }

    /// The session of this name.
    pub fn session(&self, name: &str) -> &RecordedSession {
        self.sessions.iter().find(|session| session.name == name).expect("a session of this name")
    }
}

/// Reads what is known of every recorded store.
pub fn corpus() -> Vec<RecordedStore> {
    let mut names: Vec<String> = fs::read_dir(CORPUS)
        .expect("the recorded stores are there")
        .map(|entry| entry.expect("a readable directory"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().expect("a plain name"))
        .collect();
    names.sort();
    names.into_iter().map(read).collect()
}

/// The recorded store of this name, `sqlite-mixed`.
pub fn recorded_store(name: &str) -> RecordedStore {
    read(name.to_owned())
}

fn read(name: String) -> RecordedStore {
    let path = Path::new(CORPUS).join(&name).join("expected.json");
    let json = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let json: Json = serde_json::from_slice(&json).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    RecordedStore {
        backend: text(&json["backend"]),
        beaker: text(&json["versions"]["beaker"]),
        python: text(&json["versions"]["python"]),
        crypto: json["crypto"].as_str().map(str::to_owned),
        made_at: json["made_at"].as_f64().expect("a time"),
        sessions: items(&json["sessions"]).iter().map(session).collect(),
        name,
    }
}

fn session(json: &Json) -> RecordedSession {
    RecordedSession {
        name: text(&json["name"]),
        id: text(&json["id"]),
        state: match json["state"].as_str() {
            Some("live") => RecordedState::Live,
            Some("live-unimportable") => RecordedState::LiveUnimportable,
            Some("deleted") => RecordedState::Deleted,
            Some("corrupt") => RecordedState::Corrupt,
            Some("hostile") => RecordedState::Hostile,
            Some("cache-row") => RecordedState::CacheRow,
            other => panic!("unknown state {other:?}"),
        },
        note: json["note"].as_str().unwrap_or_default().to_owned(),
        values: items(&json["values"]).iter().map(value).collect(),
    }
}

fn value(json: &Json) -> RecordedValue {
    RecordedValue {
        key: text(&json["key"]),
        type_name: text(&json["type"]),
        text: text(&json["str"]),
        bytes: json["bytes_hex"].as_str().map(from_hex),
        display: json["display"].as_str().map(str::to_owned),
        needs_python: json["needs_python"].as_bool().unwrap_or(false),
    }
}

fn items(json: &Json) -> &[Json] {
    json.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(json: &Json) -> String {
    json.as_str().expect("a text").to_owned()
}

fn from_hex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.chars().map(|digit| u8::try_from(digit.to_digit(16).expect("a hex digit")).expect("small")).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Copies a directory with what is below it. The copies can be written to, whatever the originals allow.
fn copy_into(from: &Path, to: &Path) {
    let mut pending = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = pending.pop() {
        fs::create_dir_all(&to).expect("a directory for the copy");
        for entry in fs::read_dir(&from).expect("a readable directory") {
            let entry = entry.expect("a readable directory");
            let (from, to) = (entry.path(), to.join(entry.file_name()));
            if from.is_dir() {
                pending.push((from, to));
            } else {
                fs::write(to, fs::read(from).expect("a readable file")).expect("room for the copy");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recorded_store_is_described() {
        let corpus = corpus();
        let described: Vec<_> = corpus
            .iter()
            .map(|store| (store.name.as_str(), store.backend.as_str(), store.beaker.as_str(), store.sessions.len()))
            .collect();
        assert_eq!(
            described,
            [
                ("dbm-gnu", "dbm", "1.14.1", 4),
                ("dbm-ndbm-bdb", "dbm", "1.14.1", 4),
                ("py27-b1.11.0-sqlite-enc", "sqlite", "1.11.0", 13),
                ("py27-b1.5.4-dbm", "dbm", "1.5.4", 13),
                ("py27-b1.6.4-file-enc", "file", "1.6.4", 13),
                ("py27-b1.6.4-sqlite", "sqlite", "1.6.4", 13),
                ("sqlite-mixed", "sqlite", "1.14.1", 31),
            ]
        );
        let values = corpus.iter().flat_map(|store| &store.sessions).map(|session| session.values.len());
        assert_eq!(values.sum::<usize>(), 37 + 37 + 109 + 85 * 3 + 43);
        let store = recorded_store("py27-b1.6.4-sqlite");
        let john = &store.session("ascii").values[3];
        assert_eq!(john.bytes.as_deref(), Some(b"john@doe.com".as_slice()));
    }

    #[test]
    fn a_copy_can_be_changed_and_goes_away() {
        let store = recorded_store("py27-b1.6.4-file-enc");
        let (one, two) = (store.copy(), store.copy());
        fs::write(one.config(), "").expect("it can be written");
        assert!(!fs::read(two.config()).expect("it is there").is_empty());
        let path = one.path().to_owned();
        assert!(path.join("data/container_file").is_dir());
        drop(one);
        assert!(!path.exists());
    }
}
