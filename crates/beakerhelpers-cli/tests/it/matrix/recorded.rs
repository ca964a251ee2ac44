//! The recorded stores: releases of Beaker and Python that no longer run everywhere.

use beakerhelpers_codec::text::Text;
use beakerhelpers_codec::{Decoded, Decoder, Encoder, Settings};
use beakerhelpers_core::{Config, ErrorKind, Registry, SaveMode, Session, SessionId, SessionStore, Value, Zone};
use beakerhelpers_testkit::{RecordedSession, RecordedState, RecordedStore, corpus};

use super::table::Table;

const HEADS: [&str; 6] = ["store", "type", "Beaker", "Python", "encrypted", "sessions read and changed"];

#[test]
fn recorded_stores() {
    let mut table = Table::with_heads("Recorded stores", &HEADS.map(str::to_owned));
    for store in corpus() {
        let copy = store.copy();
        let config = Config::load(&copy.config()).and_then(|config| config.store("beaker.session"));
        let config = config.expect("the recorded ini file is right").with_zone(Zone::UTC);
        let opened = Registry::linked().expect("the plugins agree").open(&config);
        let read = match opened {
            Ok(opened) => {
                let settings = Settings::from_config(&config).expect("the settings are Beaker's");
                read_and_change(&store, &*opened, &settings).to_string()
            }
            Err(error) => {
                assert!(error.message().ends_with("is not linked into this program"), "{error:?}");
                "none yet: there is no store of this type".to_owned()
            }
        };
        let RecordedStore { name, beaker, python, crypto, .. } = store;
        let crypto = crypto.map_or_else(|| "no".to_owned(), |library| format!("yes, {library}"));
        table.add_line(&[format!("`{name}`"), format!("`{}`", config.store_type()), beaker, python, crypto, read]);
    }
    table.hold();
}

/// Reads what can be read, changes it, and tells how many sessions that were.
fn read_and_change(recorded: &RecordedStore, store: &dyn SessionStore, settings: &Settings) -> usize {
    let (mut decoder, mut encoder) =
        (Decoder::with_settings(settings.clone()), Encoder::with_settings(settings.clone()));
    let mut read = 0;
    for session in &recorded.sessions {
        let what = format!("{}, {}", recorded.name, session.name);
        let record = match store.load(&SessionId::new(session.id.as_str())) {
            Ok(record) => record,
            Err(error) => {
                let harmful = matches!(session.state, RecordedState::Corrupt | RecordedState::Hostile);
                assert!(harmful && error.kind() == ErrorKind::Corrupt, "{what}: {error:?}");
                continue;
            }
        };
        let found = record.as_ref().map(|record| decoder.decode(&record.payload));
        match (session.state, found, record) {
            (
                RecordedState::Live | RecordedState::LiveUnimportable,
                Some(Ok(Decoded::Session(mut found))),
                Some(mut record),
            ) => {
                assert_values(session, &found, &what);
                found.set("a new key", |draft| draft.int(8));
                let before = shown(&found);
                record.payload =
                    encoder.update(&record.payload, &found).unwrap_or_else(|error| panic!("{what}: {error:?}"));
                let id = record.id.clone();
                store.save(&record.with_times_of(&found), SaveMode::Upsert).expect("the copy can be written to");
                let changed = store.load(&id).expect("it loads").expect("it is there");
                let Ok(Decoded::Session(changed)) = decoder.decode(&changed.payload) else { panic!("{what}") };
                let mut changed = shown(&changed);
                changed.sort();
                assert_eq!(changed, sorted(before), "{what}");
                read += 1;
            }
            (RecordedState::Deleted, Some(Ok(Decoded::Session(found))), _) => assert!(found.is_deleted(), "{what}"),
            // That the last two do no harm, and what is said of them, are tests of the program's.
            (RecordedState::Deleted, None | Some(Ok(Decoded::Empty)), _)
            | (RecordedState::CacheRow, Some(Ok(Decoded::NotASession | Decoded::Empty)), _)
            | (RecordedState::Corrupt | RecordedState::Hostile, ..) => {}
            (_, found, _) => panic!("{what}: {found:?}"),
        }
    }
    read
}

/// Holds a session to what Python had when the store was made.
fn assert_values(recorded: &RecordedSession, found: &Session, what: &str) {
    if recorded.state == RecordedState::Live {
        assert!(found.len() >= recorded.values.len(), "{what}");
    }
    for value in &recorded.values {
        let ours = found.value(&value.key).unwrap_or_else(|| panic!("{what}: there is no {}", value.key));
        // What Python 2 and 3 print alike; the listings' tests look at all of them.
        if ["unicode", "int", "long", "bool", "NoneType", "datetime"].contains(&value.type_name.as_str()) {
            assert_eq!(text(ours), value.text, "{what}, {}", value.key);
        }
    }
}

fn text(value: Value<'_>) -> String {
    let mut out = String::new();
    Text::new().append_str(value, &mut out).expect("it is short");
    out
}

fn shown(session: &Session) -> Vec<String> {
    session.iter().map(|(key, value)| format!("{}: {}", text(key), text(value))).collect()
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}
