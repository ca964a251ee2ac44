//! What an application that saves sessions notices of a cleanup.

use super::backend::{Backend, Database, Set};
use super::cleaning::ours;
use super::data::Folder;
use super::measure::measure;
use super::report::{Limit, Part, Table, Target, number};
use super::size::Size;
use super::stats::{max, median, quantile};
use super::tools::Tools;
use super::writer::{Seen, Writer};
use crate::run::{Result, say};

/// A save that takes longer than this is noticed, in milliseconds.
const NOTICED: f64 = 250.0;

/// How long to look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// So many saves make a p99.
    pub(crate) saves: usize,
    /// So often a fresh copy is cleaned for them at most.
    pub(crate) repeats: usize,
    /// The same for one DELETE, which may leave nothing to be saved.
    pub(crate) bare_repeats: usize,
}

/// What happens meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    Ours,
    Bare,
}

impl Phase {
    const ALL: [Self; 3] = [Self::Idle, Self::Ours, Self::Bare];

    fn title(self, database: Database) -> String {
        match self {
            Self::Idle => "nothing".to_owned(),
            Self::Ours => "`cleanup`".to_owned(),
            Self::Bare => format!("{}, one DELETE", database.client()),
        }
    }
}

/// What was seen in one phase, however often it was repeated.
#[derive(Debug)]
struct Taken {
    phase: Phase,
    /// How long each of them took.
    seconds: Vec<f64>,
    seen: Seen,
}

impl Taken {
    fn p99(&self) -> f64 {
        quantile(&self.seen.saves, 0.99)
    }

    fn longest(&self) -> f64 {
        max(&self.seen.saves)
    }
}

/// Lets an application save sessions while nothing happens, while we clean, and while one DELETE does.
pub(crate) fn measure_all(
    tools: &Tools,
    folder: &Folder,
    backend: &dyn Backend,
    set: &Set,
    size: Size,
    effort: Effort,
) -> Result<Part> {
    let mut all = Vec::new();
    for phase in Phase::ALL {
        let repeats = match phase {
            Phase::Idle => 1,
            Phase::Ours => effort.repeats,
            Phase::Bare => effort.bare_repeats,
        };
        let mut taken = Taken { phase, seconds: Vec::new(), seen: Seen::default() };
        while taken.seconds.len() < repeats && taken.seen.saves.len() < effort.saves {
            let what = phase.title(backend.database());
            say(&format!("saving beside {what}, {size}, {}, run {}", backend.title(), taken.seconds.len() + 1));
            let copy = backend.copy(tools, set)?;
            let (seconds, mut seen) = run(phase, tools, folder, backend, &copy, effort)?;
            let left = backend.count(tools, &copy)?;
            let wanted = if phase == Phase::Idle { size.sessions() } else { size.young() };
            if left > wanted {
                return Err(format!("beside {what} {left} sessions are left, not {wanted}"));
            }
            // Of those that were not saved nobody but the count can tell.
            seen.lost = seen.lost.max(wanted - left);
            taken.seconds.push(seconds);
            taken.seen.add(seen);
            backend.remove(copy)?;
        }
        all.push(taken);
    }
    Ok(Part {
        title: format!(
            "Saving sessions while {} of {} are deleted, {}",
            size.sessions() - size.young(),
            size.sessions(),
            backend.title()
        ),
        tables: vec![table(&all, backend.database())],
        targets: targets(&all, size, backend, effort),
    })
}

/// One phase on a fresh copy; gives how long it took, in seconds.
fn run(
    phase: Phase,
    tools: &Tools,
    folder: &Folder,
    backend: &dyn Backend,
    copy: &Set,
    effort: Effort,
) -> Result<(f64, Seen)> {
    backend.settle()?;
    let saves = if phase == Phase::Idle { effort.saves } else { 0 };
    let writer = Writer::start(tools, copy, saves)?;
    let mut command = match phase {
        Phase::Idle => {
            let seen = writer.wait()?;
            return Ok((f64::NAN, seen));
        }
        Phase::Ours => ours(tools, copy)?,
        Phase::Bare => backend.delete(tools, copy)?,
    };
    let usage = measure(&mut command, &folder.out("harm"))?;
    Ok((usage.wall, writer.stop()?))
}

fn table(all: &[Taken], database: Database) -> Table {
    let head = [
        "Meanwhile",
        "runs",
        "s each",
        "saves",
        "p50 ms",
        "p99 ms",
        "longest ms",
        "over 250 ms",
        "longest load ms",
        "errors",
        "lost",
    ];
    let mut table = Table::new(&head);
    for taken in all {
        let Seen { saves, loads, errors, lost } = &taken.seen;
        let late = saves.iter().filter(|save| **save > NOTICED).count();
        table.add([
            taken.phase.title(database),
            taken.seconds.len().to_string(),
            number(median(&taken.seconds)),
            saves.len().to_string(),
            number(median(saves)),
            number(taken.p99()),
            number(taken.longest()),
            late.to_string(),
            number(max(loads)),
            errors.to_string(),
            lost.to_string(),
        ]);
    }
    table
}

fn targets(all: &[Taken], size: Size, backend: &dyn Backend, effort: Effort) -> Vec<Target> {
    let find = |wanted| all.iter().find(|taken| taken.phase == wanted);
    let (Some(idle), Some(ours)) = (find(Phase::Idle), find(Phase::Ours)) else { return Vec::new() };
    let target = |what: &str, unit, limit, seen| {
        let what = format!("save during cleanup of {size}, {}, {what}", backend.short());
        Target { what, unit, limit, seen }
    };
    let p99 = most_p99(idle.p99(), backend.database());
    vec![
        target("saves", "", Limit::AtLeast(count(effort.saves as u64)), count(ours.seen.saves.len() as u64)),
        target("p99", "ms", Limit::AtMost(p99), ours.p99()),
        target("longest", "ms", Limit::AtMost(tenths(idle.longest().max(NOTICED))), ours.longest()),
        target("errors", "", Limit::AtMost(0.0), count(ours.seen.errors)),
        target("sessions lost", "", Limit::AtMost(0.0), count(ours.seen.lost)),
    ]
}

/// What the p99 may come to, given that of an idle database, in milliseconds: SQLite's busy handler sleeps in steps of up
/// to 100 ms.
fn most_p99(idle: f64, database: Database) -> f64 {
    tenths(match database {
        Database::Sqlite | Database::Files => idle + 100.0,
        Database::Postgresql | Database::Mariadb => (2.0 * idle).max(idle + 10.0),
    })
}

/// As a limit is shown.
fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[expect(clippy::cast_precision_loss, reason = "nobody saves so often")]
fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_writer_may_notice_follows_from_an_idle_database() {
        let limits = [(3.0, Database::Postgresql), (40.04, Database::Mariadb), (3.0, Database::Sqlite)];
        let limits = limits.map(|(idle, database)| most_p99(idle, database).to_string());
        assert_eq!(limits, ["13", "80.1", "103"]);
        assert!(most_p99(f64::NAN, Database::Sqlite).is_nan());
    }
}
