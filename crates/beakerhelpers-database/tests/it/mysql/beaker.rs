//! Real Beaker on the same table.

use beakerhelpers_codec::{Decoded, Decoder};
use beakerhelpers_core::{Query, SaveMode, SessionId, Timestamp};
use beakerhelpers_testkit::servers::Kind;
use beakerhelpers_testkit::{Request, database_ini, python, server};

use crate::servers::store;

#[test]
fn beaker_reads_what_is_written_and_the_other_way_round() {
    let server = &server!(Kind::MariaDb);
    for python in [python!(), python!("1.11.0")] {
        let database = server.create_database();
        let directory = tempfile::tempdir().expect("a directory");
        let ini = database_ini(directory.path(), &database.url("mysql+pymysql"), "beaker.session.timeout = 600");
        let site = python.site(&ini);
        site.answer(&[Request::save("joe", "{'user_name': 'ąžuolas'}"), Request::save("mia", "{'a': 1}")]);
        let store = store(&database);
        let records: Vec<_> = store.iter(Query::ALL).map(|record| record.expect("it reads")).collect();
        assert_eq!(records.len(), 2);
        let mut joe = store.load(&SessionId::new("joe")).expect("it answers").expect("it is there");
        assert!(matches!(Decoder::new().decode(&joe.payload), Ok(Decoded::Session(_))));
        joe.id = SessionId::new("copy");
        joe.accessed = Some(Timestamp::from(std::time::SystemTime::now()));
        store.save(&joe, SaveMode::Create).expect("it saves");
        let loaded = site.load(&["copy"]);
        assert_eq!(loaded[0].as_ref().expect("Beaker reads it")["user_name"].1, "ąžuolas");
        assert!(store.delete(&SessionId::new("mia")).expect("it deletes"));
        assert!(site.load(&["mia"])[0].is_none());
    }
}
