//! Sessions in files: the commands on what real Beaker keeps below `data_dir`.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use beakerhelpers_core::command::exit;
use beakerhelpers_testkit::{Python, Request, file_ini, python};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::run::{Run, binary, finish, unprivileged};
use crate::shop::{DAY, HOUR, files};

const ANN: &str = "0123456789abcdef0123456789abcdef";
const BOB: &str = "1123456789abcdef0123456789abcdef";

/// A site whose sessions are in files.
struct Site {
    folder: TempDir,
}

impl Site {
    fn new(keys: &str) -> Self {
        let folder = TempDir::new().expect("a directory");
        file_ini(folder.path(), keys);
        Self { folder }
    }

    /// With a visitor who was here just now and one who was here two days ago.
    fn visited(python: &Python, keys: &str) -> Self {
        let site = Self::new(keys);
        let save = |id, name: &str| Request::save(id, &format!("{{'user_name': '{name}'}}"));
        python.site(&site.ini()).answer(&[save(ANN, "ann"), save(BOB, "bob")]);
        site.age(BOB, 2 * DAY);
        site
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn ini(&self) -> PathBuf {
        self.path().join("site.ini")
    }

    fn file(&self, id: &str) -> PathBuf {
        self.path().join(format!("data/container_file/{}/{}/{id}.cache", &id[..1], &id[..2]))
    }

    fn age(&self, id: &str, age: Duration) {
        let file = File::options().write(true).open(self.file(id)).expect("it is there");
        file.set_modified(SystemTime::now() - age).expect("it is ours");
    }

    fn run(&self, command: &str, args: &[&str]) -> Run {
        finish(binary().arg(command).arg(self.ini()).args(args)).without(self.path())
    }
}

#[test]
fn sessions_are_listed_and_nothing_is_changed() {
    let site = Site::visited(&python!(), "");
    let before = files(site.path());
    let listed = site.run("sessions", &["-t", "0", "-f", "plain", "--show-ids", "--columns", "user_name"]).done();
    let mut lines: Vec<_> = listed.lines().collect();
    lines.sort_unstable();
    assert!(
        lines.contains(&format!("{ANN}\tann").as_str()) && lines.contains(&format!("{BOB}\tbob").as_str()),
        "{listed}"
    );
    let active = site.run("sessions", &["-t", "1d", "-f", "plain", "--show-ids", "--columns", "user_name"]).done();
    assert!(active.contains("ann") && !active.contains("bob"), "{active}");
    assert!(files(site.path()) == before);
}

#[test]
fn without_a_type_a_folder_means_files() {
    let site = Site::visited(&python!(), "");
    fs::write(site.ini(), "[app:main]\nbeaker.session.data_dir = %(here)s/data\n").expect("it can be written");
    assert!(site.run("sessions", &["-t", "0", "-f", "jsonl"]).done().contains("bob"));
}

#[test]
fn old_ones_go_and_come_back() {
    let python = python!();
    let site = Site::visited(&python, "");
    let json = |text: String| serde_json::from_str::<Json>(&text).expect("it is JSON");
    let before = files(site.path());
    let dry = json(site.run("cleanup", &["-t", "1d", "--dry-run", "--offline", "--format", "json"]).done());
    assert_eq!((&dry["deleted"], &dry["kept"]), (&1.into(), &1.into()));
    assert!(dry["tidied"]["files"].as_u64().is_some_and(|files| files >= 2), "{dry}");
    assert!(files(site.path()) == before, "a dry run changes nothing");
    let archive = site.path().join("old.gz");
    let done = site.run("cleanup", &["-t", "1d", "--archive", archive.to_str().expect("text")]).done();
    assert!(done.starts_with("deleted 1 session older than 1d "), "{done}");
    assert!(!site.file(BOB).exists() && site.file(ANN).exists());
    let restored = finish(binary().arg("restore").arg(site.ini()).arg(&archive));
    assert_eq!(restored.code, exit::DONE, "{restored:?}");
    let age =
        SystemTime::now().duration_since(site.file(BOB).metadata().expect("it is back").modified().expect("a time"));
    assert!(age.expect("it is old") > DAY);
    assert_eq!(python.site(&site.ini()).load(&[BOB])[0].as_ref().expect("Beaker loads it")["user_name"].1, "bob");
}

#[test]
fn locks_and_folders_go_with_offline_only() {
    let site = Site::visited(&python!(), "");
    let locks = || files(&site.path().join("data/container_file_lock")).len();
    site.run("cleanup", &["-t", "1d", "--quiet"]).done();
    assert!(locks() >= 2 && site.file(BOB).parent().expect("a folder").is_dir());
    let done = site.run("cleanup", &["-t", "1d", "--offline"]).done();
    assert!(done.contains("\nremoved ") && done.ends_with(" empty folders\n"), "{done}");
    assert_eq!(locks(), 0);
    assert!(!site.file(BOB).parent().expect("a folder").exists() && site.file(ANN).exists());
    let help = finish(binary().args(["cleanup", "--help"])).done();
    assert!(help.contains("The application is stopped"), "{help}");
}

#[test]
fn someone_is_logged_out() {
    let site = Site::visited(&python!(), "");
    let run = site.run("delete", &["--where", "user_name=ann", "--yes"]);
    assert_eq!(run.code, exit::DONE, "{run:?}");
    assert!(!site.file(ANN).exists() && site.file(BOB).exists());
}

#[test]
fn folders_are_made_and_checked() {
    let site = Site::new("");
    let checked = site.run("setup", &["--check"]);
    assert!(checked.stdout.contains("missing") || checked.stderr.contains("missing"), "{checked:?}");
    assert!(!site.path().join("data").exists());
    let missing = site.run("sessions", &[]);
    assert_eq!(missing.code, exit::FAILED, "{missing:?}");
    assert!(missing.stderr.contains("the folder of the sessions is not there\n"), "{}", missing.stderr);
    assert!(missing.stderr.contains("\n  at: site.ini:"), "{}", missing.stderr);
    assert_eq!(site.run("setup", &[]).done(), "created data/container_file\n");
    assert!(site.path().join("data/container_file_lock").is_dir());
    assert_eq!(site.run("setup", &[]).done(), "data/container_file is there already; nothing was changed\n");
    assert_eq!(site.run("setup", &["--check"]).done(), "nothing is missing: data/container_file\n");
}

#[test]
fn who_may_not_read_or_delete_is_told_and_the_rest_goes_on() {
    let site = Site::visited(&python!(), "");
    let folder = site.path().to_owned();
    let open = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
    open(&site.file(BOB), 0o600);
    open(&site.file(ANN), 0o644);
    if !rustix::process::geteuid().is_root() {
        open(&site.file(BOB), 0o000);
    }
    let listed = finish(unprivileged(&folder).arg("sessions").arg(site.ini()).args(["-t", "0", "-f", "jsonl"]));
    assert_eq!(listed.code, exit::SOME_UNREADABLE, "{listed:?}");
    assert!(listed.stdout.contains("ann") && !listed.stdout.contains("bob"), "{listed:?}");
    assert!(listed.stderr.contains("cannot read the file of a session: Permission denied"), "{listed:?}");
    open(site.file(BOB).parent().expect("a folder"), 0o555);
    let cleaned = finish(unprivileged(&folder).arg("cleanup").arg(site.ini()).args(["-t", "1d"]));
    assert_eq!(cleaned.code, exit::FAILED, "{cleaned:?}");
    assert!(cleaned.stderr.contains("this user may not delete the sessions: none was deleted"), "{cleaned:?}");
    assert!(site.file(BOB).exists());
    open(site.file(BOB).parent().expect("a folder"), 0o755);
}

#[test]
fn a_cleanup_of_a_live_site_keeps_all_that_is_used() {
    let python = python!();
    let site = Site::new("");
    let ini = site.ini();
    let beaker = python.site(&ini);
    let ids: Vec<String> = (0..60).map(|n| format!("{n:032x}")).collect();
    let saves: Vec<_> = ids.iter().map(|id| Request::save(id, "{'user_name': 'ann'}")).collect();
    beaker.answer(&saves);
    for id in &ids {
        site.age(id, 2 * HOUR);
    }
    let live = python.site(&ini).go_live();
    for _ in 0..5 {
        site.run("cleanup", &["-t", "1h", "--quiet"]).done();
        site.run("sessions", &["-t", "0", "-f", "jsonl"]).done();
    }
    let report = live.end();
    assert!(report.answered > 0 && report.errors.is_empty(), "{report:?}");
    assert!(ids.iter().all(|id| !site.file(id).exists()));
    let lives: Vec<String> = (0..20.min(report.answered)).map(|n| format!("live-{n}")).collect();
    let lives: Vec<&str> = lives.iter().map(String::as_str).collect();
    assert!(beaker.load(&lives).iter().all(Option::is_some));
}
