//! `beakerhelpers copy`

use std::path::PathBuf;
use std::time::{Duration, Instant};

use beakerhelpers_codec::SeenZone;
use beakerhelpers_core::command::{Context, DEFAULT_PREFIX, Opened, Outcome, Signal, StoreArgs, Subcommand, clap};
use beakerhelpers_core::{Access, Error, FingerprintKey, Result, Zone, parse_timeout, register_command};

use crate::report::Report;
use crate::run::{FROM, OF, TO};
use crate::summary::{Format, Summary};
use crate::{Copied, Copy, CopyMode, Ended, Place};

/// Copy the sessions of one store to another
///
/// Copies the sessions of the site in FROM to the store of TO, so that the site can move there and nobody is logged out: ids,
/// contents, times and what is left of their lifetime stay. What is over by the timeout is left behind.
///
/// FROM is only read. It can be interrupted at any time, and run again: the next run copies what is new or was changed since,
/// deletes from TO whose visitors have logged out since, and never overwrites a session that is newer in TO. TO must be set
/// up, and nobody may use it yet: where it is in use, only `--new-only` is safe.
///
/// A log-out cannot be seen where it removes the session (session2; Beaker before 1.11 on Redis and memcached) or leaves no
/// time (memcached; Redis without a timeout; Beaker before 1.11 on dbm). There stop the site before the only copy, or empty
/// TO before the last run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  beakerhelpers copy old.ini new.ini --dry-run  how many would be copied
  beakerhelpers copy old.ini new.ini            what TO does not have yet, or an older state of
  beakerhelpers copy old.ini new.ini --verify   whether everything is there
  beakerhelpers copy old.ini new.ini --new-only after the switch: what TO does not have, and nothing else")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct CopyArgs {
    /// The paste.deploy file of the site as it is; `prod.ini#name` picks the section of that name
    #[arg(value_name = "FROM.INI", value_hint = clap::ValueHint::FilePath)]
    from: PathBuf,

    /// The paste.deploy file of the site as it is to be
    #[arg(value_name = "TO.INI", value_hint = clap::ValueHint::FilePath)]
    to: PathBuf,

    /// Copy nothing; count what would be copied
    #[arg(long, conflicts_with = "verify")]
    dry_run: bool,

    /// Copy nothing; compare each session in FROM with the one in TO, contents and times. It ends with 1 where one is missing
    /// or older there, or where `--max-time` ended it before all were compared
    #[arg(long)]
    verify: bool,

    /// Copy also what is over by the timeout of either site
    #[arg(long)]
    all: bool,

    /// Copy only what TO does not have, and neither change nor delete anything there: for the run after the switch, when TO
    /// is in use
    #[arg(long)]
    new_only: bool,

    /// Copy even where the sessions show that another time zone wrote the access times
    #[arg(long)]
    skip_clock_check: bool,

    /// Look at so many sessions a second at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Pace")]
    rate: Option<u32>,

    /// End after this long
    #[arg(long, value_name = "TIME", value_parser = parse_timeout, help_heading = "Pace")]
    max_time: Option<Duration>,

    /// End after copying so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Pace")]
    limit: Option<u64>,

    /// The prefix of the session keys in FROM
    #[arg(long, default_value = DEFAULT_PREFIX, value_name = "PREFIX", help_heading = "Stores")]
    from_prefix: String,

    /// The prefix of the session keys in TO
    #[arg(long, default_value = DEFAULT_PREFIX, value_name = "PREFIX", help_heading = "Stores")]
    to_prefix: String,

    /// The zone of the host that runs the site of FROM: `local`, a name such as `Europe/Vilnius`, or `+02:00`
    #[arg(
        long,
        default_value = "local",
        value_name = "ZONE",
        value_parser = Zone::parse,
        allow_hyphen_values = true,
        help_heading = "Stores"
    )]
    from_time_zone: Zone,

    /// The zone of the host that is to run the site of TO
    #[arg(
        long,
        default_value = "local",
        value_name = "ZONE",
        value_parser = Zone::parse,
        allow_hyphen_values = true,
        help_heading = "Stores"
    )]
    to_time_zone: Zone,

    /// How long to wait for a store that is busy
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = parse_timeout, help_heading = "Stores")]
    wait: Duration,

    /// Print nothing unless something goes wrong
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,

    /// How to print the summary
    #[arg(short, long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
}

register_command!(CopyArgs);

impl Subcommand for CopyArgs {
    const NAME: &'static str = "copy";

    fn run(self, cx: &mut Context<'_>) -> Result<Outcome> {
        let from = self.open(cx, &self.from, &self.from_prefix, self.from_time_zone, Access::ReadOnly);
        let from = from.map_err(|error| error.with_context(OF, FROM))?;
        let access = if self.mode() == CopyMode::Copy { Access::ReadWrite } else { Access::ReadOnly };
        let to = self.open(cx, &self.to, &self.to_prefix, self.to_time_zone, access);
        let to = to.map_err(|error| error.with_context(OF, TO))?;
        let places = [Place::of(&*from.store, &from.config)?, Place::of(&*to.store, &to.config)?];
        if !self.skip_clock_check {
            check_clocks(&places)?;
        }
        // Until here nothing was done, and a signal just ends the process.
        cx.catch_signals()?;
        self.go(cx, &places, FingerprintKey::new(from.config.get("secret")))
    }
}

impl CopyArgs {
    const fn mode(&self) -> CopyMode {
        if self.verify {
            CopyMode::Verify
        } else if self.dry_run {
            CopyMode::Count
        } else {
            CopyMode::Copy
        }
    }

    fn open(
        &self,
        cx: &mut Context<'_>,
        ini: &std::path::Path,
        prefix: &str,
        zone: Zone,
        access: Access,
    ) -> Result<Opened> {
        let opened = StoreArgs::new(ini.to_owned(), prefix.to_owned(), zone, self.wait).open(cx.registry, access)?;
        opened.refuse_elsewhere()?;
        if !self.quiet {
            opened.config.notices().for_each(|notice| cx.note(&format!("note: {notice}")));
        }
        Ok(opened)
    }

    fn plan(&self) -> Copy {
        let mut plan = Copy::new().with_mode(self.mode());
        if self.all {
            plan = plan.with_all();
        }
        if self.new_only {
            plan = plan.with_new_only();
        }
        if let Some(rate) = self.rate {
            plan = plan.with_rate(rate);
        }
        if let Some(limit) = self.limit {
            plan = plan.with_limit(limit);
        }
        if let Some(time) = self.max_time {
            plan = plan.with_max_time(time);
        }
        plan
    }

    fn go(&self, cx: &mut Context<'_>, [from, to]: &[Place<'_>; 2], key: FingerprintKey) -> Result<Outcome> {
        let (started, now) = (Instant::now(), cx.now);
        let mut copied = Copied::default();
        let mut report = Report::new(cx, key, self.quiet, self.mode());
        let result = self.plan().run_into(from, to, now, &mut report, &mut copied);
        report.finish();
        let has_failed = result.is_err();
        let nothing_done = has_failed && copied.seen == 0;
        if !self.quiet && !nothing_done {
            let summary = Summary { copied, mode: self.mode(), has_failed, took: started.elapsed() };
            writeln!(cx.stdout, "{}", summary.render(self.format))?;
        }
        result?;
        if let Some(signal) = Signal::caught(&cx.signal) {
            return Ok(Outcome::Interrupted(signal));
        }
        // What was not looked at may be missing.
        let is_in_order = copied.differences() == 0 && copied.ended == Ended::Completed;
        Ok(if self.verify && !is_in_order {
            Outcome::SomethingMissing
        } else if copied.failed > 0 {
            Outcome::SomeUnreadable
        } else {
            Outcome::Done
        })
    }
}

/// Refuses a place of another zone: what is over could not be told, nor what is newer.
fn check_clocks(places: &[Place<'_>; 2]) -> Result<()> {
    for (place, name, option) in [(&places[0], FROM, "--from-time-zone"), (&places[1], TO, "--to-time-zone")] {
        if let SeenZone::Other(seen) = SeenZone::of(place.store, place.zone, &place.settings)? {
            let what = format!("the access times in {name} are of another time zone: nothing was copied");
            return Err(Error::config(what).with_context("seen", seen.to_string()).with_hint(format!(
                "give the zone of the host that runs the application with `{option}`, or skip this check with \
                 `--skip-clock-check`"
            )));
        }
    }
    Ok(())
}
