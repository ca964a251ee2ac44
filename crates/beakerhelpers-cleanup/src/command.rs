//! `beakerhelpers cleanup`

use std::time::{Duration, Instant};

use beakerhelpers_codec::Settings;
use beakerhelpers_core::command::{Context, Opened, Outcome, Signal, StoreArgs, Subcommand, clap};
use beakerhelpers_core::{
    Access, Cutoff, DeletePlan, Error, Rest, Result, StoreConfig, Timestamp, format_timeout, parse_timeout,
    register_command,
};

use crate::follow::Follow;
use crate::summary::{Format, Summary};
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
/// Beaker caches that live in the same table are deleted by age too.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  beakerhelpers cleanup prod.ini                   what is older than the site's timeout
  beakerhelpers cleanup prod.ini -t 30d --dry-run  how many are older than 30 days, and how old
  beakerhelpers cleanup prod.ini -t 30d --quiet    for cron: silent unless something went wrong
  beakerhelpers cleanup prod.ini --max-time 10m    as much as can be done in ten minutes")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct CleanupArgs {
    #[command(flatten)]
    store: StoreArgs,

    /// Delete sessions older than this: `3s`, `14m`, `36h`, `2d` [default: <PREFIX>.timeout of the file]
    #[arg(short, long, value_name = "TIME", allow_hyphen_values = true)]
    timeout: Option<String>,

    /// Delete nothing; count what would be deleted and show how old it is
    #[arg(long)]
    dry_run: bool,

    /// Ask nothing
    #[arg(short, long)]
    yes: bool,

    /// Look at so many sessions in a batch [default: what keeps each batch to some 30 ms]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Pace")]
    batch_size: Option<u32>,

    /// Rest this long after each batch, such as `50ms` or `1s`, `0` for not at all [default: as long as the batch took]
    #[arg(long, value_name = "TIME", value_parser = rest, help_heading = "Pace")]
    sleep: Option<Duration>,

    /// End after this long
    #[arg(long, value_name = "TIME", value_parser = parse_timeout, help_heading = "Pace")]
    max_time: Option<Duration>,

    /// End after deleting so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Pace")]
    limit: Option<u64>,

    /// Delete even where the sessions show that another time zone wrote the access times
    #[arg(long)]
    skip_clock_check: bool,

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
            .with_zone(opened.config.zone());
        let cleanup = if self.skip_clock_check {
            cleanup.with_clock_check(ClockCheck::Skip)
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
        let shorter = configured.filter(|configured| timeout < *configured && (asks || !self.quiet));
        if let Some(configured) = shorter
            && !self.logs_out(cx, &opened, &cleanup, configured, asks)?
        {
            return Ok(Outcome::Done);
        }
        // Until here nothing was done, and a signal just ends the process, at the question too.
        cx.catch_signals()?;
        self.clean(cx, &opened, &cleanup.with_plan(self.plan()))
    }
}

impl CleanupArgs {
    fn plan(&self) -> DeletePlan {
        let mut plan = if self.dry_run { DeletePlan::dry_run() } else { DeletePlan::default() };
        plan.batch_size = self.batch_size.and_then(|size| usize::try_from(size).ok());
        plan.rest = self.sleep.map_or(plan.rest, Rest::For);
        plan.max_time = self.max_time;
        plan.limit = self.limit;
        plan
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
        let mut follow = Follow::new(cx, Some(active_since), self.quiet, "looked at");
        let result = cleanup.clone().with_plan(DeletePlan::dry_run()).run(&*opened.store, cx.now, &mut follow);
        follow.finish();
        result?;
        if follow.active == 0 {
            return Ok(true);
        }
        let active = follow.active;
        let up_to = if self.limit.is_some() || self.max_time.is_some() { "up to " } else { "" };
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

    fn clean(&self, cx: &mut Context<'_>, opened: &Opened, cleanup: &Cleanup) -> Result<Outcome> {
        let started = Instant::now();
        let mut follow =
            Follow::new(cx, None::<Timestamp>, self.quiet, if self.dry_run { "would delete" } else { "deleted" });
        let result = cleanup.run(&*opened.store, cx.now, &mut follow);
        follow.finish();
        let nothing_done = result.is_err() && follow.so_far.scanned() == 0;
        if !self.quiet && !nothing_done {
            let summary = Summary {
                deleted: *result.as_ref().unwrap_or(&follow.so_far),
                timeout: cleanup.timeout(),
                cutoff: cleanup.cutoff(cx.now),
                zone: opened.config.zone(),
                took: started.elapsed(),
                dry_run: self.dry_run,
                ages: follow.ages,
                locks: follow.locks,
                failed: result.is_err(),
            };
            summary.write(self.format, cx.stdout)?;
        }
        result?;
        Ok(Signal::caught(&cx.signal).map_or(Outcome::Done, Outcome::Interrupted))
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

/// Reads `--sleep`: a timeout, milliseconds too, or `0`.
fn rest(text: &str) -> Result<Duration> {
    match text.strip_suffix("ms").map(str::parse) {
        _ if text == "0" => Ok(Duration::ZERO),
        Some(Ok(millis)) => Ok(Duration::from_millis(millis)),
        _ => parse_timeout(text).map_err(|_| Error::config("a rest is `0`, or like `50ms`, `1s` or `1m`")),
    }
}
