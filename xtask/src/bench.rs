//! `cargo xtask bench`: what decoding, listing and cleaning cost, beside the least that it can cost and beside the original,
//! and what an application notices of a cleanup.

mod backend;
mod cleaning;
mod data;
mod decoding;
mod files;
mod harm;
mod listing;
mod machine;
mod measure;
mod redis;
pub(crate) mod report;
mod server;
mod size;
mod sqlite;
mod start;
mod stats;
mod tools;
mod writer;

use std::fs;
use std::io::{self, Write};

use clap::ValueEnum;

use self::backend::{Backend, Database};
use self::data::Folder;
use self::files::Files;
use self::harm::Effort;
use self::report::{Part, Report};
use self::server::OnServer;
use self::size::Size;
use self::sqlite::Sqlite;
use self::tools::Tools;
use crate::run::{Result, root, say};

/// Where a full run is written down.
const DOCUMENT: &str = "docs/benchmarks.md";

#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// How many sessions [default: 10k,100k,1m; on a server 100k,1m]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    sizes: Vec<Size>,

    /// Two rounds, of 10k sessions where --sizes says nothing else
    #[arg(long)]
    quick: bool,

    /// One kind of work
    #[arg(long, value_enum)]
    only: Option<Work>,

    /// Where the sessions are [default: all of them]
    #[arg(long, value_enum, value_name = "DATABASE", value_delimiter = ',')]
    database: Vec<Database>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Work {
    /// Decode and encode sessions in memory
    Decode,
    /// List all sessions
    List,
    /// Delete the old ones
    Clean,
    /// Save sessions meanwhile, the most of the sizes
    Harm,
    /// Show ten
    Start,
    /// List and delete sessions in Redis, and save some meanwhile
    Redis,
}

impl BenchArgs {
    fn databases(&self) -> Vec<Database> {
        if self.database.is_empty() { Database::ALL.to_vec() } else { self.database.clone() }
    }

    fn sizes(&self, database: Database) -> Vec<Size> {
        let all = match database {
            Database::Sqlite => &Size::ALL[..],
            Database::Postgresql | Database::Mariadb => &Size::ALL[1..],
            // A copy of a million files takes longer than what is measured.
            Database::Files => &Size::ALL[1..2],
        };
        match (self.sizes.is_empty(), self.quick) {
            (false, _) => self.sizes.clone(),
            (true, true) => vec![Size::QUICK],
            (true, false) => all.to_vec(),
        }
    }

    fn wants(&self, work: Work) -> bool {
        self.only.is_none_or(|only| only == work)
    }

    /// Whether to do work that is none of a chosen database's.
    fn wants_apart(&self, work: Work) -> bool {
        self.only == Some(work) || self.only.is_none() && self.database.is_empty()
    }

    fn rounds(&self, work: Work, database: Database, size: Size) -> usize {
        match work {
            Work::Start if self.quick => 20,
            Work::Start => 50,
            _ if self.quick => 2,
            Work::Decode => 9,
            // MariaDB takes as long for each copy as for a cleanup.
            Work::Clean if size.sessions() >= 1_000_000 && database == Database::Mariadb => 2,
            Work::Clean | Work::List | Work::Redis if size.sessions() >= 1_000_000 => 3,
            Work::List | Work::Clean | Work::Harm | Work::Redis => 5,
        }
    }

    fn effort(&self) -> Effort {
        if self.quick {
            Effort { saves: 300, repeats: 2, bare_repeats: 1 }
        } else {
            Effort { saves: 3_000, repeats: 15, bare_repeats: 3 }
        }
    }

    fn is_full(&self) -> bool {
        self.only.is_none() && self.database.is_empty() && self.sizes.is_empty() && !self.quick
    }
}

/// Measures, prints the numbers and, where all was measured, writes the document.
pub(crate) fn run(args: &BenchArgs) -> Result {
    let folder = Folder::make()?;
    if machine::is_memory(folder.path()) {
        say("warning: the data sets are on a tmpfs: no disk is measured, and temporary files are memory");
    }
    let tools = Tools::bring(&folder)?;
    if args.only != Some(Work::Decode) {
        Tools::build(&["--package", "beakerhelpers-cli"])?;
    }
    let mut facts = machine::facts(folder.path())?;
    facts.extend(tools.versions()?);
    let before = machine::load();
    let mut parts = Vec::new();
    if args.wants_apart(Work::Start) {
        let rounds = args.rounds(Work::Start, Database::Sqlite, Size::FEW);
        parts.push(shown(start::measure_all(&tools, &folder, rounds)?));
    }
    if args.wants_apart(Work::Decode) {
        let seconds = if args.quick { "0.2" } else { "1" };
        let rounds = args.rounds(Work::Decode, Database::Sqlite, Size::FEW);
        parts.push(shown(decoding::measure_all(&tools, &folder, rounds, seconds)?));
    }
    if [Work::List, Work::Clean, Work::Harm].into_iter().any(|work| args.wants(work)) {
        for database in args.databases() {
            // It runs as long as it is measured, and no longer.
            let server = OnServer::start(&folder, database)?;
            if let Some(server) = &server {
                facts.push((database.name(), server.facts()?));
            }
            let (of_sqlite, files) = (Sqlite::modes(&folder), Files::new(&folder));
            let backends: Vec<&dyn Backend> = match &server {
                Some(server) => vec![server],
                None if database == Database::Files => vec![&files],
                None => of_sqlite.iter().map(|files| files as &dyn Backend).collect(),
            };
            parts.extend(measure_database(args, &tools, &folder, &backends)?);
        }
    }
    if args.wants_apart(Work::Redis) {
        let sizes = args.sizes(Database::Postgresql);
        let effort =
            redis::Effort { harm: args.effort(), rounds: &|size| args.rounds(Work::Redis, Database::Sqlite, size) };
        let (fact, measured) = redis::measure_all(&tools, &folder, &sizes, &effort)?;
        facts.push(("Redis", fact));
        parts.extend(measured);
    }
    folder.clear()?;
    facts.push(("Load (1 minute)", format!("{before} before, {} after", machine::load())));
    let report = Report { facts, parts }.to_string();
    // There is nobody to tell that nobody reads.
    let _ = io::stdout().lock().write_all(report.as_bytes());
    if args.is_full() {
        let document = root().join(DOCUMENT);
        let folder = document.parent().expect("it is in a folder");
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&document, report));
        written.map_err(|error| format!("{DOCUMENT}: {error}"))?;
        say(&format!("wrote {DOCUMENT}"));
    }
    Ok(())
}

/// All that is done with one database, whose ways to write are measured one by one and read alike.
fn measure_database(args: &BenchArgs, tools: &Tools, folder: &Folder, backends: &[&dyn Backend]) -> Result<Vec<Part>> {
    let Some(first) = backends.first() else { return Ok(Vec::new()) };
    let database = first.database();
    let mut parts = Vec::new();
    let sizes = args.sizes(database);
    if args.only == Some(Work::Harm) && database == Database::Files {
        return Ok(parts);
    }
    for size in sizes.iter().copied() {
        let is_largest = sizes.iter().all(|other| *other <= size);
        if args.only == Some(Work::Harm) && !is_largest {
            continue;
        }
        let mut measured = Vec::new();
        let set = first.load(tools, size)?;
        if args.wants(Work::List) {
            let rounds = args.rounds(Work::List, database, size);
            measured.push(shown(listing::measure_all(tools, folder, *first, &set, size, rounds)?));
        }
        if args.wants(Work::Clean) {
            for backend in backends {
                let rounds = args.rounds(Work::Clean, database, size);
                measured.push(shown(cleaning::measure_all(tools, folder, *backend, &set, size, rounds)?));
            }
        }
        // Nobody waits for the lock of another session.
        if args.wants(Work::Harm) && is_largest && database != Database::Files {
            for backend in backends {
                measured.push(shown(harm::measure_all(tools, folder, *backend, &set, size, args.effort())?));
            }
        }
        // The promises are about many sessions: with few, starting is what takes the time.
        if !is_largest {
            for part in &mut measured {
                part.targets.clear();
            }
        }
        parts.extend(measured);
    }
    Ok(parts)
}

/// Shows what is measured so far: the whole takes long.
fn shown(part: Part) -> Part {
    say(&format!("\n{part}"));
    part
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};

    use super::*;

    fn args(words: &[&str]) -> BenchArgs {
        let command = BenchArgs::augment_args(Command::new("bench").no_binary_name(true));
        BenchArgs::from_arg_matches(&command.try_get_matches_from(words).unwrap()).unwrap()
    }

    #[test]
    fn only_a_full_run_is_written_down() {
        assert!(args(&[]).is_full());
        for words in [&["--quick"][..], &["--only", "list"], &["--sizes", "1m"], &["--database", "sqlite"]] {
            assert!(!args(words).is_full(), "{words:?}");
        }
    }

    #[test]
    fn a_quick_run_is_small_unless_told() {
        assert_eq!(args(&["--quick"]).sizes(Database::Mariadb), [Size::QUICK]);
        assert_eq!(args(&["--quick", "--sizes", "1m"]).sizes(Database::Sqlite), [Size::ALL[2]]);
        assert_eq!(args(&["--quick"]).rounds(Work::Clean, Database::Sqlite, Size::QUICK), 2);
        assert!(args(&["--only", "start"]).wants(Work::Start) && !args(&["--only", "start"]).wants(Work::List));
    }

    #[test]
    fn a_server_is_measured_with_many_sessions_only() {
        assert_eq!(args(&[]).sizes(Database::Postgresql), Size::ALL[1..]);
        assert_eq!(args(&["--sizes", "10k"]).sizes(Database::Postgresql), [Size::ALL[0]]);
    }

    #[test]
    fn a_chosen_database_is_all_that_is_measured() {
        let chosen = args(&["--database", "sqlite,mariadb"]);
        assert_eq!(chosen.databases(), [Database::Sqlite, Database::Mariadb]);
        assert!(!chosen.wants_apart(Work::Decode) && args(&["--quick"]).wants_apart(Work::Decode));
        assert!(args(&["--database", "mariadb", "--only", "start"]).wants_apart(Work::Start));
        assert!(!args(&["--only", "harm"]).wants_apart(Work::Start));
    }
}
