//! Deleting by age: the age is inside of the sessions, so that each is read and judged here.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use beakerhelpers_core::{
    CleanupMode, Cutoff, DeletePlan, Deleted, Error, ErrorKind, Framing, Pace, Payload, Progress, Record, Result,
    SessionId, TimeReader, Timestamp,
};
use redis::{Cmd, Script, Value, cmd};

use crate::failure::explain;
use crate::keys;
use crate::listing::wrong_type;
use crate::pipeline::{bytes, is_wrong_type, number};
use crate::server::{Server, Twice};
use crate::walk::{Entry, Part, Purpose, Walk};

/// So many bytes of old sessions are deleted together, a single one apart that is larger.
const TOGETHER: usize = 1 << 20;
/// What is longer is not given to a script: Lua copies it, so that 10 MB would keep the server from others for 40 ms.
const LARGE: usize = 256 << 10;
/// Whoever follows is asked so often whether to go on, though nothing was found.
const SILENCE: Duration = Duration::from_millis(100);

/// Deletes a key that still holds what was judged. 1: it did; -1: the key holds something else; 0: there is none.
const CODE: &str = "local value = redis.pcall('GET', KEYS[1])\n\
                    if type(value) == 'table' then\n\
                    if string.find(value.err, 'WRONGTYPE', 1, true) then return -1 end\n\
                    return value\n\
                    end\n\
                    if value == ARGV[1] then return redis.call('DEL', KEYS[1]) end\n\
                    if value then return -1 end\n\
                    return 0";

/// Its name on the server, once it was brought along.
static DELETE: LazyLock<Script> = LazyLock::new(|| Script::new(CODE));

/// Deletes the sessions whose access time, inside of them, is before the cutoff.
pub(crate) fn delete_old(
    server: &Arc<Server>,
    cutoff: Cutoff,
    plan: &DeletePlan,
    progress: &mut dyn Progress,
) -> Result<Deleted> {
    let times = plan.time_reader()?;
    let mut pace = Pace::start_shared(plan);
    let walk = Walk::start(server, Purpose::Delete)?;
    let mut run =
        Run { server, walk, plan, times, cutoff, so_far: Deleted::default(), busy: None, old: Vec::new(), bytes: 0 };
    if let Some(ended) = (pace.may_delete(0) == 0).then(|| pace.batch_done(None, &run.so_far, progress)).flatten() {
        run.so_far.ended = ended;
        return Ok(run.so_far);
    }
    let mut told = Instant::now();
    while let Some(page) = run.walk.page(pace.batch_size())? {
        // A server that has millions of other keys gives many that are empty.
        if page.entries.is_empty() && told.elapsed() < SILENCE {
            continue;
        }
        told = Instant::now();
        run.busy = None;
        for entry in page.entries {
            run.judge(entry, progress)?;
            let may_delete = pace.may_delete(run.so_far.deleted);
            if run.bytes >= TOGETHER || run.old.len() as u64 >= may_delete {
                run.delete(progress)?;
            }
            if pace.may_delete(run.so_far.deleted) == 0 {
                break;
            }
        }
        run.delete(progress)?;
        if let Some(ended) = pace.batch_done(run.busy, &run.so_far, progress) {
            run.so_far.ended = ended;
            break;
        }
    }
    Ok(run.so_far)
}

struct Run<'r> {
    server: &'r Server,
    walk: Walk,
    plan: &'r DeletePlan,
    times: &'r dyn TimeReader,
    cutoff: Cutoff,
    so_far: Deleted,
    /// How long this batch kept the server at work with deleting.
    busy: Option<Duration>,
    /// What is to be deleted together, and its size.
    old: Vec<Old>,
    bytes: usize,
}

/// A session that was judged old by this value.
struct Old {
    key: Vec<u8>,
    id: SessionId,
    value: Payload,
    accessed: Timestamp,
}

impl Old {
    fn value(&self) -> &[u8] {
        self.value.bytes()
    }
}

impl Run<'_> {
    /// Counts a session that stays, and notes one that goes.
    fn judge(&mut self, entry: Entry, progress: &mut dyn Progress) -> Result<()> {
        match self.read(entry) {
            Ok(Some(old)) if old.accessed < self.cutoff.at() => {
                self.bytes += old.value().len() + old.key.len();
                self.old.push(old);
            }
            Ok(Some(_)) => self.so_far.kept += 1,
            // Gone, or without a time: that was counted.
            Ok(None) => {}
            Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported) => {
                progress.unreadable(&error);
                self.so_far.kept += 1;
                self.so_far.unknown += 1;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn read(&mut self, entry: Entry) -> Result<Option<Old>> {
        let id = keys::id(&entry.key)?;
        let value = match entry.value {
            Part::Whole(bytes) => bytes,
            Part::WrongType => return Err(wrong_type()),
            Part::Unknown | Part::Long => match self.walk.value(&entry.key)? {
                Some(bytes) => bytes,
                None => return Ok(None),
            },
        };
        let value = Payload::new(Framing::Value, value);
        let Some(accessed) = self.times.accessed(&value)? else {
            self.so_far.kept += 1;
            self.so_far.unknown += 1;
            return Ok(None);
        };
        Ok(Some(Old { key: entry.key, id, value, accessed }))
    }

    /// Deletes what was noted, as far as it is still what it was.
    fn delete(&mut self, progress: &mut dyn Progress) -> Result<()> {
        self.bytes = 0;
        let mut old = std::mem::take(&mut self.old);
        for session in &old {
            progress.old(session.accessed);
        }
        if old.is_empty() {
            return Ok(());
        }
        if self.plan.mode == CleanupMode::Count {
            self.so_far.deleted += old.len() as u64;
            return Ok(());
        }
        if self.plan.archive {
            old = self.hand_over(old, progress)?;
        }
        let began = Instant::now();
        let (large, small): (Vec<_>, Vec<_>) = old.into_iter().partition(|old| old.value().len() > LARGE);
        let commands: Vec<_> = small.iter().enumerate().map(|(n, old)| command(old, n > 0)).collect();
        for answer in self.walk.run_all(&commands, |n| command(&small[n], false))? {
            self.count(number(&answer).map_err(|error| self.explain(&error))?);
        }
        for old in &large {
            let watched = self.walk.delete_watched(&old.key, old.value())?;
            let done =
                watched.map_or_else(|| self.server.run(&command(old, false), Twice::Same), |done| Ok(Value::Int(done)));
            self.count(number(&done?).map_err(|error| self.explain(&error))?);
        }
        *self.busy.get_or_insert_default() += began.elapsed();
        Ok(())
    }

    /// Counts what became of a session, as the script tells it.
    fn count(&mut self, done: i64) {
        match done {
            1 => self.so_far.deleted += 1,
            -1 => self.so_far.kept += 1,
            _ => {}
        }
    }

    /// Hands over what is still what it was, right before it goes: it is kept safe before it is deleted, so that nothing
    /// is lost. Should somebody touch it in between it stays, and the archive has it, too. Gives what was handed over.
    fn hand_over(&mut self, old: Vec<Old>, progress: &mut dyn Progress) -> Result<Vec<Old>> {
        let read = |n: usize| {
            let mut get = cmd("GET");
            get.arg(&old[n].key);
            get
        };
        let commands: Vec<_> = (0..old.len()).map(read).collect();
        let answers = self.walk.run_all(&commands, read)?;
        let mut same = Vec::with_capacity(old.len());
        for (session, answer) in old.into_iter().zip(answers) {
            match bytes(answer) {
                Ok(Some(value)) if value == session.value() => same.push(session),
                Ok(Some(_)) => self.so_far.kept += 1,
                Ok(None) => {}
                Err(error) if is_wrong_type(&error) => self.so_far.kept += 1,
                Err(error) => return Err(self.explain(&error)),
            }
        }
        let records: Vec<_> = same.iter().map(|old| Record::new(old.id.clone(), old.value.clone())).collect();
        if !records.is_empty() {
            progress.archive(&records)?;
        }
        Ok(same)
    }

    fn explain(&self, error: &redis::RedisError) -> Error {
        explain(error, &self.server.place)
    }
}

/// The command that deletes a session. It names a script that the server knows, or brings it along.
fn command(old: &Old, known: bool) -> Cmd {
    let mut command = cmd(if known { "EVALSHA" } else { "EVAL" });
    command.arg(if known { DELETE.get_hash() } else { CODE }).arg(1).arg(&old.key).arg(old.value());
    command
}
