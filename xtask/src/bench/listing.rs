//! Listing all sessions to a file.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Command;

use super::backend::{Backend, Database, Set};
use super::data::Folder;
use super::measure::{Series, measure};
use super::report::{Limit, Part, Table, Target, number};
use super::size::Size;
use super::stats::ratio;
use super::tools::Tools;
use crate::run::{Result, say};

const FORMATS: [&str; 6] = ["table", "plain", "json", "jsonl", "csv", "markdown"];
/// Of a server: another format costs there what it costs here.
const FORMATS_OF_SERVERS: [&str; 3] = ["table", "jsonl", "csv"];

/// A way to list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Floor,
    Ours(&'static str),
    Original,
}

impl Way {
    /// A word that is a file's name too.
    const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Ours(format) => format,
            Self::Original => "original",
        }
    }

    fn title(self, database: Database) -> String {
        match self {
            Self::Floor => database.client().to_owned(),
            Self::Ours(format) => format!("`--format {format}`"),
            Self::Original => "Python".to_owned(),
        }
    }

    fn command(self, tools: &Tools, backend: &dyn Backend, set: &Set) -> Result<Command> {
        Ok(match self {
            Self::Floor => backend.floor(tools, set)?,
            Self::Ours(format) => {
                let mut ours = tools.ours();
                ours.arg("sessions").arg(&set.ini).args(["--format", format]);
                ours
            }
            Self::Original => {
                let mut original = backend.original(tools);
                original.args(["sessions", &set.url]);
                original
            }
        })
    }
}

const fn formats(database: Database) -> &'static [&'static str] {
    match database {
        Database::Sqlite => &FORMATS,
        Database::Postgresql | Database::Mariadb | Database::Files => &FORMATS_OF_SERVERS,
    }
}

/// Lists the sessions in each way, `rounds` times.
pub(crate) fn measure_all(
    tools: &Tools,
    folder: &Folder,
    backend: &dyn Backend,
    set: &Set,
    size: Size,
    rounds: usize,
) -> Result<Part> {
    let database = backend.database();
    let ours = formats(database).iter().copied().map(Way::Ours);
    let mut ways: Vec<_> = [Way::Floor, Way::Original].into_iter().chain(ours).collect();
    let mut taken: Vec<_> = ways.iter().map(|way| (*way, Series::default())).collect();
    // The first round warms up: it does not count.
    for round in 0..=rounds {
        say(&format!("listing {size}, {}, round {round} of {rounds}", database.name()));
        for way in &ways {
            if *way == Way::Original && is_spared(database, size, round) {
                continue;
            }
            backend.settle()?;
            let usage = measure(&mut way.command(tools, backend, set)?, &folder.out(way.name()))?;
            if round > 0 {
                taken.iter_mut().filter(|(taker, _)| taker == way).for_each(|(_, series)| series.add(usage));
            }
        }
        if round == 1 {
            check(folder, database, size)?;
        }
        // Nobody is always the one after Python.
        ways.rotate_left(1);
    }
    Ok(Part {
        title: format!("Listing {} sessions, {}", size.sessions(), database.name()),
        tables: vec![table(&taken, database)],
        targets: targets(&taken, size, database),
    })
}

/// Python takes its time: with many sessions few rounds have to do, and no warming.
fn is_spared(database: Database, size: Size, round: usize) -> bool {
    let last = if database == Database::Sqlite { 3 } else { 1 };
    size.sessions() >= 1_000_000 && (round == 0 || round > last)
}

fn series(taken: &[(Way, Series)], wanted: Way) -> Vec<f64> {
    taken.iter().find(|(way, _)| *way == wanted).map(|(_, series)| series.walls()).unwrap_or_default()
}

fn table(taken: &[(Way, Series)], database: Database) -> Table {
    let (floor, original) = (series(taken, Way::Floor), series(taken, Way::Original));
    let to_floor = format!("wall to {}", database.client());
    let head = ["", "wall s, min", "median", "CPU s", "peak MB", &to_floor, "times faster than Python"];
    let mut table = Table::new(&head);
    for (way, series) in taken {
        let walls = series.walls();
        let numbers = [
            series.wall_min(),
            series.wall_median(),
            series.cpu_median(),
            series.peak_max(),
            ratio(&walls, &floor),
            ratio(&original, &walls),
        ];
        table.add([way.title(database)].into_iter().chain(numbers.map(number)));
    }
    table
}

fn targets(taken: &[(Way, Series)], size: Size, database: Database) -> Vec<Target> {
    let (floor, original) = (series(taken, Way::Floor), series(taken, Way::Original));
    let mut targets = Vec::new();
    for (way, series) in taken {
        let Way::Ours(format) = *way else { continue };
        let walls = series.walls();
        let mut add = |what: &str, unit, limit, seen| {
            let what = format!("list {size}, {}, as {format}, {what}", database.name());
            targets.push(Target { what, unit, limit, seen });
        };
        let most = match (database, format) {
            (Database::Postgresql | Database::Mariadb | Database::Files, _) | (Database::Sqlite, "json" | "jsonl") => {
                Some(1.5)
            }
            (Database::Sqlite, "table" | "csv" | "markdown") => Some(2.0),
            (Database::Sqlite, _) => None,
        };
        if let Some(most) = most {
            add(&format!("wall to {}", database.client()), "", Limit::AtMost(most), ratio(&walls, &floor));
        }
        if database == Database::Sqlite {
            add("times faster than Python", "", Limit::AtLeast(8.0), ratio(&original, &walls));
        }
        add("peak", "MB", Limit::AtMost(128.0), series.peak_max());
    }
    targets
}

/// What was measured is the whole work: the table is the original's to the last byte, and each other format has a line for
/// each session.
fn check(folder: &Folder, database: Database, size: Size) -> Result {
    let tables = (&*folder.out("table"), &*folder.out("original"));
    // MariaDB cuts the times that it sorts by to seconds: many are the same.
    let same = match database {
        Database::Mariadb => line_sum(tables.0)? == line_sum(tables.1)?,
        Database::Sqlite | Database::Postgresql | Database::Files => are_equal(tables.0, tables.1)?,
    };
    if !same {
        return Err("the table is not the one that Python prints: see `out` beside the data sets".to_owned());
    }
    for format in formats(database) {
        let lines = lines(&folder.out(format))?;
        if lines < size.sessions() {
            return Err(format!("{format} has {lines} lines for {} sessions", size.sessions()));
        }
    }
    Ok(())
}

/// A number that is the same for the same lines in any order, and hardly for others.
fn line_sum(path: &Path) -> Result<(u64, u64)> {
    let mut sum = (0_u64, 0_u64);
    for line in open(path)?.split(b'\n') {
        let mut hasher = DefaultHasher::new();
        line.map_err(|error| format!("{}: {error}", path.display()))?.hash(&mut hasher);
        sum = (sum.0 + 1, sum.1.wrapping_add(hasher.finish()));
    }
    Ok(sum)
}

fn open(path: &Path) -> Result<BufReader<File>> {
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(BufReader::with_capacity(1 << 16, file))
}

fn are_equal(one: &Path, other: &Path) -> Result<bool> {
    let (mut left, mut right) = (open(one)?, open(other)?);
    loop {
        let failed = |error| format!("{}: {error}", one.display());
        let (found, wanted) = (left.fill_buf().map_err(failed)?, right.fill_buf().map_err(failed)?);
        let both = found.len().min(wanted.len());
        if both == 0 || found[..both] != wanted[..both] {
            return Ok(found.is_empty() && wanted.is_empty());
        }
        left.consume(both);
        right.consume(both);
    }
}

/// How many lines a file has.
pub(super) fn lines(path: &Path) -> Result<u64> {
    let mut file = open(path)?;
    let mut buffer = vec![0; 1 << 16];
    let mut lines = 0;
    loop {
        let read = file.read(&mut buffer).map_err(|error| format!("{}: {error}", path.display()))?;
        if read == 0 {
            return Ok(lines);
        }
        lines += buffer[..read].iter().filter(|byte| **byte == b'\n').map(|_| 1).sum::<u64>();
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::*;

    #[test]
    fn outputs_are_compared_to_the_last_byte() {
        let folder = env::temp_dir().join(format!("beakerhelpers-bench-listing-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = |name: &str, contents: &[u8]| {
            let path = folder.join(name);
            fs::write(&path, contents).unwrap();
            path
        };
        // Longer than what is read at once.
        let long = b"row\n".repeat(40_000);
        let (one, same) = (file("one", &long), file("same", &long));
        assert!(are_equal(&one, &same).unwrap());
        assert_eq!(lines(&one).unwrap(), 40_000);
        let mut other = long.clone();
        *other.last_mut().unwrap() = b' ';
        for contents in [&other[..], &long[1..], &long[..long.len() - 1], &[][..]] {
            let other = file("other", contents);
            assert!(!are_equal(&one, &other).unwrap() && !are_equal(&other, &one).unwrap());
        }
        let (sorted, other) = (file("sorted", b"a\nb\nb\n"), file("unsorted", b"b\na\nb\n"));
        assert_eq!(line_sum(&sorted).unwrap(), line_sum(&other).unwrap());
        for contents in [&b"a\na\nb\n"[..], b"a\nb\nb\nb\n", b"a\nb\n"] {
            assert_ne!(line_sum(&sorted).unwrap(), line_sum(&file("other", contents)).unwrap());
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn python_is_spared_only_what_takes_long() {
        let [_, some, many] = Size::ALL;
        let spared = |database, size| (0..=5).filter(|round| is_spared(database, size, *round)).collect::<Vec<_>>();
        assert!(spared(Database::Sqlite, some).is_empty() && spared(Database::Mariadb, some).is_empty());
        assert_eq!(spared(Database::Sqlite, many), [0, 4, 5]);
        assert_eq!(spared(Database::Mariadb, many), [0, 2, 3, 4, 5]);
    }
}
