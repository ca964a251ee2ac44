//! Showing a few sessions: what it takes to start.

use super::backend::Backend;
use super::data::Folder;
use super::measure::{Series, measure};
use super::report::{Limit, Part, Table, Target, number};
use super::size::Size;
use super::sqlite::Sqlite;
use super::tools::Tools;
use crate::run::{Result, say};

/// Shows ten sessions, `runs` times.
pub(crate) fn measure_all(tools: &Tools, folder: &Folder, runs: usize) -> Result<Part> {
    let set = Sqlite::new(folder).load(tools, Size::FEW)?;
    say(&format!("showing {} sessions {runs} times", Size::FEW));
    let mut series = Series::default();
    // The first run loads the program.
    for run in 0..=runs {
        let usage = measure(tools.ours().arg("sessions").arg(&set.ini), &folder.out("start"))?;
        if run > 0 {
            series.add(usage);
        }
    }
    let mut table = Table::new(&["", "wall ms, min", "median", "CPU ms", "peak MB"]);
    let numbers =
        [series.wall_min() * 1e3, series.wall_median() * 1e3, series.cpu_median() * 1e3, series.peak_max()].map(number);
    table.add(["`sessions`".to_owned()].into_iter().chain(numbers));
    let what = format!("show {} sessions, median", Size::FEW);
    let target = Target { what, unit: "ms", limit: Limit::AtMost(20.0), seen: series.wall_median() * 1e3 };
    Ok(Part { title: format!("Showing {} sessions", Size::FEW), tables: vec![table], targets: vec![target] })
}
