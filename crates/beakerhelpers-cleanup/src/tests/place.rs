//! A site with a store in memory.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use beakerhelpers_core::command::clap::Command;
use beakerhelpers_core::command::{Context, Subcommand, exit};
use beakerhelpers_core::{
    Capabilities, CleanupMode, Cutoff, DeletePlan, Deleted, Ended, Error, ErrorKind, Framing, MemoryStore, Payload,
    Progress, Query, Record, Records, Registry, Result, SaveMode, SessionId, SessionStore, StoreConfig, StoreInfo,
    StoreType, Tidied, Timestamp, package,
};
use tempfile::TempDir;

/// When every test takes place: 2026-01-15T12:00:00Z.
pub(super) const NOW: Timestamp = Timestamp::from_secs(1_768_478_400);

/// A store whose behaviour can be set.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a behaviour of its own")]
pub(super) struct Store {
    pub(super) memory: MemoryStore,
    pub(super) cannot_archive: bool,
    /// Whether it refuses whatever is saved.
    pub(super) is_replica: bool,
    /// What the first, the second, … question for the lag is answered with; the last answer stays. None: unsupported.
    pub(super) lags: Mutex<Vec<Option<u64>>>,
    pub(super) lags_asked: AtomicUsize,
    /// `None`: it cannot give space back. An error: it fails to.
    pub(super) vacuum: Option<Result<(), &'static str>>,
    pub(super) vacuums: AtomicUsize,
    /// What it was asked to tidy; `None`: it cannot.
    pub(super) tidy: Option<Mutex<Vec<CleanupMode>>>,
    pub(super) another_cleanup: bool,
    /// How the deletion fails after its first batch.
    pub(super) fails: bool,
}

impl SessionStore for Store {
    fn info(&self) -> StoreInfo {
        let can = Capabilities::ALL
            .with_archive(!self.cannot_archive)
            .with_vacuum(self.vacuum.is_some())
            .with_tidy(self.tidy.is_some());
        StoreInfo::new("test", "a place in memory".to_owned(), can)
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        self.memory.load(id)
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        if self.is_replica {
            return Err(Error::unsupported("this is a replica"));
        }
        if record.accessed.is_none() {
            return Err(Error::unsupported("a record without an access time cannot be kept"));
        }
        self.memory.save(record, mode)
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        self.memory.delete(id)
    }

    fn iter(&self, query: Query) -> Records<'_> {
        self.memory.iter(query)
    }

    fn delete_old(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
        if self.another_cleanup {
            let mut deleted = Deleted::default();
            deleted.ended = Ended::AnotherCleanup;
            return Ok(deleted);
        }
        if self.fails {
            self.memory.delete_old(cutoff, &plan.clone().with_limit(1).with_batch_size(1), progress)?;
            return Err(Error::new(ErrorKind::Unavailable, "the server is gone"));
        }
        self.memory.delete_old(cutoff, plan, progress)
    }

    fn vacuum(&self) -> Result<()> {
        self.vacuums.fetch_add(1, Ordering::Relaxed);
        let answer = self.vacuum.expect("whoever cannot is not asked");
        answer.map_err(|message| Error::new(ErrorKind::Unavailable, message))
    }

    fn tidy_offline(&self, mode: CleanupMode) -> Result<Tidied> {
        self.tidy.as_ref().expect("whoever cannot is not asked").lock().expect("no panic").push(mode);
        let mut tidied = Tidied::default();
        (tidied.files, tidied.folders) = (5, 2);
        Ok(tidied)
    }

    fn replication_lag(&self) -> Result<Option<Duration>> {
        let asked = self.lags_asked.fetch_add(1, Ordering::Relaxed);
        let lags = self.lags.lock().expect("no panic");
        let last = lags.last().ok_or_else(|| Error::unsupported("a store of type `test` cannot tell"))?;
        Ok(lags.get(asked).unwrap_or(last).map(Duration::from_secs))
    }
}

static STORES: Mutex<BTreeMap<String, Arc<Store>>> = Mutex::new(BTreeMap::new());

static TEST: StoreType = StoreType::new("test", "in memory", open, package!());

fn open(config: &StoreConfig) -> Result<Box<dyn SessionStore>> {
    let url = config.require("url")?;
    let store = STORES.lock().expect("no panic").get(url).cloned();
    Ok(Box::new(store.ok_or_else(|| Error::config("there is no such store"))?))
}

/// A directory with a configuration, and the store that it names.
pub(super) struct Place {
    pub(super) directory: TempDir,
    pub(super) store: Arc<Store>,
}

/// What came of a run.
pub(super) struct Run {
    pub(super) code: u8,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Run {
    /// The standard output of a run that did everything and had nothing else to say.
    #[track_caller]
    pub(super) fn done(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (exit::DONE, ""), "{}", self.stdout);
        self.stdout
    }
}

impl Place {
    /// Sessions of 10, 30, 50, 70, 90, 110 and 130 minutes; the timeout is an hour.
    pub(super) fn new(store: Store) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let place = Self { store: Arc::new(store), directory };
        let url = place.register("store", Arc::clone(&place.store));
        let ini = format!(
            "[app:main]\nbeaker.session.type = test\nbeaker.session.url = {url}\nbeaker.session.timeout = 3600\n"
        );
        fs::write(place.path("site.ini"), ini).expect("it can be written");
        for minutes in (10..=130).step_by(20) {
            let accessed = NOW.earlier_by(Duration::from_secs(minutes * 60));
            // {'session': {'user': '10'}}
            let user = minutes.to_string();
            let length = u8::try_from(user.len()).unwrap();
            let contents = [&b"\x80\x02}U\x07session}U\x04userU"[..], &[length], user.as_bytes(), b"ss."].concat();
            let payload = Payload::new(Framing::Namespace, contents);
            let record = Record::new(SessionId::new(format!("m{minutes}")), payload);
            let record = record.with_times(Some(accessed.earlier_by(Duration::from_micros(7))), Some(accessed));
            place.store.memory.save(&record, SaveMode::Create).expect("it is empty");
        }
        place
    }

    /// Makes a store known, and gives its URL.
    pub(super) fn register(&self, name: &str, store: Arc<Store>) -> String {
        let url = self.path(name).to_str().expect("a plain path").to_owned();
        STORES.lock().expect("no panic").insert(url.clone(), store);
        url
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The ids that are left, sorted.
    pub(super) fn ids(&self) -> Vec<String> {
        self.records().iter().map(|record| record.id.as_str().to_owned()).collect()
    }

    pub(super) fn records(&self) -> Vec<Record> {
        self.store.memory.iter(Query::ALL).map(|record| record.expect("memory lists")).collect()
    }

    pub(super) fn run<S: Subcommand>(&self, args: &[&str]) -> Run {
        self.run_with::<S>(args, |_| Ok(()))
    }

    /// With something that happens when it begins to listen for signals.
    pub(super) fn run_with<S: Subcommand>(&self, args: &[&str], catch: fn(&Arc<AtomicUsize>) -> io::Result<()>) -> Run {
        let ini = self.path("site.ini");
        let line = [S::NAME, ini.to_str().expect("a plain path"), "--time-zone", "UTC"];
        let registry = Registry::default().with_store(&TEST);
        let (mut stdin, mut stdout, mut stderr) = (io::empty(), Vec::new(), Vec::new());
        let outcome = S::augment_args(Command::new(S::NAME))
            .try_get_matches_from(line.iter().chain(args))
            .and_then(|matches| S::from_arg_matches(&matches))
            .map_err(|error| Error::config(error.to_string()));
        let mut cx = Context::new(&registry, NOW, &mut stdin, &mut stdout, &mut stderr);
        cx.catch = catch;
        let code = match outcome.and_then(|args| args.run(&mut cx)) {
            Ok(outcome) => exit::of_outcome(outcome),
            Err(error) => {
                cx.note(&format!("error: {}", error.report()));
                exit::of_error(&error)
            }
        };
        let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
        Run { code, stdout: text(stdout), stderr: text(stderr) }
    }
}

/// The seconds that a run took, replaced.
pub(super) fn untimed(text: &str) -> String {
    let (start, rest) = text.split_once(", in ").expect("a summary");
    format!("{start}, in N{}", rest.trim_start_matches(|char: char| char.is_ascii_digit() || char == '.'))
}
