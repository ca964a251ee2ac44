//! Sessions in Redis, beside a bare `SCAN` and `GET` of all of them.

mod place;

use std::fs;
use std::process::Command;

use self::place::Place;
use super::cleaning::ours;
use super::data::Folder;
use super::harm;
use super::listing::lines;
use super::measure::{Series, measure};
use super::report::{Limit, Part, Table, Target, number};
use super::size::Size;
use super::stats::{max, median, min, quantile, ratio};
use super::tools::Tools;
use super::writer::{Seen, Writer};
use crate::run::{Result, say};

const FORMATS: [&str; 3] = ["table", "jsonl", "csv"];
/// No command may keep the server from others for longer, in milliseconds.
const LONGEST: f64 = 5.0;

/// How much to do.
pub(crate) struct Effort<'a> {
    /// For the application that saves.
    pub(crate) harm: harm::Effort,
    /// How often a size is listed and cleaned.
    pub(crate) rounds: &'a dyn Fn(Size) -> usize,
}

/// What was seen of one way to do something.
struct Taken {
    way: String,
    series: Series,
    /// The longest command of each run, in milliseconds.
    longest: Vec<f64>,
}

impl Taken {
    /// The longest command of the run in which that was shortest, in milliseconds. Each listing sends the same commands, so
    /// that those of other runs can be longer only because the server waited for a processor meanwhile.
    fn longest_by_itself(&self) -> f64 {
        min(&self.longest)
    }
}

/// Lists and cleans the sessions of each size, and lets an application save while the most of them are cleaned. Tells of
/// the server, too.
pub(crate) fn measure_all(
    tools: &Tools,
    folder: &Folder,
    sizes: &[Size],
    effort: &Effort<'_>,
) -> Result<(String, Vec<Part>)> {
    Tools::build(&["--package", "beakerhelpers-redis", "--example", "floor"])?;
    let place = Place::start(folder)?;
    let mut parts = Vec::new();
    for size in sizes.iter().copied() {
        let is_largest = sizes.iter().all(|other| *other <= size);
        let mut measured = vec![listing(tools, &place, size, (effort.rounds)(size))?];
        measured.push(cleaning(tools, &place, size, (effort.rounds)(size))?);
        if is_largest {
            measured.push(saving(tools, &place, size, effort.harm)?);
        }
        for part in &mut measured {
            say(&format!("\n{part}"));
            if !is_largest {
                part.targets.clear();
            }
        }
        parts.extend(measured);
    }
    Ok((place.facts()?, parts))
}

fn listing(tools: &Tools, place: &Place, size: Size, rounds: usize) -> Result<Part> {
    let set = place.load(size)?;
    let mut all: Vec<_> = std::iter::once("floor".to_owned())
        .chain(FORMATS.map(str::to_owned))
        .map(|way| Taken { way, series: Series::default(), longest: Vec::new() })
        .collect();
    // The first round warms up: it does not count.
    for round in 0..=rounds {
        say(&format!("listing {size}, Redis, round {round} of {rounds}"));
        for taken in &mut all {
            let mut command = match &*taken.way {
                "floor" => place.floor(tools),
                format => {
                    let mut ours = tools.ours();
                    ours.arg("sessions").arg(&set.ini).args(["--format", format]);
                    ours
                }
            };
            let (usage, longest) = watched(place, &mut command, &taken.way)?;
            if round > 0 {
                taken.series.add(usage);
                taken.longest.push(longest);
            }
        }
        all.rotate_left(1);
    }
    check(place, size)?;
    all.sort_by_key(|taken| taken.way != "floor");
    let floor = all[0].series.walls();
    let head = ["", "wall s, min", "median", "CPU s", "peak MB", "wall to floor", "longest command ms, min", "max"];
    let mut table = Table::new(&head);
    let mut targets = Vec::new();
    for taken in &all {
        let Taken { way, series, longest } = taken;
        let to_floor = ratio(&series.walls(), &floor);
        let numbers = [
            series.wall_min(),
            series.wall_median(),
            series.cpu_median(),
            series.peak_max(),
            to_floor,
            taken.longest_by_itself(),
            max(longest),
        ];
        let title = if way == "floor" { "bare SCAN and GET".to_owned() } else { format!("`--format {way}`") };
        table.add([title].into_iter().chain(numbers.map(number)));
        if way != "floor" {
            let mut add = |what: &str, unit, most, seen| {
                let what = format!("list {size}, Redis, as {way}, {what}");
                targets.push(Target { what, unit, limit: Limit::AtMost(most), seen });
            };
            add("wall to bare SCAN and GET", "", 1.5, to_floor);
            add("peak", "MB", 128.0, series.peak_max());
            add(&format!("longest command, least of {rounds} rounds"), "ms", LONGEST, taken.longest_by_itself());
        }
    }
    Ok(Part { title: format!("Listing {} sessions, Redis", size.sessions()), tables: vec![table], targets })
}

/// Each of them saw every session.
fn check(place: &Place, size: Size) -> Result {
    let out = place.out("floor");
    let floor = fs::read_to_string(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    if !floor.starts_with(&format!("{} sessions, ", size.sessions())) {
        return Err(format!("the floor saw {floor}"));
    }
    for way in FORMATS {
        let lines = lines(&place.out(way))?;
        if lines < size.sessions() {
            return Err(format!("{way} has {lines} lines for {} sessions", size.sessions()));
        }
    }
    Ok(())
}

/// Runs something, and gives its cost and the longest command that the server had meanwhile, in milliseconds.
fn watched(place: &Place, command: &mut Command, way: &str) -> Result<(super::measure::Usage, f64)> {
    place.forget_commands()?;
    let usage = measure(command, &place.out(way))?;
    Ok((usage, place.longest_command()?))
}

fn cleaning(tools: &Tools, place: &Place, size: Size, rounds: usize) -> Result<Part> {
    let mut taken = Taken { way: "clean".to_owned(), series: Series::default(), longest: Vec::new() };
    for round in 1..=rounds {
        say(&format!("cleaning {size}, Redis, round {round} of {rounds}"));
        let set = place.load(size)?;
        let (usage, longest) = watched(place, &mut ours(tools, &set)?, &taken.way)?;
        taken.series.add(usage);
        taken.longest.push(longest);
        if place.count()? != size.young() {
            return Err(format!("{} sessions are left, not {}", place.count()?, size.young()));
        }
    }
    let Taken { series, longest, .. } = &taken;
    let mut table = Table::new(&["", "wall s, min", "median", "CPU s", "peak MB", "longest command ms"]);
    let numbers = [series.wall_min(), series.wall_median(), series.cpu_median(), series.peak_max(), max(longest)];
    table.add(["`cleanup`".to_owned()].into_iter().chain(numbers.map(number)));
    let target = |what: &str, unit, most, seen| {
        let what = format!("clean {size}, Redis, {what}");
        Target { what, unit, limit: Limit::AtMost(most), seen }
    };
    let targets =
        vec![target("peak", "MB", 128.0, series.peak_max()), target("longest command", "ms", LONGEST, max(longest))];
    let title = format!("Deleting {} of {} sessions, Redis", size.sessions() - size.young(), size.sessions());
    Ok(Part { title, tables: vec![table], targets })
}

fn saving(tools: &Tools, place: &Place, size: Size, effort: harm::Effort) -> Result<Part> {
    let young = place.young(size);
    let young = young.to_string_lossy();
    say(&format!("saving beside nothing, {size}, Redis"));
    let set = place.load(size)?;
    let idle = Writer::start_with(tools, &set.url, &young, effort.saves)?.wait()?;
    let mut beside = Seen::default();
    let mut runs = 0;
    while runs < effort.repeats && beside.saves.len() < effort.saves {
        runs += 1;
        say(&format!("saving beside `cleanup`, {size}, Redis, run {runs}"));
        let set = place.load(size)?;
        let writer = Writer::start_with(tools, &set.url, &young, 0)?;
        measure(&mut ours(tools, &set)?, &place.out("harm"))?;
        let mut seen = writer.stop()?;
        seen.lost = seen.lost.max(size.young().saturating_sub(place.count()?));
        beside.add(seen);
    }
    let head = ["Meanwhile", "saves", "p50 ms", "p99 ms", "longest ms", "errors", "lost"];
    let mut table = Table::new(&head);
    for (what, seen) in [("nothing", &idle), ("`cleanup`", &beside)] {
        table.add([
            what.to_owned(),
            seen.saves.len().to_string(),
            number(median(&seen.saves)),
            number(quantile(&seen.saves, 0.99)),
            number(max(&seen.saves)),
            seen.errors.to_string(),
            seen.lost.to_string(),
        ]);
    }
    let [idle_p99, p99] = [&idle, &beside].map(|seen| quantile(&seen.saves, 0.99));
    let target = |what: &str, unit, limit, seen| {
        let what = format!("save during cleanup of {size}, Redis, {what}");
        Target { what, unit, limit, seen }
    };
    let most = ((2.0 * idle_p99).max(idle_p99 + 10.0) * 10.0).round() / 10.0;
    #[expect(clippy::cast_precision_loss, reason = "nobody saves so often")]
    let [errors, lost] = [beside.errors, beside.lost].map(|number| number as f64);
    let targets = vec![
        target("p99", "ms", Limit::AtMost(most), p99),
        target("errors", "", Limit::AtMost(0.0), errors),
        target("sessions lost", "", Limit::AtMost(0.0), lost),
    ];
    let title =
        format!("Saving sessions while {} of {} are deleted, Redis", size.sessions() - size.young(), size.sessions());
    Ok(Part { title, tables: vec![table], targets })
}
