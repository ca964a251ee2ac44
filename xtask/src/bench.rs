//! `cargo xtask bench`: what decoding, listing and cleaning cost, beside the least that it can cost and beside the original.

mod cleaning;
mod data;
mod decoding;
mod listing;
mod machine;
mod measure;
pub(crate) mod report;
mod size;
mod start;
mod stats;
mod tools;

use std::fs;
use std::io::{self, Write};

use clap::ValueEnum;

use self::data::Folder;
use self::report::{Part, Report};
use self::size::Size;
use self::tools::Tools;
use crate::run::{Result, root, say};

/// Where a full run is written down.
const DOCUMENT: &str = "docs/benchmarks.md";

#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// How many sessions [default: 10k,100k,1m]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    sizes: Vec<Size>,

    /// Two rounds, of 10k sessions where --sizes says nothing else
    #[arg(long)]
    quick: bool,

    /// One kind of work
    #[arg(long, value_enum)]
    only: Option<Work>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Work {
    /// Decode and encode sessions in memory
    Decode,
    /// List all sessions
    List,
    /// Delete the old ones
    Clean,
    /// Show ten
    Start,
}

impl BenchArgs {
    fn sizes(&self) -> Vec<Size> {
        match (self.sizes.is_empty(), self.quick) {
            (false, _) => self.sizes.clone(),
            (true, true) => vec![Size::QUICK],
            (true, false) => Size::ALL.to_vec(),
        }
    }

    fn wants(&self, work: Work) -> bool {
        self.only.is_none_or(|only| only == work)
    }

    fn rounds(&self, work: Work, size: Size) -> usize {
        match work {
            Work::Start if self.quick => 20,
            Work::Start => 50,
            _ if self.quick => 2,
            Work::Decode => 9,
            Work::Clean if size.sessions() >= 1_000_000 => 3,
            Work::List | Work::Clean => 5,
        }
    }

    fn is_full(&self) -> bool {
        self.only.is_none() && !self.quick && self.sizes() == Size::ALL
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
    if args.wants(Work::Start) {
        parts.push(shown(start::measure_all(&tools, &folder, args.rounds(Work::Start, Size::FEW))?));
    }
    if args.wants(Work::Decode) {
        let seconds = if args.quick { "0.2" } else { "1" };
        parts.push(shown(decoding::measure_all(&tools, &folder, args.rounds(Work::Decode, Size::FEW), seconds)?));
    }
    let sizes = args.sizes();
    for size in sizes.iter().copied() {
        let mut measured = Vec::new();
        if args.wants(Work::List) {
            measured.push(shown(listing::measure_all(&tools, &folder, size, args.rounds(Work::List, size))?));
        }
        if args.wants(Work::Clean) {
            for mode in cleaning::MODES {
                let rounds = args.rounds(Work::Clean, size);
                measured.push(shown(cleaning::measure_all(&tools, &folder, size, mode, rounds)?));
            }
        }
        // The promises are about many sessions: with few, starting is what takes the time.
        if sizes.iter().any(|other| *other > size) {
            for part in &mut measured {
                part.targets.clear();
            }
        }
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
        assert!(args(&[]).is_full() && args(&["--sizes", "10k,100k,1m"]).is_full());
        for words in [&["--quick"][..], &["--only", "list"], &["--sizes", "1m"]] {
            assert!(!args(words).is_full(), "{words:?}");
        }
    }

    #[test]
    fn a_quick_run_is_small_unless_told() {
        assert_eq!(args(&["--quick"]).sizes(), [Size::QUICK]);
        assert_eq!(args(&["--quick", "--sizes", "1m"]).sizes(), [Size::ALL[2]]);
        assert_eq!(args(&["--quick"]).rounds(Work::Clean, Size::QUICK), 2);
        assert!(args(&["--only", "start"]).wants(Work::Start) && !args(&["--only", "start"]).wants(Work::List));
    }
}
