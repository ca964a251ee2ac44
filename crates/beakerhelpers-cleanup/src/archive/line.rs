//! One line of an archive.

use std::borrow::Cow;
use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use beakerhelpers_core::{
    Cutoff, Error, Framing, NaiveTime, Payload, Record, Result, SessionId, StoreInfo, Timestamp, Zone,
};
use serde::{Deserialize, Serialize};

use super::LONGEST;

/// The format that this version writes, and reads.
const VERSION: u32 = 1;
/// The last line of an archive is no longer than this, whatever a later version adds to it.
const LONGEST_END: usize = 1000;
/// What the first line of an archive calls itself.
const NAME: &str = "beakerhelpers";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header<'a> {
    #[serde(borrow)]
    archive: Cow<'a, str>,
    version: u32,
    #[serde(borrow)]
    store: Cow<'a, str>,
    /// The type of the store.
    #[serde(borrow, rename = "type")]
    store_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    cutoff: Option<Cow<'a, str>>,
}

/// Whose sessions are in an archive.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Where they were, without password.
    pub(super) store: String,
    pub(super) store_type: Option<String>,
}

impl<'a> Header<'a> {
    pub(super) fn new(store: &'a StoreInfo, cutoff: Cutoff) -> Self {
        Self {
            archive: NAME.into(),
            version: VERSION,
            store: store.location.as_str().into(),
            store_type: Some(store.store_type.into()),
            cutoff: rfc3339(cutoff.at()).map(Cow::Owned),
        }
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }

    /// Reads a first line.
    pub(super) fn read(line: &'a [u8]) -> Result<Source> {
        let header = serde_json::from_slice::<Self>(line).ok().filter(|header| header.archive == NAME);
        let header = header.ok_or_else(no_archive)?;
        if header.version != VERSION {
            return Err(Error::unsupported(format!(
                "the archive has version {} of its format, and this program reads version {VERSION}",
                header.version
            ))
            .with_hint("restore it with the version of beakerhelpers that wrote it, or a later one"));
        }
        Ok(Source { store: header.store.into_owned(), store_type: header.store_type.map(Cow::into_owned) })
    }
}

/// The last line: the cleanup has ended, and whatever it deleted is in the archive.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    /// How many lines there are for sessions.
    pub(super) end_after: u64,
}

impl End {
    pub(super) fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }

    pub(super) fn read(line: &[u8]) -> Option<Self> {
        // A session of megabytes need not be gone through for this.
        (line.len() <= LONGEST_END).then(|| serde_json::from_slice(line).ok()).flatten()
    }
}

pub(super) fn no_archive() -> Error {
    Error::config("the file is not an archive of `beakerhelpers cleanup --archive`")
}

/// The lines in between.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    created: Option<Cow<'a, str>>,
    #[serde(borrow)]
    accessed: Option<Cow<'a, str>>,
    #[serde(borrow)]
    framing: Cow<'a, str>,
    #[serde(borrow)]
    payload: Cow<'a, str>,
}

/// Writes a record as a line.
pub(super) fn write(record: &Record, out: &mut dyn Write) -> Result<(), WriteError> {
    // Each byte of an id has six characters at most.
    let longest = record.payload.bytes().len() / 3 * 4 + record.id.as_str().len().saturating_mul(6);
    if longest.saturating_add(300) > LONGEST {
        return Err(WriteError::TooLarge);
    }
    let framing = match record.payload.framing() {
        Framing::Namespace => "namespace",
        Framing::Value => "value",
        Framing::Text => "text",
        Framing::Object => "object",
        _ => return Err(WriteError::UnknownFraming),
    };
    let line = Line {
        id: record.id.as_str().into(),
        created: record.created.and_then(rfc3339).map(Cow::Owned),
        accessed: record.accessed.and_then(rfc3339).map(Cow::Owned),
        framing: framing.into(),
        payload: STANDARD.encode(record.payload.bytes()).into(),
    };
    serde_json::to_writer(&mut *out, &line).map_err(|error| WriteError::Io(error.into()))?;
    out.write_all(b"\n").map_err(WriteError::Io)
}

/// Why a record cannot be written.
#[derive(Debug)]
pub(super) enum WriteError {
    TooLarge,
    UnknownFraming,
    Io(std::io::Error),
}

/// Reads a line that holds a record. What is wrong with it is said without its contents.
pub(super) fn read(line: &[u8]) -> Result<Record, &'static str> {
    let line = serde_json::from_slice::<Line<'_>>(line).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => "it lacks a key of a session, or has a value of another type",
        _ => "it is no JSON object",
    })?;
    let framing = match &*line.framing {
        "namespace" => Framing::Namespace,
        "value" => Framing::Value,
        "text" => Framing::Text,
        "object" => Framing::Object,
        _ => return Err("its framing is unknown"),
    };
    let time = |text: Option<Cow<'_, str>>| text.map(|text| instant(&text).ok_or("a time is malformed")).transpose();
    let bytes = STANDARD.decode(&*line.payload).map_err(|_| "its payload is not base64")?;
    let record = Record::new(SessionId::new(line.id), Payload::new(framing, bytes));
    Ok(record.with_times(time(line.created)?, time(line.accessed)?))
}

/// An instant as `2026-11-20T20:07:06.489316Z`; `None` outside of the years 1 to 9999, which no column holds.
fn rfc3339(at: Timestamp) -> Option<String> {
    let mut text = String::new();
    Zone::UTC.push_rfc3339(at, &mut text);
    text.strip_suffix("+00:00").map(|text| format!("{text}Z"))
}

fn instant(text: &str) -> Option<Timestamp> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    Some(Zone::UTC.instant_of(NaiveTime::parse(format!("{date} {time}").as_bytes())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(record: &Record) -> String {
        let mut out = Vec::new();
        write(record, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_is_what_the_documentation_says() {
        let payload = Payload::new(Framing::Namespace, b"\x80\x02}s.".to_vec());
        let record = Record::new(SessionId::new("a\n\"ž"), payload)
            .with_times(Some(Timestamp::from_micros(-1)), Some(Timestamp::from_micros(1_768_478_400_250_000)));
        let text = line(&record);
        assert_eq!(
            text,
            "{\"id\":\"a\\n\\\"ž\",\"created\":\"1969-12-31T23:59:59.999999Z\",\
             \"accessed\":\"2026-01-15T12:00:00.250000Z\",\"framing\":\"namespace\",\"payload\":\"gAJ9cy4=\"}\n"
        );
        assert_eq!(read(text.as_bytes()), Ok(record));
    }

    #[test]
    fn every_record_comes_back() {
        for framing in [Framing::Namespace, Framing::Value, Framing::Text, Framing::Object] {
            for bytes in [vec![], vec![0; 100_001], (0..=255).collect()] {
                for id in ["", "\u{0}\u{7f}\u{2028}", "{\"id\":1}"] {
                    let record = Record::new(SessionId::new(id), Payload::new(framing, bytes.clone()));
                    assert_eq!(read(line(&record).as_bytes()), Ok(record));
                }
            }
        }
    }

    #[test]
    fn what_is_malformed_is_said_without_contents() {
        let whole = "{\"id\":\"5ecret\",\"created\":null,\"accessed\":null,\"framing\":\"value\",\"payload\":\"AAAA\"}";
        assert!(read(whole.as_bytes()).is_ok());
        for (from, to) in [
            ("5ecret\"", "5ecret"),
            ("\"5ecret\"", "5"),
            ("\"5ecret\"", "null"),
            ("\"payload\":\"AAAA\"", "\"payloads\":1"),
            ("AAAA", "AAA"),
            ("AAAA", "5ecret!"),
            ("value", "5ecret"),
            ("\"created\":null", "\"created\":\"5ecret\""),
            ("\"created\":null", "\"created\":\"2026-02-30T00:00:00Z\""),
            ("\"created\":null", "\"created\":\"2026-02-03 00:00:00Z\""),
            ("\"created\":null", "\"created\":\"2026-02-03T00:00:00\""),
            ("null}", "null,\"id\":\"5ecret\"}"),
            ("}", "} 5ecret"),
        ] {
            if let Err(reason) = read(whole.replace(from, to).as_bytes()) {
                assert!(!reason.contains("5ecret"), "{reason}");
            } else {
                assert!(!whole.contains(from), "{from} to {to} is read");
            }
        }
        assert!(read(format!("{{\"id\":{}", "[".repeat(100_000)).as_bytes()).is_err());
        assert!(read(b"\xff").is_err() && read(b"").is_err());
    }

    #[test]
    fn no_byte_makes_it_panic() {
        let payload = Payload::new(Framing::Value, vec![1; 5]);
        let times = Some(Timestamp::from_secs(0));
        let whole = line(&Record::new(SessionId::new("ž"), payload).with_times(times, times));
        for at in 0..whole.len() {
            for byte in 0..=255 {
                let mut changed = whole.clone().into_bytes();
                changed[at] = byte;
                let _ = (read(&changed), Header::read(&changed).is_err(), read(&changed[..at]).is_err());
            }
        }
    }

    #[test]
    fn too_large_is_refused_before_it_is_written() {
        let record = Record::new(SessionId::new("a"), Payload::new(Framing::Value, vec![0; LONGEST / 4 * 3]));
        assert!(matches!(write(&record, &mut std::io::sink()), Err(WriteError::TooLarge)));
    }

    #[test]
    fn an_end_is_no_session_and_no_session_an_end() {
        let mut out = Vec::new();
        End { end_after: 3 }.write(&mut out).unwrap();
        assert_eq!(String::from_utf8_lossy(&out), "{\"end_after\":3}\n");
        assert_eq!(End::read(&out), Some(End { end_after: 3 }));
        assert!(read(&out).is_err() && Header::read(&out).is_err());
        let session = line(&Record::new(SessionId::new("a"), Payload::new(Framing::Value, vec![0])));
        assert_eq!([session.as_bytes(), b"", b"{}", b"{\"end_after\":-1}"].map(End::read), [None, None, None, None]);
    }

    #[test]
    fn a_header_is_read_back_and_others_are_refused() {
        let mut out = Vec::new();
        let cutoff = Cutoff::ago(Timestamp::from_secs(3600), std::time::Duration::from_secs(3600));
        let store = StoreInfo::new("file", "sqlite:///a\"b".to_owned(), beakerhelpers_core::Capabilities::NONE);
        Header::new(&store, cutoff).write(&mut out).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&out),
            "{\"archive\":\"beakerhelpers\",\"version\":1,\"store\":\"sqlite:///a\\\"b\",\
             \"type\":\"file\",\"cutoff\":\"1970-01-01T00:00:00.000000Z\"}\n"
        );
        let source = Source { store: "sqlite:///a\"b".to_owned(), store_type: Some("file".to_owned()) };
        assert_eq!(Header::read(&out).unwrap(), source);
        let kind = |text: &str| Header::read(text.as_bytes()).map_err(|error| error.message().to_owned()).unwrap_err();
        assert!(
            kind("{\"archive\":\"beakerhelpers\",\"version\":2,\"store\":\"\",\"cutoff\":null}").contains("version 2")
        );
        for other in ["", "{}", "[]", "{\"archive\":\"tar\",\"version\":1,\"store\":\"\",\"cutoff\":null}"] {
            assert!(kind(other).contains("not an archive"), "{other}");
        }
    }
}
