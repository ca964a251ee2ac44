//! Every linked store that says it is safe for many processes, with real processes, opened by an ini file.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use beakerhelpers_core::{Access, Config, Registry, SessionStore, SetupMode, Zone};
use beakerhelpers_testkit::Server;
use beakerhelpers_testkit::servers::{Database, Kind};
use tempfile::TempDir;

/// Opens the store of the ini file that this is the path of.
fn open(ini: &str) -> Box<dyn SessionStore> {
    open_for(ini, Access::ReadWrite)
}

/// The same for somebody who may only look.
pub(crate) fn open_for(ini: &str, access: Access) -> Box<dyn SessionStore> {
    let config = Config::load(Path::new(ini)).and_then(|config| config.store("beaker.session"));
    let config = config.expect("the ini file is right").with_zone(Zone::UTC).with_access(access);
    Registry::linked().and_then(|registry| registry.open(&config)).expect("the store opens")
}

/// An ini file with these keys, in a directory of its own, for a store that is set up.
pub(crate) fn ini(keys: &str) -> (TempDir, String) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let ini = directory.path().join("site.ini");
    let keys: String = keys.lines().flat_map(|line| ["beaker.session.", line, "\n"]).collect();
    fs::write(&ini, format!("[app:main]\n{keys}")).expect("an ini file can be written");
    let ini = ini.to_str().expect("a plain path").to_owned();
    let store = open(&ini);
    if store.info().capabilities.setup {
        store.setup(SetupMode::IfMissing).expect("it is set up");
    }
    (directory, ini)
}

/// A database of its own on a server.
fn on_server(server: &'static Shared, kind: Kind, store_type: &str, scheme: &str) -> Option<(OnServer, String)> {
    let database = server.get_or_init(|| Server::shared(kind)).as_ref()?.create_database();
    // To configparser a percent sign begins the name of another key.
    let url = database.url(scheme).replace('%', "%%");
    let (directory, ini) = ini(&format!("type = {store_type}\nurl = {url}"));
    Some(((directory, database), ini))
}

type Shared = OnceLock<Option<Server>>;
pub(crate) type OnServer = (TempDir, Database<'static>);

pub(crate) mod sqlite {
    pub(crate) fn place() -> (super::TempDir, String) {
        super::ini("type = ext:database\nurl = sqlite:///%(here)s/sessions.db")
    }
    beakerhelpers_testkit::process_conformance!(place, super::open);
}

pub(crate) mod sqla {
    pub(crate) fn place() -> (super::TempDir, String) {
        super::ini("type = ext:sqla\nurl = sqlite:///%(here)s/sessions.db")
    }
    beakerhelpers_testkit::process_conformance!(place, super::open);
}

pub(crate) mod postgresql {
    static SERVER: super::Shared = super::Shared::new();
    pub(crate) fn place() -> Option<(super::OnServer, String)> {
        super::on_server(&SERVER, super::Kind::Postgres, "ext:database", "postgresql+psycopg2")
    }
    beakerhelpers_testkit::process_conformance!(place, super::open);
}

pub(crate) mod mariadb {
    static SERVER: super::Shared = super::Shared::new();
    pub(crate) fn place() -> Option<(super::OnServer, String)> {
        super::on_server(&SERVER, super::Kind::MariaDb, "ext:database", "mysql+pymysql")
    }
    beakerhelpers_testkit::process_conformance!(place, super::open);
}

pub(crate) mod file {
    pub(crate) fn place() -> (super::TempDir, String) {
        super::ini("type = file\ndata_dir = %(here)s/data")
    }
    beakerhelpers_testkit::process_conformance!(place, super::open);
}

pub(crate) mod dbm {
    pub(crate) fn place() -> (super::TempDir, String) {
        super::ini("type = dbm\ndata_dir = %(here)s/data")
    }
    beakerhelpers_testkit::process_conformance!(place, super::open, beakerhelpers_core::Framing::Value);
}

pub(crate) mod memcached {
    pub(crate) fn place() -> Option<((super::TempDir, super::Server), String)> {
        // It has no databases: each place is a server.
        let server = super::Server::own(super::Kind::Memcached)?;
        let (directory, ini) = super::ini(&format!("type = ext:memcached\nurl = 127.0.0.1:{}", server.port()));
        Some(((directory, server), ini))
    }
    beakerhelpers_testkit::process_conformance!(place, super::open, beakerhelpers_core::Framing::Text);
}

pub(crate) mod redis {
    static SERVER: super::Shared = super::Shared::new();
    pub(crate) fn place() -> Option<(super::OnServer, String)> {
        super::on_server(&SERVER, super::Kind::Redis, "ext:redis", "redis")
    }
    beakerhelpers_testkit::process_conformance!(place, super::open, beakerhelpers_core::Framing::Value);
}

pub(crate) mod session2_directory {
    pub(crate) fn place() -> (super::TempDir, String) {
        super::ini("type = session2:directory\ndirectory = %(here)s/sessions")
    }
    beakerhelpers_testkit::process_conformance!(place, super::open, beakerhelpers_core::Framing::Object);
}

pub(crate) mod session2_mysql {
    static SERVER: super::Shared = super::Shared::new();
    pub(crate) fn place() -> Option<(super::OnServer, String)> {
        super::on_server(&SERVER, super::Kind::MariaDb, "session2:mysql", "mysql")
    }
    beakerhelpers_testkit::process_conformance!(place, super::open, beakerhelpers_core::Framing::Object);
}

pub(crate) mod session2_postgres {
    static SERVER: super::Shared = super::Shared::new();
    pub(crate) fn place() -> Option<(super::OnServer, String)> {
        super::on_server(&SERVER, super::Kind::Postgres, "session2:postgres", "postgresql")
    }
    beakerhelpers_testkit::process_conformance!(place, super::open, beakerhelpers_core::Framing::Object);
}

/// The types of the stores above, and those that are tried so in the tests of their crates: `ext:rediscluster`, and
/// `session2:durus` by its server.
const TRIED: [&str; 11] = [
    "dbm",
    "ext:database",
    "ext:memcached",
    "ext:redis",
    "ext:rediscluster",
    "ext:sqla",
    "file",
    "session2:directory",
    "session2:durus",
    "session2:mysql",
    "session2:postgres",
];

#[test]
fn every_store_type_for_many_processes_is_tried() {
    let registry = Registry::linked().expect("the plugins agree");
    let safe = registry.stores().filter(|store| store.capabilities.multiprocess_safe);
    let untried: Vec<_> = safe.map(|store| store.name).filter(|name| !TRIED.contains(name)).collect();
    assert_eq!(untried, [""; 0], "add them here, or where they are tested with real processes");
}
