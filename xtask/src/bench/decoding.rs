//! Decoding sessions that are in memory, on one core.

use std::path::Path;
use std::process::Command;

use super::data::Folder;
use super::report::{Limit, Part, Table, Target, number};
use super::stats::{median, ratio};
use super::tools::Tools;
use crate::run::{Result, output, say, target};

/// The kinds of payloads, named like the files that `payloads.py` makes.
const SETS: [Set; 5] = [
    Set { name: "bench", what: "the sessions of the listing: base64, protocol 2 in 5" },
    Set { name: "plain", what: "the same as Beaker 1.11 stores them: a dict, protocol 2" },
    Set { name: "objects", what: "dates, decimals and a user, dict or base64, protocols 4 and 5" },
    Set { name: "large", what: "more than 100 kB" },
    Set { name: "json", what: "sessions of the JSON serializer; CPython's is `json.loads`" },
];

/// A kind of payloads.
#[derive(Clone, Copy, Debug)]
struct Set {
    name: &'static str,
    what: &'static str,
}

/// Who decodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Codec,
    CPython,
    SerdePickle,
}

impl Reader {
    const ALL: [Self; 3] = [Self::Codec, Self::CPython, Self::SerdePickle];

    /// Whether it can read them: serde-pickle knows no class and no JSON.
    fn can_read(self, set: Set) -> bool {
        self != Self::SerdePickle || !matches!(set.name, "objects" | "json")
    }

    fn command(self, tools: &Tools, examples: &Path, file: &Path, seconds: &str) -> Command {
        let example = |reader: &str| {
            let mut example = tools.command(&examples.join("throughput"));
            example.arg(reader);
            example
        };
        let mut command = match self {
            Self::Codec => example("codec"),
            Self::CPython => tools.python("xtask/bench/throughput.py"),
            Self::SerdePickle => example("serde-pickle"),
        };
        command.arg(file).arg(seconds);
        command
    }
}

/// How fast one set was read in all rounds.
#[derive(Debug)]
struct Taken {
    set: Set,
    /// Sessions a second, of each reader in each round.
    rates: [Vec<f64>; 3],
    /// The most memory to one payload.
    memory: f64,
}

impl Taken {
    fn rates(&self, reader: Reader) -> &[f64] {
        &self.rates[reader as usize]
    }

    /// How many times faster than another one ours is.
    fn times(&self, other: Reader) -> f64 {
        ratio(self.rates(Reader::Codec), self.rates(other))
    }
}

/// Lets each reader read each set for some time, by turns, `rounds` times.
pub(crate) fn measure_all(tools: &Tools, folder: &Folder, rounds: usize, seconds: &str) -> Result<Part> {
    Tools::build(&["--package", "beakerhelpers-codec", "--examples"])?;
    let (examples, payloads) = (target().join("release/examples"), folder.payloads()?);
    let mut taken = Vec::new();
    for set in SETS {
        let file = payloads.join(set.name);
        let memory = parsed(&output(tools.command(&examples.join("memory")).arg(&file))?)?;
        taken.push(Taken { set, rates: Default::default(), memory });
    }
    let mut readers = Reader::ALL;
    for round in 1..=rounds {
        say(&format!("decoding, round {round} of {rounds}"));
        for Taken { set, rates, .. } in &mut taken {
            for reader in readers.into_iter().filter(|reader| reader.can_read(*set)) {
                let mut command = reader.command(tools, &examples, &payloads.join(set.name), seconds);
                rates[reader as usize].push(parsed(&output(&mut command)?)?);
            }
        }
        // Nobody is always the one after Python.
        readers.rotate_left(1);
    }
    Ok(Part { title: "Decoding sessions in memory".to_owned(), tables: tables(&taken), targets: targets(&taken) })
}

/// The only thing that these programs print.
fn parsed(said: &str) -> Result<f64> {
    said.trim().parse().map_err(|_| format!("this is no number: {said}"))
}

fn tables(taken: &[Taken]) -> Vec<Table> {
    let head =
        ["Thousand sessions a second, median", "ours", "CPython", "serde-pickle", "ours to CPython", "to serde-pickle"];
    let mut speed = Table::new(&head);
    let mut memory = Table::new(&["Peak memory while decoding", "times the payload"]);
    for one in taken {
        let rates = Reader::ALL.map(|reader| median(one.rates(reader)) / 1e3);
        let times = [Reader::CPython, Reader::SerdePickle].map(|other| one.times(other));
        let title = || format!("`{}`: {}", one.set.name, one.set.what);
        speed.add([title()].into_iter().chain(rates.into_iter().chain(times).map(number)));
        memory.add([title(), number(one.memory)]);
    }
    vec![speed, memory]
}

fn targets(taken: &[Taken]) -> Vec<Target> {
    let target = |set: Set, what: &str, limit, seen| Target {
        what: format!("decode `{}`, {what}", set.name),
        unit: "",
        limit,
        seen,
    };
    let targets = taken.iter().flat_map(|one| {
        let mut targets = Vec::new();
        // What was promised compares pickles.
        if one.set.name != "json" {
            let seen = one.times(Reader::CPython);
            targets.push(target(one.set, "times faster than CPython", Limit::AtLeast(2.0), seen));
        }
        if Reader::SerdePickle.can_read(one.set) {
            let seen = one.times(Reader::SerdePickle);
            targets.push(target(one.set, "times faster than serde-pickle", Limit::AtLeast(1.0), seen));
        }
        if one.set.name == "bench" {
            targets.push(target(one.set, "peak memory to payload", Limit::AtMost(8.0), one.memory));
        }
        targets
    });
    targets.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_compared_round_by_round() {
        let [bench, _, objects, ..] = SETS;
        let rates = [vec![4e6, 2e6, 5e6], vec![1e6, 1e6, 1e6], vec![2e6, 2e6, 2e6]];
        let one = Taken { set: bench, rates: rates.clone(), memory: 9.0 };
        let other = Taken { set: objects, rates: [rates[0].clone(), rates[1].clone(), Vec::new()], memory: 2.0 };
        let targets = targets(&[one, other]);
        let seen: Vec<_> = targets.iter().map(|target| (target.what.as_str(), target.seen.to_string())).collect();
        let wanted = [
            ("decode `bench`, times faster than CPython", "4"),
            ("decode `bench`, times faster than serde-pickle", "2"),
            ("decode `bench`, peak memory to payload", "9"),
            ("decode `objects`, times faster than CPython", "4"),
        ];
        assert_eq!(seen, wanted.map(|(what, seen)| (what, seen.to_owned())));
    }

    #[test]
    fn programs_print_one_number() {
        assert_eq!(parsed("319861.5\n").map(|rate| rate.to_string()), Ok("319861.5".to_owned()));
        assert!(parsed("").is_err() && parsed("1 2").is_err());
    }
}
