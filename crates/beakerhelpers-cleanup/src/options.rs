//! Options of `cleanup` that come in groups.

use std::path::PathBuf;
use std::time::Duration;

use beakerhelpers_core::command::clap;
use beakerhelpers_core::{DeletePlan, Error, Rest, Result, parse_timeout};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Pace")]
pub(crate) struct PaceArgs {
    /// Look at so many sessions in a batch [default: what keeps each batch to some 30 ms]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    batch_size: Option<u32>,

    /// Rest this long after each batch, such as `50ms` or `1s`, `0` for not at all [default: as long as the batch took; on a
    /// server only while it is slower than usual]
    #[arg(long, value_name = "TIME", value_parser = rest)]
    sleep: Option<Duration>,

    /// Wait while a replica is further behind than this
    #[arg(long, value_name = "TIME", value_parser = parse_timeout)]
    pub(crate) max_lag: Option<Duration>,

    /// Ask this replica how far it is behind, in place of the store itself; a URL like the site's. May be repeated
    #[arg(long = "replica", value_name = "URL", requires = "max_lag")]
    pub(crate) replicas: Vec<String>,

    /// End after this long
    #[arg(long, value_name = "TIME", value_parser = parse_timeout)]
    pub(crate) max_time: Option<Duration>,

    /// End after deleting so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,

    /// End when there is a file of this name; delete nothing if it is there already
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) stop_file: Option<PathBuf>,
}

impl PaceArgs {
    /// Makes a plan go as fast as they say.
    pub(crate) fn apply(&self, mut plan: DeletePlan) -> DeletePlan {
        plan.batch_size = self.batch_size.and_then(|size| usize::try_from(size).ok());
        plan.rest = self.sleep.map_or(plan.rest, Rest::For);
        plan.max_time = self.max_time;
        plan.limit = self.limit;
        plan
    }

    /// Whether a run may end before all that is old is gone.
    pub(crate) const fn may_end_early(&self) -> bool {
        self.limit.is_some() || self.max_time.is_some() || self.stop_file.is_some()
    }
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Space")]
pub(crate) struct SpaceArgs {
    /// Write what is deleted to this new file first, for `beakerhelpers restore`; `%Y`, `%m`, `%d`, `%H`, `%M` and `%S` are
    /// date and time. It holds session ids and contents: keep it as secret as the database
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) archive: Option<String>,

    /// Give free space back to the system when all is done and something was deleted. It can take as long as copying what
    /// is left, and twice its room; an SQLite database is locked meanwhile, and the site stands still
    #[arg(long)]
    pub(crate) vacuum: bool,

    /// The application is stopped, every process of it: when all is done, also remove the lock files and empty folders
    /// that Beaker leaves behind. Beside a live application this loses what it saves, because Beaker does not look whether
    /// they are still there
    #[arg(long)]
    pub(crate) offline: bool,
}

/// Reads `--sleep`: a timeout, milliseconds too, or `0`.
fn rest(text: &str) -> Result<Duration> {
    match text.strip_suffix("ms").map(str::parse) {
        _ if text == "0" => Ok(Duration::ZERO),
        Some(Ok(millis)) => Ok(Duration::from_millis(millis)),
        _ => parse_timeout(text).map_err(|_| Error::config("a rest is `0`, or like `50ms`, `1s` or `1m`")),
    }
}
