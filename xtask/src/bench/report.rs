//! What is printed, and what is written to the documentation.

use std::fmt::{self, Display};

/// One kind of work, measured.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) title: String,
    pub(crate) tables: Vec<Table>,
    pub(crate) targets: Vec<Target>,
}

impl Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}", self.title)?;
        self.tables.iter().try_for_each(|table| write!(f, "\n{table}"))
    }
}

/// A table; its first column is words and the others are numbers.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(ToString::to_string).collect()] }
    }

    pub(crate) fn add(&mut self, row: impl IntoIterator<Item = String>) {
        self.rows.push(row.into_iter().collect());
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
        let widths: Vec<_> = (0..columns)
            .map(|column| {
                self.rows.iter().map(|row| cell(row, column).chars().count()).max().unwrap_or_default().max(3)
            })
            .collect();
        for (number, row) in self.rows.iter().enumerate() {
            for (column, width) in widths.iter().copied().enumerate() {
                let text = cell(row, column);
                if column == 0 { write!(f, "| {text:width$} ")? } else { write!(f, "| {text:>width$} ")? }
            }
            writeln!(f, "|")?;
            if number == 0 {
                let rule = |(column, width): (usize, &usize)| match column {
                    0 => format!("|{}", "-".repeat(width + 2)),
                    _ => format!("|{}:", "-".repeat(width + 1)),
                };
                writeln!(f, "{}|", widths.iter().enumerate().map(rule).collect::<String>())?;
            }
        }
        Ok(())
    }
}

/// What a number should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// A number that was promised.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) limit: Limit,
    pub(crate) seen: f64,
}

impl Target {
    /// A number that could not be measured meets nothing.
    fn is_met(&self) -> bool {
        match self.limit {
            Limit::AtMost(most) => self.seen <= most,
            Limit::AtLeast(least) => self.seen >= least,
        }
    }

    fn row(&self) -> [String; 4] {
        let (word, limit) = match self.limit {
            Limit::AtMost(most) => ("at most", most),
            Limit::AtLeast(least) => ("at least", least),
        };
        let unit = self.unit;
        let met = if self.is_met() { "met" } else { "**not met**" };
        [
            self.what.clone(),
            format!("{word} {limit} {unit}").trim_end().to_owned(),
            format!("{} {unit}", number(self.seen)).trim_end().to_owned(),
            met.to_owned(),
        ]
    }
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) parts: Vec<Part>,
}

const INTRODUCTION: &str = "\
<!-- Written by `cargo xtask bench`; do not edit. -->
# Benchmarks

What listing and cleaning cost, in one run, on SQLite, PostgreSQL, MariaDB and files, side by side with two others: the
database's own client, which does as little as can be done, and the algorithm of BeakerHelpers 0.1 in Python 3
(`xtask/bench/original.py`). What a live application notices of a cleanup. What decoding costs, beside CPython's own
`pickle.loads` and serde-pickle.

To repeat it, on a machine that has nothing else to do:

```sh
cargo xtask bench
```

It takes three quarters of an hour. `cargo xtask bench --quick` takes a minute or two once all is built and leaves this
file alone, and so do `--sizes`, `--only` and `--database`, which choose a part.

- The sessions are made by `xtask/bench/data_set.py`, the same each time: 12 small keys in 467 bytes of `data` as Beaker
  1.14.1 stores them, ages shuffled over ids, nine of ten older than the cutoff. On a server `xtask/bench/load.py` loads
  the same ones, in the order of their ids, into a table that real Beaker made: no index but its own two.
- The servers are started for this alone, one at a time, with new data folders on the disk, and with all that makes a
  commit durable switched on. They have the settings that Debian's packages give them, but for 512 MB of memory for their
  pages, `shared_buffers` or `innodb_buffer_pool_size`, which is a little less than a million sessions take. What they
  say of themselves is below. All programs come over the unix socket, as the same user.
- The programs take turns, round by round, each with its output in a file. Before each run all that was written is synced,
  after a `CHECKPOINT` of PostgreSQL, and after MariaDB has written its pages and purged its old rows. The data is in the
  page cache: a listing runs once before it counts, a copy to clean was just written.
- A copy to clean is the file itself on SQLite, the database as a `TEMPLATE` on PostgreSQL, and the rows inserted in the
  order of their ids on MariaDB. A server's CPU and memory are not in the numbers, only those of its client.
- Files are those that Beaker's type `file` would have made of the same sessions, a lock file for each, and a copy is made
  with `cp -a`. What they are compared with is `find -type f -exec cat {} +`, and `find -type f -mmin +N -delete`, over the
  sessions alone; Python is `os.walk`, `pickle.loads` and `os.remove` (`xtask/bench/original_files.py`).
- The `sqlite3` shell prints `data` up to the first zero byte in it, its sixth, so that it writes less than any format
  does. `psql` copies three columns in the binary format, in the order of `accessed`. The `mariadb` client streams the
  same columns with `--quick`, in no order. MariaDB keeps whole seconds here, so that sessions of one second come in any
  order; the tables are compared without it.
- The live application is real Beaker (`xtask/bench/writer.py`) with one connection: it loads a session that is younger
  than the cutoff, another one each time and chosen by chance, saves it, and waits 2 ms. It saves before the cleanup
  starts and until it has ended. A short cleanup is repeated on fresh copies until 3000 saves are in; one DELETE at most
  three times, since it may leave nothing to be saved. What is measured is each save, those that fail too, in the time
  that the application waits. At the end each session must be as it was saved last: others are lost.
- Redis has the same sessions as Beaker keeps them there (`xtask/bench/redis_set.py`). Beside it stands a program that speaks
  to the socket itself (`crates/beakerhelpers-redis/examples/floor.rs`): it walks by `SCAN`, gets every value in pipelines of
  a page each, and decodes, keeps and prints none. The longest command is the longest in `SLOWLOG`, which counts from half
  a millisecond on. It counts too how long the server waited for a processor in the middle of a command, and there are
  fewer processors than threads here. All listings of one kind send the same commands, so that a command is no longer by
  itself than in the round in which the longest was shortest: that is what the target is about, and the tables have the
  longest of all rounds besides. The copy to clean is loaded anew each time.
- Decoding is measured in memory and on one core, by turns as well. The payloads are made by `xtask/bench/payloads.py`. Ours
  decodes a payload and then reads every value; CPython and serde-pickle decode, both pickles and the base64 between them.
  CPython's garbage collector is off. Peak memory is what the allocator gave to a new decoder and its session, of the worst
  payload. `encode` makes a payload of a session, `update` writes a new access time into the one that it came from.
- A ratio is the median of the ratios of each round. CPU is user and system, in the median; peak memory is the most
  resident memory of any round, in millions of bytes. Temporary files are on the disk of the data and are not memory.
";

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{INTRODUCTION}")?;
        writeln!(f, "Measured on:\n")?;
        self.facts.iter().try_for_each(|(name, value)| writeln!(f, "- {name}: {value}"))?;
        let mut targets = Table::new(&["Target", "limit", "seen", ""]);
        self.parts.iter().flat_map(|part| &part.targets).for_each(|target| targets.add(target.row()));
        write!(f, "\n## Targets\n\n{targets}")?;
        self.parts.iter().try_for_each(|part| write!(f, "\n{part}"))
    }
}

/// A number in three digits or more, unless it is nothing; a dash for what was not measured.
pub(crate) fn number(number: f64) -> String {
    match number {
        _ if number.is_nan() => "–".to_owned(),
        _ if number <= 0.0 => "0".to_owned(),
        _ if number < 1.0 => format!("{number:.3}"),
        _ if number < 10.0 => format!("{number:.2}"),
        _ if number < 100.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned_to_be_read_as_they_are() {
        let mut table = Table::new(&["", "wall s"]);
        table.add(["one".to_owned(), "1.00".to_owned()]);
        table.add(["another".to_owned(), "–".to_owned()]);
        let wanted = "\
|         | wall s |
|---------|-------:|
| one     |   1.00 |
| another |      – |
";
        assert_eq!(table.to_string(), wanted);
    }

    #[test]
    fn numbers_have_three_digits() {
        let numbers = [0.0, 0.012_34, 0.5, 1.234, 12.34, 123.4, 1234.5, f64::NAN].map(number);
        assert_eq!(numbers, ["0", "0.012", "0.500", "1.23", "12.3", "123", "1234", "–"]);
    }

    #[test]
    fn a_target_is_met_up_to_its_limit() {
        let target = |limit, seen| Target { what: "p99".to_owned(), unit: "ms", limit, seen };
        assert!(target(Limit::AtMost(50.0), 50.0).is_met() && !target(Limit::AtMost(50.0), 50.1).is_met());
        assert!(target(Limit::AtLeast(8.0), 8.0).is_met() && !target(Limit::AtLeast(8.0), 7.9).is_met());
        assert!(!target(Limit::AtMost(1.0), f64::NAN).is_met() && !target(Limit::AtLeast(1.0), f64::NAN).is_met());
        assert_eq!(target(Limit::AtMost(50.0), 12.34).row(), ["p99", "at most 50 ms", "12.3 ms", "met"]);
        assert_eq!(target(Limit::AtLeast(8.5), 8.0).row(), ["p99", "at least 8.5 ms", "8.00 ms", "**not met**"]);
    }

    #[test]
    fn a_report_has_targets_first() {
        let targets = vec![Target { what: "listing".to_owned(), unit: "", limit: Limit::AtMost(2.0), seen: 1.5 }];
        let part = Part { title: "Listing".to_owned(), tables: vec![Table::new(&["", "wall s"])], targets };
        let text = Report { facts: vec![("Cores", "2".to_owned())], parts: vec![part] }.to_string();
        let order =
            ["# Benchmarks", "- Cores: 2\n", "## Targets", "| listing | at most 2 | 1.50 | met |", "## Listing"];
        let places: Vec<_> =
            order.iter().map(|words| text.find(words).unwrap_or_else(|| panic!("{words}: {text}"))).collect();
        assert!(places.is_sorted(), "{text}");
        assert!(!text.contains("\n\n\n") && text.ends_with("|\n"), "{text}");
    }
}
