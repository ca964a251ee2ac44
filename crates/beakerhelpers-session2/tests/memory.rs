//! How much memory it takes to go through a shelve of many sessions.

use std::path::Path;

use beakerhelpers_core::{Query, Registry, StoreConfig};
use beakerhelpers_session2::SHELVE;
use beakerhelpers_testkit::{CURRENT_RELEASE, Python, python};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const SESSIONS: usize = 100_000;
/// Keys and places of all sessions fit in, values of a kilobyte do not.
const MOST: usize = 40 << 20;

const FILL: &str = "
import sys
module, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
pairs = ((b'%032x' % (n * 7919), b'x' * 1000) for n in range(count))
if module == 'dbm.sqlite3':
    import sqlite3
    database = sqlite3.connect(name)
    database.execute('CREATE TABLE Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)')
    database.executemany('INSERT INTO Dict VALUES (?, ?)', pairs)
    database.commit()
elif module == 'dbm.dumb':
    with open(name + '.dat', 'wb') as data, open(name + '.dir', 'w') as index:
        for n, (key, value) in enumerate(pairs):
            data.write(value.ljust(1024, b'\\0'))
            index.write('%r, (%d, 1000)\\n' % (key.decode(), n * 1024))
else:
    database = __import__(module, fromlist=['open']).open(name, 'n')
    for key, value in pairs:
        database[key] = value
    database.close()
";

fn list(python: &Python, module: &str, name: &Path) {
    let fill = python.command().args(["-c", FILL, module]).arg(name).arg(SESSIONS.to_string()).status();
    assert!(fill.expect("Python runs").success(), "Python failed");
    let config = StoreConfig::new("quixote").with("type", SHELVE.name);
    let config = config.with("filename", name.to_str().expect("a simple name"));
    let store = Registry::default().with_store(&SHELVE).open(&config).expect("it can be named");
    ALLOCATOR.reset_peak_usage();
    let sizes = store.iter(Query::ALL).map(|item| item.expect("it lists").payload.bytes().len());
    assert_eq!(sizes.sum::<usize>(), SESSIONS * 1000, "{module}");
    let peak = ALLOCATOR.peak_usage();
    assert!(peak < MOST, "{module}: {peak} bytes");
}

#[test]
fn values_are_read_one_by_one() {
    let place = tempfile::tempdir().expect("a temporary directory");
    list(&python!(), "dbm.dumb", &place.path().join("dumb"));
    #[cfg(feature = "sqlite")]
    list(&python!(), "dbm.sqlite3", &place.path().join("sqlite3"));
    for module in ["dbm.gnu", "dbm.ndbm"] {
        if let Some(python) = Python::with_dbm(CURRENT_RELEASE, module) {
            list(&python, module, &place.path().join(module));
        }
    }
}
