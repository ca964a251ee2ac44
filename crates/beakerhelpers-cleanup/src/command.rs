//! `beakerhelpers cleanup`

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use beakerhelpers_codec::Settings;
use beakerhelpers_core::command::{Context, Opened, Outcome, Signal, StoreArgs, Subcommand, clap};
use beakerhelpers_core::{
    Access, CleanupMode, Cutoff, DeletePlan, Deleted, Error, Result, StoreConfig, Tidied, format_timeout,
    parse_timeout, register_command,
};

use crate::archive::{ArchiveWriter, archive_name};
use crate::follow::Follow;
use crate::gate::{Gate, Stop};
use crate::lag::Lag;
use crate::options::{PaceArgs, SpaceArgs};
use crate::summary::{Format, Summary};
use crate::why::Why;
use crate::{Cleanup, ClockCheck};

/// Delete the old sessions
///
/// Deletes the sessions that were last accessed longer ago than the timeout; one accessed exactly then is kept, and so is
/// one whose access time is missing or malformed.
///
/// It is made for a live site: it deletes in batches of one short transaction each, rests after each so that the site gets
/// its turn, and tests the age again in the statement that deletes, so that a session that is used meanwhile survives. It
/// can be interrupted at any time; what was deleted stays deleted and the next run goes on.
///
/// Where a store keeps no access times, they are read from the sessions; one that cannot be read is kept.
///
/// Beaker caches that live in the same table are deleted by age too.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  beakerhelpers cleanup prod.ini                   what is older than the site's timeout
  beakerhelpers cleanup prod.ini -t 30d --dry-run  how many are older than 30 days, and how old
  beakerhelpers cleanup prod.ini -t 30d --quiet    for cron: silent unless something went wrong
  beakerhelpers cleanup prod.ini --max-time 10m    as much as can be done in ten minutes
  beakerhelpers cleanup prod.ini --archive old.gz  keeps what goes, for `beakerhelpers restore`")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct CleanupArgs {
    #[command(flatten)]
    store: StoreArgs,

    /// Delete sessions older than this: `3s`, `14m`, `36h`, `2d` [default: <PREFIX>.timeout of the file]
    #[arg(short, long, value_name = "TIME", allow_hyphen_values = true)]
    timeout: Option<String>,

    /// Keep sessions so long past the timeout, for those that are loaded at that moment
    #[arg(long, value_name = "TIME", value_parser = parse_timeout)]
    grace: Option<Duration>,

    /// Delete nothing; count what would be deleted and show how old it is
    #[arg(long)]
    dry_run: bool,

    /// Ask nothing
    #[arg(short, long)]
    yes: bool,

    /// Delete even where the sessions show that another time zone wrote the access times
    #[arg(long)]
    skip_clock_check: bool,

    #[command(flatten)]
    pace: PaceArgs,

    #[command(flatten)]
    space: SpaceArgs,

    /// Print nothing unless something goes wrong
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,

    /// How to print the summary
    #[arg(short, long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
}

register_command!(CleanupArgs);

impl Subcommand for CleanupArgs {
    const NAME: &'static str = "cleanup";

    fn run(self, cx: &mut Context<'_>) -> Result<Outcome> {
        let given = self.timeout.as_deref().map(parse_age).transpose()?;
        let access = if self.dry_run { Access::ReadOnly } else { Access::ReadWrite };
        let opened = self.store.open(cx.registry, access)?;
        if !self.quiet {
            opened.config.notices().for_each(|notice| cx.note(&format!("note: {notice}")));
        }
        let configured = opened.config.timeout()?;
        let timeout = given.or(configured).ok_or_else(|| missing(&opened.config))?;
        let cleanup = Cleanup::new(timeout)
            .map_err(|error| {
                error.with_context(
                    "from",
                    if given.is_some() { "`--timeout`".to_owned() } else { opened.config.origin("timeout") },
                )
            })?
            .with_zone(opened.config.zone())
            .with_grace(self.grace.unwrap_or_default());
        self.refuse_what_cannot_be(&opened)?;
        let lag = self.lag(cx, &opened)?;
        let cleanup = if self.skip_clock_check { cleanup.with_clock_check(ClockCheck::Skip) } else { cleanup };
        // Who looks into no session needs no keys.
        let cleanup = if self.skip_clock_check && opened.store.info().capabilities.access_times {
            cleanup
        } else {
            cleanup.with_settings(Settings::from_config(&opened.config)?)
        };
        if !self.quiet {
            warn_of_reading(cx, &opened.config);
        }
        self.check_clock(cx, &opened, &cleanup)?;
        // Once is enough.
        let cleanup = cleanup.with_clock_check(ClockCheck::Skip);
        let asks = cx.terminals.stdin && cx.terminals.stderr && !self.yes && !self.dry_run;
        // Who is not asked and wants to hear nothing need not be counted for.
        let shorter = configured.filter(|configured| cleanup.age() < *configured && (asks || !self.quiet));
        if let Some(configured) = shorter
            && !self.logs_out(cx, &opened, &cleanup, configured, asks)?
        {
            return Ok(Outcome::Done);
        }
        // Until here nothing was done, and a signal just ends the process, at the question too.
        cx.catch_signals()?;
        self.clean(cx, &opened, &cleanup.with_plan(self.plan()), lag)
    }
}

impl CleanupArgs {
    fn plan(&self) -> DeletePlan {
        let plan = if self.dry_run { DeletePlan::dry_run() } else { DeletePlan::default() };
        let plan = self.pace.apply(plan);
        if self.space.archive.is_some() { plan.with_archive() } else { plan }
    }

    /// Refuses what the store cannot do, before anything is done.
    fn refuse_what_cannot_be(&self, opened: &Opened) -> Result<()> {
        let info = opened.store.info();
        let refuse = |what: &str, hint: &str| {
            Err(Error::unsupported(format!("a store of type `{}` cannot {what}", info.store_type)).with_hint(hint))
        };
        if self.space.archive.is_some() && !info.capabilities.archive {
            return refuse("archive what is deleted", "make a backup of the table, and leave `--archive` out");
        }
        if self.space.offline && !info.capabilities.tidy {
            return refuse("tidy up", "leave `--offline` out; nothing but sessions is left behind there");
        }
        if self.space.vacuum && !info.capabilities.vacuum {
            return refuse("give space back", "leave `--vacuum` out; the store fills the space with new sessions");
        }
        Ok(())
    }

    /// Who tells how far replicas are behind, if that matters.
    fn lag<'s>(&self, cx: &mut Context<'_>, opened: &'s Opened) -> Result<Option<Lag<'s>>> {
        let Some(max) = self.pace.max_lag.filter(|_| !self.dry_run) else { return Ok(None) };
        let lag = Lag::open(max, &self.pace.replicas, opened, cx.registry)?;
        if lag.is_none() && !self.quiet {
            cx.note("note: the store has no replicas that it sees: `--max-lag` waits for none");
        }
        Ok(lag)
    }

    /// The archive, if one is wanted.
    fn archive(&self, cx: &Context<'_>, opened: &Opened, cleanup: &Cleanup) -> Result<Option<ArchiveWriter>> {
        let Some(pattern) = self.space.archive.as_ref().filter(|_| !self.dry_run) else { return Ok(None) };
        let name = archive_name(pattern, opened.config.zone().naive_at(cx.now))?;
        ArchiveWriter::create(Path::new(&name), &opened.store.info(), cleanup.cutoff(cx.now)).map(Some)
    }

    /// Refuses a store of another zone, and says so where none of its sessions can tell.
    fn check_clock(&self, cx: &mut Context<'_>, opened: &Opened, cleanup: &Cleanup) -> Result<()> {
        if let Some(error) = cleanup.check_clock(&*opened.store)?
            && !self.quiet
        {
            let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            cx.note(&format!(
                "note: the clock check could read none of the newest sessions, so that it cannot tell whether the time \
                 zone is right: {error}{hint}"
            ));
        }
        Ok(())
    }

    /// Warns that a timeout below the site's own logs people out, and asks where somebody can answer.
    fn logs_out(
        &self,
        cx: &mut Context<'_>,
        opened: &Opened,
        cleanup: &Cleanup,
        configured: Duration,
        asks: bool,
    ) -> Result<bool> {
        let active_since = Cutoff::ago(cx.now, configured).at();
        let mut follow = Follow::new(cx, self.gate(cx, None), Some(active_since), self.quiet, "looked at");
        let result = cleanup.clone().with_plan(DeletePlan::dry_run()).run(&*opened.store, cx.now, &mut follow);
        follow.finish();
        result?;
        if follow.active == 0 || follow.stop.is_some() {
            return Ok(true);
        }
        let active = follow.active;
        let up_to = if self.pace.may_end_early() { "up to " } else { "" };
        cx.note(&format!(
            "warning: `--timeout {}` is below `{}.timeout` ({}): {up_to}{active} session{} the site still takes for active \
             {} to be deleted",
            format_timeout(cleanup.timeout()),
            opened.config.prefix(),
            format_timeout(configured),
            if active == 1 { " that" } else { "s that" },
            if active == 1 { "is" } else { "are" },
        ));
        if asks && !cx.confirm("Log these people out?") {
            cx.note("nothing was deleted");
            return Ok(false);
        }
        Ok(true)
    }

    fn gate<'s>(&self, cx: &Context<'_>, lag: Option<Lag<'s>>) -> Gate<'s> {
        let deadline = self.pace.max_time.and_then(|time| Instant::now().checked_add(time));
        Gate::new(Arc::clone(&cx.signal), self.pace.stop_file.clone(), lag, deadline)
    }

    /// Removes what is left behind, once everything is done.
    fn tidy(&self, opened: &Opened, why: Why) -> Result<Option<Tidied>> {
        if !self.space.offline || why != Why::Completed {
            return Ok(None);
        }
        let mode = if self.dry_run { CleanupMode::Count } else { CleanupMode::Delete };
        opened.store.tidy_offline(mode).map(Some)
    }

    fn clean(&self, cx: &mut Context<'_>, opened: &Opened, cleanup: &Cleanup, lag: Option<Lag<'_>>) -> Result<Outcome> {
        let started = Instant::now();
        let verb = if self.dry_run { "would delete" } else { "deleted" };
        let mut follow = Follow::new(cx, self.gate(cx, lag), None, self.quiet, verb);
        let result = if follow.may_go_on() {
            follow.archive = self.archive(cx, opened, cleanup)?;
            cleanup.run(&*opened.store, cx.now, &mut follow)
        } else {
            Ok(Deleted::default())
        };
        follow.finish();
        if let Some(error) = &follow.first_unreadable {
            cx.note(error);
        }
        let why = Why::of(&result, follow.stop.as_ref());
        let deleted = *result.as_ref().unwrap_or(&follow.so_far);
        let archive = follow.archive.as_ref().filter(|archive| archive.records() > 0).map(|it| it.path().to_owned());
        let ended = follow.archive.take().map_or(Ok(()), ArchiveWriter::finish);
        let tidied = self.tidy(opened, why);
        let nothing_done = why == Why::Failed && deleted.scanned() == 0;
        if !self.quiet && !nothing_done {
            let summary = Summary {
                deleted,
                unreadable: follow.unreadable,
                timeout: cleanup.timeout(),
                grace: cleanup.grace(),
                cutoff: cleanup.cutoff(cx.now),
                zone: opened.config.zone(),
                took: started.elapsed(),
                dry_run: self.dry_run,
                ages: follow.ages,
                locks: follow.locks,
                archive,
                tidied: tidied.as_ref().ok().copied().flatten(),
                why,
            };
            summary.write(self.format, cx.stdout)?;
        }
        result?;
        if let Some(Stop::Error(error)) = follow.stop {
            return Err(error);
        }
        ended?;
        tidied.map_err(|error| error.with_context("after", "a cleanup that is done: only `--offline` failed"))?;
        if self.space.vacuum && !self.dry_run && why == Why::Completed && deleted.deleted > 0 {
            // Who waits for this, or ends it, is to know what is done. If it cannot be told, that is told at the end.
            let _ = cx.stdout.flush();
            if cx.terminals.stderr && !self.quiet {
                cx.note("note: giving space back, which may take long");
            }
            let vacuumed = opened.store.vacuum();
            vacuumed.map_err(|error| error.with_context("after", "a cleanup that is done: only `--vacuum` failed"))?;
        }
        let done = if follow.unreadable == 0 { Outcome::Done } else { Outcome::SomeUnreadable };
        Ok(Signal::caught(&cx.signal).map_or(done, Outcome::Interrupted))
    }
}

/// Warns where the access time does not tell when a session was last used.
fn warn_of_reading(cx: &mut Context<'_>, config: &StoreConfig) {
    if !config.saves_accessed_time() {
        cx.note(&format!(
            "warning: `{}.save_accessed_time` is false: reading a session does not move its access time, so one that \
             is in use may be deleted",
            config.prefix()
        ));
    }
}

/// Reads `--timeout`. What would make every session old is refused: the original deletes them all.
fn parse_age(text: &str) -> Result<Duration> {
    if text == "0" {
        // `Cleanup::new` says what is wrong with it.
        return Ok(Duration::ZERO);
    }
    parse_timeout(text)
}

fn missing(config: &StoreConfig) -> Error {
    Error::config(format!("from which age on? neither `--timeout` nor `{}.timeout` is set", config.prefix()))
        .with_hint("give the age from which on sessions are to go, such as `--timeout 30d`")
}
