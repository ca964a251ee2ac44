//! Deleting the nine tenths that are old.

use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value as Json;

use super::backend::{Backend, CUTOFF, Database, Set};
use super::data::Folder;
use super::measure::{Series, Usage, measure};
use super::report::{Limit, Part, Table, Target, number};
use super::size::Size;
use super::stats::{max, median, ratio};
use super::tools::Tools;
use crate::run::{Result, say};

/// As fast as it can, for a site that is not up.
const FAST: [&str; 4] = ["--batch-size", "20000", "--sleep", "0"];

/// A way to delete them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Bare,
    Default,
    Fast,
    Original,
}

impl Way {
    /// Those that are worth while: where nobody waits for a lock of the whole database, none needs to hurry.
    fn all(database: Database) -> Vec<Self> {
        let mut ways = vec![Self::Bare, Self::Default, Self::Fast, Self::Original];
        ways.retain(|way| database == Database::Sqlite || *way != Self::Fast);
        ways
    }

    fn title(self, database: Database) -> String {
        match self {
            Self::Bare => format!("{}, {}", database.client(), database.deletion()),
            Self::Default => "`cleanup`".to_owned(),
            Self::Fast => format!("`cleanup {}`", FAST.join(" ")),
            Self::Original if database == Database::Files => "Python, `os.remove`".to_owned(),
            Self::Original => "Python, one DELETE".to_owned(),
        }
    }

    fn command(self, tools: &Tools, backend: &dyn Backend, set: &Set) -> Result<Command> {
        let (cutoff, _) = CUTOFF;
        Ok(match self {
            Self::Bare => backend.delete(tools, set)?,
            Self::Default => ours(tools, set)?,
            Self::Fast => {
                let mut ours = ours(tools, set)?;
                ours.args(FAST);
                ours
            }
            Self::Original => {
                let mut original = backend.original(tools);
                original.args(["cleanup", &set.url, cutoff]);
                original
            }
        })
    }
}

/// Ours, with what it does by default.
pub(crate) fn ours(tools: &Tools, set: &Set) -> Result<Command> {
    let mut ours = tools.ours();
    ours.arg("cleanup").arg(&set.ini).args(["--format", "json", "--timeout", &timeout()?]);
    Ok(ours)
}

/// How many minutes ago the cutoff is, as `find` counts them.
pub(crate) fn minutes() -> Result<u64> {
    seconds().map(|seconds| seconds / 60)
}

/// How long ago the cutoff is. The youngest of the old are a second or so older, the oldest of the young an hour younger.
fn timeout() -> Result<String> {
    seconds().map(|seconds| format!("{seconds}s"))
}

fn seconds() -> Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?.as_secs();
    let (_, cutoff) = CUTOFF;
    now.checked_sub(cutoff).ok_or_else(|| "this machine's clock is wrong".to_owned())
}

/// For how long one run kept others from writing, as it says itself.
#[derive(Clone, Copy, Debug)]
struct Held {
    batches: f64,
    seconds: f64,
    p50: f64,
    p99: f64,
    longest: f64,
}

impl Held {
    fn read(summary: &str, size: Size) -> Result<Self> {
        let summary: Json =
            serde_json::from_str(summary).map_err(|error| format!("`cleanup --format json`: {error}"))?;
        let number =
            |value: &Json| value.as_f64().ok_or_else(|| format!("`cleanup --format json` lacks a number: {summary}"));
        if summary["deleted"].as_u64() != Some(size.sessions() - size.young()) {
            return Err(format!("`cleanup` deleted other sessions than it should: {summary}"));
        }
        let lock = &summary["lock_ms"];
        Ok(Self {
            batches: number(&summary["batches"])?,
            seconds: number(&summary["lock_seconds"])?,
            p50: number(&lock["p50"])?,
            p99: number(&lock["p99"])?,
            longest: number(&lock["max"])?,
        })
    }
}

/// What one way cost in all rounds.
#[derive(Debug)]
struct Taken {
    way: Way,
    series: Series,
    held: Vec<Held>,
}

impl Taken {
    fn held(&self, number: impl Fn(&Held) -> f64) -> Vec<f64> {
        self.held.iter().map(number).collect()
    }
}

/// Cleans a fresh copy in each way, `rounds` times.
pub(crate) fn measure_all(
    tools: &Tools,
    folder: &Folder,
    backend: &dyn Backend,
    set: &Set,
    size: Size,
    rounds: usize,
) -> Result<Part> {
    let database = backend.database();
    let ways = Way::all(database).into_iter();
    let mut taken: Vec<_> = ways.map(|way| Taken { way, series: Series::default(), held: Vec::new() }).collect();
    for round in 1..=rounds {
        say(&format!("cleaning {size}, {}, round {round} of {rounds}", backend.title()));
        for taken in &mut taken {
            let copy = backend.copy(tools, set)?;
            let (usage, summary) = run(taken.way, tools, folder, backend, &copy)?;
            taken.series.add(usage);
            if matches!(taken.way, Way::Default | Way::Fast) {
                taken.held.push(Held::read(&summary, size)?);
            }
            let left = backend.count(tools, &copy)?;
            if left != size.young() {
                return Err(format!("{} left {left} of {} sessions", taken.way.title(database), size.young()));
            }
            backend.remove(copy)?;
        }
        // Nobody is always the one after another.
        taken.rotate_left(1);
    }
    taken.sort_by_key(|taken| taken.way as u8);
    let title =
        format!("Deleting {} of {} sessions, {}", size.sessions() - size.young(), size.sessions(), backend.title());
    Ok(Part { title, tables: tables(&taken, database), targets: targets(&taken, size, backend) })
}

fn run(way: Way, tools: &Tools, folder: &Folder, backend: &dyn Backend, copy: &Set) -> Result<(Usage, String)> {
    let out = folder.out("cleanup");
    backend.settle()?;
    let usage = measure(&mut way.command(tools, backend, copy)?, &out)?;
    let summary = fs::read_to_string(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    Ok((usage, summary))
}

fn bare(taken: &[Taken]) -> Vec<f64> {
    taken.iter().find(|taken| taken.way == Way::Bare).map(|taken| taken.series.walls()).unwrap_or_default()
}

fn tables(taken: &[Taken], database: Database) -> Vec<Table> {
    let bare = bare(taken);
    let to_bare = format!("wall to {}", database.deletion());
    let mut costs = Table::new(&["", "wall s, min", "median", "CPU s", "peak MB", &to_bare]);
    // On a server all that is known is a batch: rows are locked for a part of it.
    let (first, in_all) = match database {
        Database::Sqlite => ("Write lock", "held s in all"),
        Database::Postgresql | Database::Mariadb | Database::Files => ("Batches", "s in all"),
    };
    let to_bare = format!("to {}", database.deletion());
    let mut locks = Table::new(&[first, "batches", in_all, &to_bare, "p50 ms", "p99 ms", "longest ms"]);
    for Taken { way, series, .. } in taken {
        let walls = series.walls();
        let numbers =
            [series.wall_min(), series.wall_median(), series.cpu_median(), series.peak_max(), ratio(&walls, &bare)];
        costs.add([way.title(database)].into_iter().chain(numbers.map(number)));
    }
    for taken in taken.iter().filter(|taken| !taken.held.is_empty()) {
        let seconds = taken.held(|held| held.seconds);
        let numbers = [
            median(&taken.held(|held| held.batches)),
            median(&seconds),
            ratio(&seconds, &bare),
            median(&taken.held(|held| held.p50)),
            median(&taken.held(|held| held.p99)),
            max(&taken.held(|held| held.longest)),
        ];
        locks.add([taken.way.title(database)].into_iter().chain(numbers.map(number)));
    }
    vec![costs, locks]
}

fn targets(taken: &[Taken], size: Size, backend: &dyn Backend) -> Vec<Target> {
    let bare = bare(taken);
    let mut targets = Vec::new();
    for taken in taken {
        let mut add = |what: &str, unit, limit, seen| {
            let what = format!("clean {size}, {}, {what}", backend.short());
            targets.push(Target { what, unit, limit: Limit::AtMost(limit), seen });
        };
        let to_bare = || ratio(&taken.series.walls(), &bare);
        match (taken.way, backend.database()) {
            (Way::Default, Database::Sqlite) => {
                let busy = ratio(&taken.held(|held| held.seconds), &bare);
                add("default: lock time to one DELETE", "", 5.0, busy);
                add("default: p99 of lock times", "ms", 50.0, median(&taken.held(|held| held.p99)));
                add("default: peak", "MB", 32.0, taken.series.peak_max());
            }
            (Way::Default, Database::Postgresql) => add("wall to one DELETE", "", 2.5, to_bare()),
            (Way::Default, Database::Mariadb) => add("wall to one DELETE", "", 2.0, to_bare()),
            (Way::Default, Database::Files) => {
                add("wall to `find -delete`", "", 2.0, to_bare());
                add("peak", "MB", 32.0, taken.series.peak_max());
            }
            (Way::Fast, _) => {
                add("fast: wall to one DELETE", "", 1.6, to_bare());
                add("fast: peak", "MB", 32.0, taken.series.peak_max());
            }
            (Way::Bare | Way::Original, _) => {}
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUMMARY: &str = r#"{"deleted": 9000, "batches": 12, "lock_seconds": 0.5, "seconds": 1.25,
        "lock_ms": {"p50": 20.125, "p99": 41.5, "max": 60.0}}"#;

    #[test]
    fn the_summary_says_how_long_others_waited() {
        let held = Held::read(SUMMARY, Size::QUICK).unwrap();
        let numbers = [held.batches, held.seconds, held.p50, held.p99, held.longest];
        assert_eq!(numbers.map(|number| number.to_string()), ["12", "0.5", "20.125", "41.5", "60"]);
    }

    #[test]
    fn servers_are_spared_haste() {
        assert!(Way::all(Database::Sqlite).contains(&Way::Fast) && !Way::all(Database::Mariadb).contains(&Way::Fast));
    }

    #[test]
    fn a_summary_of_other_work_is_refused() {
        for (from, to) in [("9000", "8999"), ("0.5", "null"), ("p99", "p98"), ("{", "[")] {
            assert!(Held::read(&SUMMARY.replace(from, to), Size::QUICK).is_err(), "{from} {to}");
        }
    }
}
