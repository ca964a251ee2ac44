//! Files in a `session2:directory` that its user may not read.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use beakerhelpers_core::{DeletePlan, Error, ErrorKind, Progress, Query, Record, Result, SaveMode, SessionId};

use crate::directory::store;
use crate::directory_cleanup::{cutoff, save_an_hour_ago};

const DIRECTORY: &str = "BEAKERHELPERS_TEST_DIRECTORY";
/// More than are looked at to tell whether a directory is one of sessions.
const REFUSED: usize = 120;

/// What a test sees as another user: root may read everything, so there this program starts again as nobody.
#[test]
fn a_file_that_may_not_be_read_stops_nothing() {
    if let Some(directory) = env::var_os(DIRECTORY) {
        return look_and_clean(Path::new(&directory));
    }
    let open = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
    let place = tempfile::tempdir().expect("a temporary directory");
    let directory = place.path().join("sessions");
    fs::create_dir(&directory).expect("it is made");
    for n in 0..REFUSED {
        let path = directory.join(format!("refused-{n}"));
        save_an_hour_ago(&path);
        open(&path, 0o000);
    }
    for id in ["joe", "ann"] {
        save_an_hour_ago(&directory.join(id));
    }
    // The program may lie where nobody else can get at it. Not copied by this process: a program cannot be started while
    // anybody has it open to write, such as a process that another test is just starting.
    let program = place.path().join("other");
    let copied = Command::new("cp").arg(env::current_exe().expect("this program")).arg(&program).status();
    assert!(copied.expect("cp starts").success(), "there is no room for a copy of the program");
    for path in [place.path(), &program] {
        open(path, 0o755);
    }
    open(&directory, 0o777);
    let mut command = Command::new(&program);
    command.args(["--exact", "directory_unreadable::a_file_that_may_not_be_read_stops_nothing", "--nocapture"]);
    if fs::metadata(place.path()).expect("it is ours").uid() == 0 {
        command.uid(65_534).gid(65_534);
    }
    let output = command.env(DIRECTORY, &directory).current_dir("/").output().expect("this program starts again");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_dir(&directory).expect("it is ours").count(), REFUSED + 2, "what was refused is kept");
}

#[derive(Default)]
struct Follower {
    archived: usize,
    unreadable: Vec<String>,
}

impl Progress for Follower {
    fn archive(&mut self, records: &[Record]) -> Result<()> {
        self.archived += records.len();
        Ok(())
    }

    fn unreadable(&mut self, error: &Error) {
        self.unreadable.push(error.to_string());
    }
}

fn look_and_clean(directory: &Path) {
    let store = store(directory);
    let (listed, errors): (Vec<_>, Vec<_>) = store.iter(Query::ALL).partition(Result::is_ok);
    assert_eq!((listed.len(), errors.len()), (2, REFUSED));
    for error in errors.into_iter().map(|error| error.expect_err("it was put here")) {
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.message().starts_with("cannot open a session: Permission denied"), "{error}");
    }
    assert!(store.check().expect("it looks").is_empty());
    let id = SessionId::new("refused-0");
    assert!(store.has(&id).expect("its name is enough"));
    assert_eq!(store.load(&id).expect_err("it may not be read").kind(), ErrorKind::Corrupt);
    assert_eq!(store.delete(&id).expect_err("it may not be locked").kind(), ErrorKind::PermissionDenied);
    let mut over = store.load(&SessionId::new("joe")).expect("it answers").expect("joe is there");
    over.id = id;
    assert_eq!(store.save(&over, SaveMode::Upsert).expect_err("as above").kind(), ErrorKind::PermissionDenied);

    for plan in [DeletePlan::default().with_archive(), DeletePlan::default()] {
        let mut follower = Follower::default();
        let done = store.delete_old(cutoff(), &plan, &mut follower).expect("it cleans");
        assert_eq!((done.deleted, done.kept, done.unknown), (2, REFUSED as u64, 0));
        assert_eq!(follower.archived, if plan.archive { 2 } else { 0 });
        assert_eq!(follower.unreadable.len(), REFUSED);
        assert!(follower.unreadable[0].contains("Permission denied"), "{}", follower.unreadable[0]);
        for id in ["joe", "ann"] {
            save_an_hour_ago(&directory.join(id));
        }
    }
}
