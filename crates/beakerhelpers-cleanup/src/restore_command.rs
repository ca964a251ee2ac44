//! `beakerhelpers restore`

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use beakerhelpers_codec::Settings;
use beakerhelpers_core::command::{Context, Opened, Outcome, Signal, StoreArgs, Subcommand, clap};
use beakerhelpers_core::{Access, Error, Result, register_command};

use crate::archive::{ArchiveEnd, ArchiveReader};
use crate::follow::bar;
use crate::restore::{RestoreMode, Restored, restore_sessions};

/// So many lines that cannot be read are named; the others are counted.
const NAMED: u64 = 20;
/// Progress is drawn so often.
const DRAW: Duration = Duration::from_millis(100);

/// What is known of an archive that does not end as a cleanup ends it.
const NO_END: &str = "the archive lacks its end. Either the cleanup was killed: then all that it deleted is here. Or the \
                      file was cut off: then sessions that were deleted are missing; look for a longer copy of it.";

/// Put archived sessions back
///
/// Puts the sessions of an archive of `beakerhelpers cleanup --archive` back into the store, each with its times. A session
/// that is in the store is never overwritten. The store may be another one than the sessions were deleted from.
///
/// The site takes a session that is older than its timeout for expired all the same, and the next cleanup deletes it again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  beakerhelpers restore prod.ini old-2026-11-20.jsonl.gz --dry-run  how many would be put back
  beakerhelpers restore prod.ini old-2026-11-20.jsonl.gz")]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    store: StoreArgs,

    /// The archive
    #[arg(value_name = "ARCHIVE", value_hint = clap::ValueHint::FilePath)]
    archive: PathBuf,

    /// Put nothing back; count what would be
    #[arg(long)]
    dry_run: bool,

    /// Print nothing unless something goes wrong
    #[arg(short, long)]
    quiet: bool,
}

register_command!(RestoreArgs);

impl Subcommand for RestoreArgs {
    const NAME: &'static str = "restore";

    fn run(self, cx: &mut Context<'_>) -> Result<Outcome> {
        let (mode, access) = if self.dry_run {
            (RestoreMode::Count, Access::ReadOnly)
        } else {
            (RestoreMode::Restore, Access::ReadWrite)
        };
        let opened = self.store.open(cx.registry, access)?;
        opened.refuse_elsewhere()?;
        if !self.quiet {
            opened.config.notices().for_each(|notice| cx.note(&format!("note: {notice}")));
        }
        let mut archive = ArchiveReader::open(&self.archive)?;
        let end = archive.end();
        if matches!(end, ArchiveEnd::Cut | ArchiveEnd::Torn) {
            let half = if end == ArchiveEnd::Torn { " Half of a batch is left, which is passed over." } else { "" };
            cx.note(&format!("warning: {NO_END}{half}"));
        }
        cx.catch_signals()?;
        let restored = self.restore(cx, &opened, &mut archive, mode)?;
        if !self.quiet {
            writeln!(cx.stdout, "{}", self.summary(&restored, Signal::caught(&cx.signal).is_some()))?;
        }
        if let Some(signal) = Signal::caught(&cx.signal) {
            return Ok(Outcome::Interrupted(signal));
        }
        if end == ArchiveEnd::Damaged {
            return Err(Error::corrupt("the archive is damaged: what comes after the damage cannot be read")
                .with_context("archive", self.archive.display().to_string())
                .with_hint("what stands before it was dealt with; take another copy of the archive for the rest"));
        }
        let is_all = restored.unreadable == 0 && end == ArchiveEnd::Whole;
        Ok(if is_all { Outcome::Done } else { Outcome::SomeUnreadable })
    }
}

impl RestoreArgs {
    fn restore(
        &self,
        cx: &mut Context<'_>,
        opened: &Opened,
        archive: &mut ArchiveReader,
        mode: RestoreMode,
    ) -> Result<Restored> {
        let bar = bar(cx, self.quiet, self.verb());
        let mut drawn = Instant::now();
        let settings = Settings::from_config(&opened.config)?;
        let restored = restore_sessions(&*opened.store, archive, &settings, mode, |so_far, unreadable| {
            if let Some(error) = unreadable.filter(|_| so_far.unreadable <= NAMED) {
                bar.suspend(|| cx.note(&format!("warning: {error}")));
            }
            if drawn.elapsed() >= DRAW {
                drawn = Instant::now();
                bar.set_message(format!("{} sessions", so_far.restored));
                bar.tick();
            }
            if Signal::caught(&cx.signal).is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        bar.finish_and_clear();
        let restored = restored?;
        if let Some(more) = restored.unreadable.checked_sub(NAMED).filter(|more| *more > 0) {
            cx.note(&format!("warning: {more} more lines of the archive cannot be restored"));
        }
        Ok(restored)
    }

    const fn verb(&self) -> &'static str {
        if self.dry_run { "would restore" } else { "restored" }
    }

    fn summary(&self, done: &Restored, interrupted: bool) -> String {
        let s = |count: u64| if count == 1 { "" } else { "s" };
        let Restored { restored, existing, unreadable } = *done;
        let existing = match existing {
            0 => String::new(),
            1 => ", left 1 alone that is in the store".to_owned(),
            more => format!(", left {more} alone that are in the store"),
        };
        let unreadable = match unreadable {
            0 => String::new(),
            lines => format!(", passed over {lines} line{}", s(lines)),
        };
        let interrupted = if interrupted { "; interrupted" } else { "" };
        format!("{} {restored} session{}{existing}{unreadable}{interrupted}", self.verb(), s(restored))
    }
}
