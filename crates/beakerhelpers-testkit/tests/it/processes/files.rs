//! Sessions in files: a small store that is safe for many processes, unless it has a fault.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind as IoErrorKind, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use beakerhelpers_core::{
    Capabilities, CleanupMode, Cutoff, DeletePlan, Deleted, Ended, Error, ErrorKind, Framing, Payload, Progress, Query,
    Record, Records, Result, SaveMode, SessionId, SessionStore, StoreInfo, Timestamp,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    CleansWithoutLooking,
    CountsWhatOthersDeleted,
    CreatesWithoutLock,
    KeepsForItself,
    LocksForGood,
    SaysDeletedTwice,
    WritesInPlace,
}

impl Fault {
    pub(super) const ALL: [Self; 8] = [
        Self::None,
        Self::CleansWithoutLooking,
        Self::CountsWhatOthersDeleted,
        Self::CreatesWithoutLock,
        Self::KeepsForItself,
        Self::LocksForGood,
        Self::SaysDeletedTwice,
        Self::WritesInPlace,
    ];
}

/// Each session is a file: two lines of times, and the payload. One lock is for all of them.
#[derive(Debug)]
pub(super) struct Files {
    directory: PathBuf,
    fault: Fault,
    own: Mutex<BTreeMap<SessionId, Record>>,
}

/// Long enough for another process to come between.
fn dawdle() {
    thread::sleep(Duration::from_millis(3));
}

fn broken(error: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "a file does not do as it is told").with_source(error)
}

/// Held until it is dropped.
struct Lock(Option<PathBuf>, Option<File>);

impl Drop for Lock {
    fn drop(&mut self) {
        self.0.iter().for_each(|path| drop(fs::remove_file(path)));
        drop(self.1.take());
    }
}

impl Files {
    pub(super) fn new(directory: PathBuf, fault: Fault) -> Self {
        Self { directory, fault, own: Mutex::default() }
    }

    fn path(&self, id: &SessionId) -> PathBuf {
        // Any text makes a name, and two texts make two; a hash would do for names that are too long.
        let digit = |digit: u8| char::from_digit(digit.into(), 16).expect("half a byte");
        let hex: String = id.as_str().bytes().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        let parts: Vec<_> = hex.as_bytes().chunks(200).map(|part| String::from_utf8_lossy(part).into_owned()).collect();
        let (last, folders) = parts.split_last().map_or(("", &[][..]), |(last, folders)| (last.as_str(), folders));
        let mut path = self.directory.join("sessions");
        path.extend(folders.iter().map(|folder| format!("{folder}.part")));
        path.join(format!("{last}.session"))
    }

    fn lock(&self) -> Result<Lock> {
        fs::create_dir_all(self.directory.join("sessions")).map_err(broken)?;
        let path = self.directory.join("lock");
        if self.fault == Fault::LocksForGood {
            for _ in 0..100 {
                match File::create_new(&path) {
                    Ok(file) => {
                        dawdle();
                        return Ok(Lock(Some(path), Some(file)));
                    }
                    Err(_) => dawdle(),
                }
            }
            return Err(Error::new(ErrorKind::Unavailable, "it is locked"));
        }
        let file = File::create(path).map_err(broken)?;
        file.lock().map_err(broken)?;
        Ok(Lock(None, Some(file)))
    }

    fn read(&self, id: &SessionId) -> Result<Option<Record>> {
        if self.fault == Fault::KeepsForItself {
            return Ok(self.own.lock().expect("nobody panics").get(id).cloned());
        }
        let bytes = match fs::read(self.path(id)) {
            Err(error) if error.kind() == IoErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(broken)?,
        };
        let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
        let mut time = || {
            let text = parts.next().and_then(|part| std::str::from_utf8(part).ok());
            text.and_then(|text| text.parse().ok()).map(Timestamp::from_micros)
        };
        let (created, accessed) = (time(), time());
        let payload = Payload::new(Framing::Namespace, parts.next().unwrap_or_default().to_vec());
        Ok(Some(Record::new(id.clone(), payload).with_times(created, accessed)))
    }

    fn write(&self, record: &Record) -> Result<()> {
        if self.fault == Fault::KeepsForItself {
            self.own.lock().expect("nobody panics").insert(record.id.clone(), record.clone());
            return Ok(());
        }
        let time = |time: Option<Timestamp>| time.map_or_else(String::new, |time| time.as_micros().to_string());
        let head = format!("{}\n{}\n", time(record.created), time(record.accessed));
        let bytes = [head.as_bytes(), record.payload.bytes()].concat();
        let path = self.path(&record.id);
        fs::create_dir_all(path.parent().expect("it has one")).map_err(broken)?;
        if self.fault == Fault::WritesInPlace {
            let mut file = File::create(path).map_err(broken)?;
            let (one, two) = bytes.split_at(bytes.len() / 2);
            file.write_all(one).map_err(broken)?;
            dawdle();
            return file.write_all(two).map_err(broken);
        }
        let new = path.with_extension(format!("new-{}", std::process::id()));
        fs::write(&new, bytes).and_then(|()| fs::rename(new, path)).map_err(broken)
    }

    fn ids(&self) -> Result<Vec<SessionId>> {
        let (mut ids, mut pending) = (Vec::new(), vec![(self.directory.join("sessions"), String::new())]);
        while let Some((folder, before)) = pending.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.map_err(broken)?.path();
                let name = path.file_stem().and_then(|name| name.to_str()).expect("a plain name");
                let hex = format!("{before}{name}");
                match path.extension().and_then(|extension| extension.to_str()) {
                    Some("part") => pending.push((path, hex)),
                    Some("session") => {
                        let digit =
                            |digit: u8| u8::try_from(char::from(digit).to_digit(16).expect("hex")).expect("small");
                        let bytes = hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1]));
                        ids.push(SessionId::new(String::from_utf8(bytes.collect()).expect("an id")));
                    }
                    _ => {}
                }
            }
        }
        Ok(ids)
    }

    fn remove(&self, id: &SessionId) -> Result<bool> {
        match fs::remove_file(self.path(id)) {
            Err(error) if error.kind() == IoErrorKind::NotFound => Ok(false),
            done => done.map(|()| true).map_err(broken),
        }
    }
}

impl SessionStore for Files {
    fn info(&self) -> StoreInfo {
        let can = Capabilities::NONE.with_iter(true).with_delete_old(true);
        let can = can.with_access_times(true).with_multiprocess_safe(true);
        StoreInfo::new("files", "a directory".to_owned(), can)
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        self.read(id)
    }

    fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
        let lock = (self.fault != Fault::CreatesWithoutLock).then(|| self.lock()).transpose()?;
        let there = self.read(&record.id)?;
        if there.is_some() && mode == SaveMode::Create {
            return Err(Error::new(ErrorKind::AlreadyExists, "a session with this id exists already"));
        }
        if lock.is_none() {
            dawdle();
        }
        let created = there.map_or(record.created, |there| there.created);
        self.write(&record.clone().with_times(created, record.accessed))
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        if self.fault == Fault::SaysDeletedTwice {
            let there = self.has(id)?;
            dawdle();
            return self.remove(id).map(|_| there);
        }
        let _lock = self.lock()?;
        self.remove(id)
    }

    fn iter(&self, query: Query) -> Records<'_> {
        let ids = match self.ids() {
            Ok(ids) => ids,
            Err(error) => return Box::new(std::iter::once(Err(error))),
        };
        let active = move |record: &Record| match (query.active, record.accessed) {
            (Some(cutoff), Some(accessed)) => accessed >= cutoff.at(),
            _ => true,
        };
        let limit = query.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let records = ids.into_iter().filter_map(|id| self.read(&id).transpose());
        Box::new(records.filter(move |record| record.as_ref().map_or(true, active)).take(limit))
    }

    fn delete_old(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
        if plan.archive {
            return Err(Error::unsupported("there is no archive"));
        }
        let mut done = Deleted::default();
        let ids = self.ids()?;
        let old = |record: &Record| record.accessed.filter(|accessed| *accessed < cutoff.at());
        for batch in ids.chunks(plan.batch_size.unwrap_or(1000)) {
            let mut found = Vec::new();
            for id in batch {
                let Some(record) = self.read(id)? else { continue };
                match old(&record) {
                    Some(accessed) if plan.limit.is_none_or(|limit| done.deleted + (found.len() as u64) < limit) => {
                        progress.old(accessed);
                        found.push(id);
                    }
                    Some(_) => {}
                    None => {
                        done.kept += 1;
                        done.unknown += u64::from(record.accessed.is_none());
                    }
                }
            }
            if matches!(self.fault, Fault::CleansWithoutLooking | Fault::CountsWhatOthersDeleted) {
                dawdle();
            }
            for id in found {
                let _lock = self.lock()?;
                let now = self.read(id)?;
                let is_old = now.as_ref().is_some_and(|record| old(record).is_some());
                if is_old || self.fault == Fault::CleansWithoutLooking {
                    let deleted = plan.mode == CleanupMode::Count || self.remove(id)?;
                    done.deleted += u64::from(deleted);
                } else if self.fault == Fault::CountsWhatOthersDeleted {
                    done.deleted += 1;
                } else {
                    done.kept += u64::from(now.is_some());
                }
            }
            if plan.limit.is_some_and(|limit| done.deleted >= limit) {
                done.ended = Ended::Limit;
            } else if plan.max_time.is_some_and(|time| time.is_zero()) {
                done.ended = Ended::MaxTime;
            }
            if progress.batch(&done) == ControlFlow::Break(()) {
                done.ended = Ended::Stopped;
            }
            if done.ended != Ended::Completed {
                break;
            }
        }
        Ok(done)
    }
}
