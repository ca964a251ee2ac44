//! Runs a program and says what that cost.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use wait4::Wait4;

use super::stats::{max, median, min};
use crate::run::{Result, output, shown};

/// What one run cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// From before the start to after the end, in seconds.
    pub(crate) wall: f64,
    /// Of user and system, in seconds.
    pub(crate) cpu: f64,
    /// The most memory that was resident at once, in millions of bytes.
    ///
    /// What this program itself held when it started the other counts where that is more: `ru_maxrss` outlives `exec`. So
    /// nothing here reads a large file into memory.
    pub(crate) peak: f64,
}

/// What the same thing cost again and again, one run for each round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    runs: Vec<Usage>,
}

impl Series {
    pub(crate) fn add(&mut self, run: Usage) {
        self.runs.push(run);
    }

    /// The seconds of each round.
    pub(crate) fn walls(&self) -> Vec<f64> {
        self.of(|run| run.wall)
    }

    pub(crate) fn wall_min(&self) -> f64 {
        min(&self.walls())
    }

    pub(crate) fn wall_median(&self) -> f64 {
        median(&self.walls())
    }

    pub(crate) fn cpu_median(&self) -> f64 {
        median(&self.of(|run| run.cpu))
    }

    pub(crate) fn peak_max(&self) -> f64 {
        max(&self.of(|run| run.peak))
    }

    fn of(&self, number: impl Fn(&Usage) -> f64) -> Vec<f64> {
        self.runs.iter().map(number).collect()
    }
}

/// Runs `command` with its standard output in the file `out`, and its standard error beside it.
pub(crate) fn measure(command: &mut Command, out: &Path) -> Result<Usage> {
    let said = out.with_extension("err");
    let create = |path: &Path| File::create(path).map_err(|error| format!("{}: {error}", path.display()));
    command.stdout(create(out)?).stderr(create(&said)?);
    let started = Instant::now();
    let ended = command.spawn().and_then(|mut child| child.wait4());
    let wall = started.elapsed().as_secs_f64();
    let ended = ended.map_err(|error| format!("`{}`: {error}", shown(command)))?;
    if !ended.status.success() {
        let said = fs::read_to_string(&said).unwrap_or_default();
        return Err(format!("`{}` failed: {}\n{said}", shown(command), ended.status));
    }
    let (user, system) = (ended.rusage.utime, ended.rusage.stime);
    Ok(Usage { wall, cpu: (user + system).as_secs_f64(), peak: millions(ended.rusage.maxrss) })
}

/// Waits until all that was written is on the disk, so that no run pays for what another one left behind.
pub(crate) fn settle() -> Result {
    output(&mut Command::new("sync")).map(drop)
}

#[expect(clippy::cast_precision_loss, reason = "no memory has so many bytes that it would show")]
fn millions(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::process;

    use super::*;

    #[test]
    fn a_program_that_fails_is_no_measurement() {
        let folder = env::temp_dir().join(format!("beakerhelpers-bench-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let out = folder.join("out");
        let shell = |script: &str| measure(Command::new("sh").args(["-c", script]), &out);

        let usage = shell("echo listed").unwrap();
        assert_eq!(fs::read_to_string(&out).unwrap(), "listed\n");
        assert!(usage.wall > 0.0 && usage.peak > 0.0 && usage.cpu >= 0.0, "{usage:?}");

        let failure = shell("echo it broke >&2; exit 7").unwrap_err();
        assert!(failure.contains("it broke") && failure.contains('7'), "{failure}");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_series_names_its_ends_and_its_middle() {
        let mut series = Series::default();
        for (wall, cpu, peak) in [(2.0, 1.0, 5.0), (1.0, 3.0, 7.0), (9.0, 2.0, 6.0)] {
            series.add(Usage { wall, cpu, peak });
        }
        let numbers = [series.wall_min(), series.wall_median(), series.cpu_median(), series.peak_max()];
        assert_eq!(numbers.map(|number| number.to_string()), ["1", "2", "2", "7"]);
    }
}
