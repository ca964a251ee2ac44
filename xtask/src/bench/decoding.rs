//! Decoding and encoding sessions that are in memory, on one core.

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

/// Who does what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Decode,
    CPython,
    SerdePickle,
    Encode,
    /// Decodes what encoding makes, which may have another form than the payload had.
    DecodeEncoded,
    Update,
}

impl Work {
    const ALL: [Self; 6] =
        [Self::Decode, Self::CPython, Self::SerdePickle, Self::Encode, Self::DecodeEncoded, Self::Update];

    /// Whether it can be done: serde-pickle knows no class and no JSON.
    fn is_possible(self, set: Set) -> bool {
        match self {
            Self::Decode | Self::CPython => true,
            Self::SerdePickle => !matches!(set.name, "objects" | "json"),
            Self::Encode | Self::DecodeEncoded | Self::Update => set.name != "json",
        }
    }

    fn command(self, tools: &Tools, examples: &Path, file: &Path, seconds: &str) -> Command {
        let example = |work: &str| {
            let mut example = tools.command(&examples.join("throughput"));
            example.arg(work);
            example
        };
        let mut command = match self {
            Self::Decode => example("decode"),
            Self::CPython => tools.python("xtask/bench/throughput.py"),
            Self::SerdePickle => example("serde-pickle"),
            Self::Encode => example("encode"),
            Self::DecodeEncoded => example("decode-encoded"),
            Self::Update => example("update"),
        };
        command.arg(file).arg(seconds);
        command
    }
}

/// How fast the work was with one set in all rounds.
#[derive(Debug)]
struct Taken {
    set: Set,
    /// Sessions a second, of each work in each round.
    rates: [Vec<f64>; 6],
    /// The most memory to one payload.
    memory: f64,
}

impl Taken {
    fn rates(&self, work: Work) -> &[f64] {
        &self.rates[work as usize]
    }

    fn times(&self, work: Work, other: Work) -> f64 {
        ratio(self.rates(work), self.rates(other))
    }
}

/// Does each work with each set for some time, by turns, `rounds` times.
pub(crate) fn measure_all(tools: &Tools, folder: &Folder, rounds: usize, seconds: &str) -> Result<Part> {
    Tools::build(&["--package", "beakerhelpers-codec", "--examples"])?;
    let (examples, payloads) = (target().join("release/examples"), folder.payloads()?);
    let mut taken = Vec::new();
    for set in SETS {
        let file = payloads.join(set.name);
        let memory = parsed(&output(tools.command(&examples.join("memory")).arg(&file))?)?;
        taken.push(Taken { set, rates: Default::default(), memory });
    }
    let mut works = Work::ALL;
    for round in 1..=rounds {
        say(&format!("decoding and encoding, round {round} of {rounds}"));
        for Taken { set, rates, .. } in &mut taken {
            for work in works.into_iter().filter(|work| work.is_possible(*set)) {
                let mut command = work.command(tools, &examples, &payloads.join(set.name), seconds);
                rates[work as usize].push(parsed(&output(&mut command)?)?);
            }
        }
        // Nobody is always the one after Python.
        works.rotate_left(1);
    }
    Ok(Part {
        title: "Decoding and encoding sessions in memory".to_owned(),
        tables: tables(&taken),
        targets: targets(&taken),
    })
}

/// The only thing that these programs print.
fn parsed(said: &str) -> Result<f64> {
    said.trim().parse().map_err(|_| format!("this is no number: {said}"))
}

fn tables(taken: &[Taken]) -> Vec<Table> {
    let head =
        ["Thousand sessions a second, median", "ours", "CPython", "serde-pickle", "ours to CPython", "to serde-pickle"];
    let mut decoding = Table::new(&head);
    let head = [
        "Thousand sessions a second, median",
        "`encode`",
        "`update`",
        "`encode` to decoding that",
        "`update` to decoding",
    ];
    let mut encoding = Table::new(&head);
    let mut memory = Table::new(&["Peak memory while decoding", "times the payload"]);
    for one in taken {
        let row = |works: &[Work], times: [(Work, Work); 2]| {
            let rates = works.iter().map(|work| median(one.rates(*work)) / 1e3);
            let times = times.map(|(work, other)| one.times(work, other));
            let title = format!("`{}`: {}", one.set.name, one.set.what);
            [title].into_iter().chain(rates.chain(times).map(number)).collect::<Vec<_>>()
        };
        let [decode, python, serde, encode, encoded, update] = Work::ALL;
        decoding.add(row(&[decode, python, serde], [(decode, python), (decode, serde)]));
        if encode.is_possible(one.set) {
            encoding.add(row(&[encode, update], [(encode, encoded), (update, decode)]));
        }
        memory.add([format!("`{}`", one.set.name), number(one.memory)]);
    }
    vec![decoding, encoding, memory]
}

fn targets(taken: &[Taken]) -> Vec<Target> {
    let targets = taken.iter().flat_map(|one| {
        let mut targets = Vec::new();
        let mut add = |what: &str, limit, seen| {
            targets.push(Target { what: format!("{what}, `{}`", one.set.name), unit: "", limit, seen });
        };
        // What was promised compares pickles.
        if one.set.name != "json" {
            add("decode: times faster than CPython", Limit::AtLeast(2.0), one.times(Work::Decode, Work::CPython));
        }
        if Work::SerdePickle.is_possible(one.set) {
            let seen = one.times(Work::Decode, Work::SerdePickle);
            add("decode: times faster than serde-pickle", Limit::AtLeast(1.0), seen);
        }
        if one.set.name == "bench" {
            add("decode: peak memory to payload", Limit::AtMost(8.0), one.memory);
        }
        if Work::Encode.is_possible(one.set) {
            add("encode: to decoding", Limit::AtLeast(1.0), one.times(Work::Encode, Work::DecodeEncoded));
            add("update: to decoding", Limit::AtLeast(1.0), one.times(Work::Update, Work::Decode));
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
        let [bench, _, objects, _, json] = SETS;
        let rates = || [vec![4e6, 2e6, 5e6], vec![1e6; 3], vec![2e6; 3], vec![8e6; 3], vec![4e6; 3], vec![2e6; 3]];
        let taken = [bench, objects, json].map(|set| Taken { set, rates: rates(), memory: 9.0 });
        let seen: Vec<_> = targets(&taken).iter().map(|target| format!("{} {}", target.what, target.seen)).collect();
        let wanted = [
            "decode: times faster than CPython, `bench` 4",
            "decode: times faster than serde-pickle, `bench` 2",
            "decode: peak memory to payload, `bench` 9",
            "encode: to decoding, `bench` 2",
            "update: to decoding, `bench` 0.5",
            "decode: times faster than CPython, `objects` 4",
            "encode: to decoding, `objects` 2",
            "update: to decoding, `objects` 0.5",
        ];
        assert_eq!(seen, wanted);
    }

    #[test]
    fn programs_print_one_number() {
        assert_eq!(parsed("319861.5\n").map(|rate| rate.to_string()), Ok("319861.5".to_owned()));
        assert!(parsed("").is_err() && parsed("1 2").is_err());
    }
}
