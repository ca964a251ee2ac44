//! A site with its sessions in memcached.

use std::fs;
use std::path::PathBuf;

use beakerhelpers_core::Timestamp;
use beakerhelpers_core::command::exit;
use beakerhelpers_testkit::servers::Kind;
use beakerhelpers_testkit::{Request, Server, own_server, python};
use serde_json::Value as Json;

use crate::run::{Run, binary, finish};
use crate::shop::DAY;

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn on(server: &Server, keys: &str) -> Self {
        let place = Self { directory: tempfile::tempdir().expect("a folder") };
        let url = format!("127.0.0.1:{}", server.port());
        let text = format!(
            "[app:main]\nbeaker.session.type = ext:memcached\nbeaker.session.url = {url}\n\
             beaker.session.lock_dir = %(here)s/lock\nbeaker.session.timeout = 3600\n{keys}\n"
        );
        fs::write(place.ini(), text).expect("an ini file can be written");
        place
    }

    fn ini(&self) -> PathBuf {
        self.directory.path().join("site.ini")
    }

    fn run(&self, command: &str, args: &[&str]) -> Run {
        finish(binary().arg(command).arg(self.ini()).args(args))
    }

    fn users(&self, args: &[&str]) -> Vec<String> {
        let listed = self.run("sessions", &[&["--columns", "user", "--format", "plain"], args].concat()).done();
        let mut users: Vec<_> = listed.lines().map(str::to_owned).collect();
        users.sort();
        users
    }
}

#[test]
fn sessions_are_listed_cleaned_archived_restored_and_deleted() {
    let python = python!();
    for module in ["memcache", "bmemcached"] {
        let server = own_server!(Kind::Memcached);
        let place = Place::on(&server, &format!("beaker.session.memcache_module = {module}"));
        let ini = place.ini();
        let site = python.site(&ini);
        let now = Timestamp::from(std::time::SystemTime::now());
        let save =
            |user: &str| Request::save(&format!("id-of-{user}"), &format!("{{'user': '{user}', 'x': 'y' * 300}}"));
        site.answer(&[save("old").at(now.earlier_by(2 * DAY)), save("ancient").at(now.earlier_by(90 * DAY))]);
        site.answer(&[save("ann"), save("bob")]);
        assert_eq!(place.users(&[]), ["ann", "bob"]);
        assert_eq!(place.users(&["-t", "0"]), ["ancient", "ann", "bob", "old"]);
        assert_eq!(place.users(&["-t", "3d", "--where", "user=old"]), ["old"]);
        assert!(!place.run("sessions", &["-t", "0"]).done().contains("id-of"));

        let archive = place.directory.path().join("old.jsonl.gz");
        let archive = archive.to_str().expect("a plain path");
        let summary = |args: &[&str]| -> Json {
            let args = [&["-t", "1d", "-f", "json"], args].concat();
            serde_json::from_str(&place.run("cleanup", &args).done()).expect("the summary is JSON")
        };
        let dry = summary(&["--dry-run"]);
        let done = summary(&["--archive", archive]);
        for summary in [dry, done] {
            assert_eq!(
                (&summary["deleted"], &summary["kept"], &summary["unknown_age"]),
                (&2.into(), &2.into(), &0.into())
            );
        }
        assert_eq!(place.users(&["-t", "0"]), ["ann", "bob"]);
        assert_eq!(site.load(&["id-of-old"]), [None]);
        let restored = place.run("restore", &[archive]);
        assert_eq!(restored.code, exit::DONE, "{restored:?}");
        assert_eq!(place.users(&["-t", "0"]), ["ancient", "ann", "bob", "old"], "{module}");
        assert_eq!(summary(&["--limit", "1"])["deleted"], 1);

        let deleted = place.run("delete", &["--where", "user=ann", "--yes"]);
        assert_eq!((deleted.code, deleted.stdout.as_str()), (exit::DONE, "deleted 1 session\n"), "{deleted:?}");
        assert!(site.load(&["id-of-ann"])[0].is_none() && site.load(&["id-of-bob"])[0].is_some());
        assert_eq!(place.run("delete", &["--id", "id-of-bob", "--yes"]).done(), "deleted 1 session\n");
        assert_eq!(place.users(&[]), [""; 0]);
    }
}

#[test]
fn a_server_that_is_away_is_named() {
    let server = own_server!(Kind::Memcached);
    let place = Place::on(&server, "");
    server.stop();
    for command in ["sessions", "cleanup"] {
        let said = place.run(command, &[]).failed(exit::FAILED);
        let address = format!("127.0.0.1:{}", server.port());
        assert!(said.contains("cannot talk to memcached") && said.contains(&address), "{said}");
    }
}
