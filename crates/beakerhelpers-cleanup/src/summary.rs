//! What is said at the end.

use std::io::Write;
use std::time::Duration;

use beakerhelpers_core::command::clap;
use beakerhelpers_core::{Cutoff, Deleted, Ended, Result, Zone, format_timeout};

use crate::ages::Ages;
use crate::locks::Locks;

/// How the summary is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A line for people
    #[default]
    Text,
    /// An object for scripts
    Json,
}

/// One cleanup, over.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) deleted: Deleted,
    pub(crate) timeout: Duration,
    pub(crate) cutoff: Cutoff,
    pub(crate) zone: Zone,
    pub(crate) took: Duration,
    pub(crate) dry_run: bool,
    pub(crate) ages: Ages,
    pub(crate) locks: Locks,
    /// An error ended it.
    pub(crate) failed: bool,
}

impl Summary {
    pub(crate) fn write(&self, format: Format, out: &mut dyn Write) -> Result<()> {
        let text = match format {
            Format::Text => self.text(),
            Format::Json => self.json() + "\n",
        };
        Ok(out.write_all(text.as_bytes())?)
    }

    fn ended(&self) -> &'static str {
        match self.deleted.ended {
            _ if self.failed => "failed",
            Ended::Completed => "completed",
            Ended::MaxTime => "max-time",
            Ended::Limit => "limit",
            _ => "interrupted",
        }
    }

    fn text(&self) -> String {
        let Deleted { deleted, kept, unknown, .. } = self.deleted;
        let verb = if self.dry_run { "would delete" } else { "deleted" };
        let plural = if deleted == 1 { "" } else { "s" };
        let unknown = if unknown == 0 { String::new() } else { format!(" ({unknown} of them of unknown age)") };
        let mut cutoff = String::new();
        self.zone.naive_at(self.cutoff.at()).push_seconds(&mut cutoff);
        let cutoff = format!("{cutoff} {}", self.zone.offset_name(self.cutoff.at()));
        let why = match self.ended() {
            "completed" => String::new(),
            "max-time" => "; ended by `--max-time`, there may be more".to_owned(),
            "limit" => "; ended by `--limit`, there may be more".to_owned(),
            "failed" => "; ended by an error".to_owned(),
            _ => "; interrupted".to_owned(),
        };
        let histogram = if self.dry_run { self.ages.histogram() } else { String::new() };
        format!(
            "{histogram}{verb} {deleted} session{plural} older than {} ({cutoff}), kept {kept}{unknown}, in {:.1} s{why}\n",
            format_timeout(self.timeout),
            self.took.as_secs_f64(),
        )
    }

    fn json(&self) -> String {
        let Deleted { deleted, kept, unknown, .. } = self.deleted;
        let mut cutoff = String::new();
        self.zone.push_rfc3339(self.cutoff.at(), &mut cutoff);
        let ages: Vec<_> = self
            .ages
            .groups()
            .map(|(group, sessions)| serde_json::json!({ "up_to": (group != "more").then_some(group), "sessions": sessions }))
            .collect();
        serde_json::json!({
            "deleted": deleted,
            "kept": kept,
            "unknown_age": unknown,
            "dry_run": self.dry_run,
            "ended": self.ended(),
            "timeout_seconds": self.timeout.as_secs(),
            "cutoff": cutoff,
            "time_zone": self.zone.to_string(),
            "seconds": self.took.as_secs_f64(),
            "ages": ages,
            "batches": self.locks.batches(),
            "lock_seconds": self.locks.total().as_secs_f64(),
            "lock_ms": {
                "p50": millis(self.locks.percentile(50)),
                "p99": millis(self.locks.percentile(99)),
                "max": millis(self.locks.longest()),
            },
        })
        .to_string()
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
