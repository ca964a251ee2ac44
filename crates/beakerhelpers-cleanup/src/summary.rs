//! What is said at the end.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use beakerhelpers_core::command::clap;
use beakerhelpers_core::{Cutoff, Deleted, Result, Tidied, Zone, escape_controls, format_timeout};

use crate::ages::Ages;
use crate::locks::Locks;
use crate::why::Why;

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
    pub(crate) grace: Duration,
    pub(crate) cutoff: Cutoff,
    pub(crate) zone: Zone,
    pub(crate) took: Duration,
    pub(crate) dry_run: bool,
    pub(crate) ages: Ages,
    pub(crate) locks: Locks,
    /// Where that is which was deleted.
    pub(crate) archive: Option<PathBuf>,
    /// What was removed, or counted, beside the sessions.
    pub(crate) tidied: Option<Tidied>,
    pub(crate) why: Why,
}

impl Summary {
    pub(crate) fn write(&self, format: Format, out: &mut dyn Write) -> Result<()> {
        let text = match format {
            Format::Text => self.text(),
            Format::Json => self.json() + "\n",
        };
        Ok(out.write_all(text.as_bytes())?)
    }

    fn text(&self) -> String {
        if self.why == Why::AnotherCleanup && self.deleted.scanned() == 0 {
            return "another cleanup is at work on these sessions: this one left them to it\n".to_owned();
        }
        let Deleted { deleted, kept, unknown, .. } = self.deleted;
        let verb = if self.dry_run { "would delete" } else { "deleted" };
        let plural = if deleted == 1 { "" } else { "s" };
        let unknown = if unknown == 0 { String::new() } else { format!(" ({unknown} of them of unknown age)") };
        let mut cutoff = String::new();
        self.zone.naive_at(self.cutoff.at()).push_seconds(&mut cutoff);
        let cutoff = format!("{cutoff} {}", self.zone.offset_name(self.cutoff.at()));
        let grace =
            if self.grace.is_zero() { String::new() } else { format!(" and {} of grace", format_timeout(self.grace)) };
        let archive = self
            .archive
            .as_ref()
            .map_or_else(String::new, |path| format!(", archived in {}", escape_controls(&path.display().to_string())));
        let why = self.why.clause();
        let tidied = self.tidied.map_or_else(String::new, |tidied| {
            let verb = if self.dry_run { "would remove" } else { "removed" };
            format!("{verb} {} lock files and other remains, and {} empty folders\n", tidied.files, tidied.folders)
        });
        let histogram = if self.dry_run { self.ages.histogram() } else { String::new() };
        format!(
            "{histogram}{verb} {deleted} session{plural} older than {}{grace} ({cutoff}), kept {kept}{unknown}, in {:.1} \
             s{archive}{why}\n{tidied}",
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
            "ended": self.why.name(),
            "timeout_seconds": self.timeout.as_secs(),
            "grace_seconds": self.grace.as_secs(),
            "cutoff": cutoff,
            "archive": self.archive.as_ref().map(|path| path.display().to_string()),
            "tidied": self.tidied.map(|tidied| {
                serde_json::json!({ "files": tidied.files, "folders": tidied.folders })
            }),
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
