//! The library half.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use beakerhelpers_codec::{AccessedTime, Settings};
use beakerhelpers_core::{Cutoff, DeletePlan, Deleted, Error, Progress, Result, SessionStore, Silent, Timestamp, Zone};

use crate::clock::ClockCheck;

/// Deletes the sessions that were last accessed longer ago than the timeout, with the plan that suits a live site.
///
/// # Errors
///
/// As [`Cleanup::new`] and [`Cleanup::run`].
pub fn cleanup_sessions(store: &dyn SessionStore, timeout: Duration) -> Result<Deleted> {
    Cleanup::new(timeout)?.run(store, SystemTime::now().into(), &mut Silent)
}

/// A cleanup: what is old, and how to go about it.
#[derive(Clone, Debug)]
pub struct Cleanup {
    timeout: Duration,
    grace: Duration,
    plan: DeletePlan,
    clock_check: ClockCheck,
    zone: Zone,
    settings: Settings,
}

impl Cleanup {
    /// Deletes what was last accessed longer ago than the timeout.
    ///
    /// # Errors
    ///
    /// `Config` for a timeout of zero, which would make every session old.
    pub fn new(timeout: Duration) -> Result<Self> {
        if timeout.is_zero() {
            return Err(Error::config("a timeout of 0 would delete every session")
                .with_hint("give the age from which on sessions are to go, such as `30d`"));
        }
        Ok(Self {
            timeout,
            grace: Duration::ZERO,
            plan: DeletePlan::default(),
            clock_check: ClockCheck::default(),
            zone: Zone::LOCAL,
            settings: Settings::new(),
        })
    }

    /// Keeps sessions so long past the timeout. Beaker loses what a visitor does without a word when the session goes
    /// between its loading and its saving; one that has been expired for a while is loaded by nobody.
    #[must_use]
    pub const fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets how to go about it.
    #[must_use]
    pub fn with_plan(mut self, plan: DeletePlan) -> Self {
        self.plan = plan;
        self
    }

    /// Sets what to do where the sessions show that another time zone wrote them.
    #[must_use]
    pub const fn with_clock_check(mut self, check: ClockCheck) -> Self {
        self.clock_check = check;
        self
    }

    /// Sets the zone that the store was opened with, for the check of its clock; [`Zone::LOCAL`] otherwise.
    #[must_use]
    pub const fn with_zone(mut self, zone: Zone) -> Self {
        self.zone = zone;
        self
    }

    /// Sets what the configuration says about the form of the sessions: the check of the clock cannot look into encrypted
    /// ones without it.
    #[must_use]
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The age from which on sessions are old.
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How long old sessions are kept.
    pub const fn grace(&self) -> Duration {
        self.grace
    }

    /// The age from which on sessions go.
    pub const fn age(&self) -> Duration {
        self.timeout.saturating_add(self.grace)
    }

    /// The cutoff that a run at this instant has.
    pub fn cutoff(&self, now: Timestamp) -> Cutoff {
        Cutoff::ago(now, self.age())
    }

    /// Checks the clock and deletes nothing, for those who want to know more of that than [`Cleanup::run`] tells. Where none
    /// of the newest sessions can be read, nothing is known of the zone, and the error says why the first one cannot.
    ///
    /// # Errors
    ///
    /// `Config` where the newest sessions show that the store's local times are of another zone than it was opened with.
    /// Otherwise what the store says.
    pub fn check_clock(&self, store: &dyn SessionStore) -> Result<Option<Error>> {
        self.clock_check.run(store, self.zone, &self.settings)
    }

    /// Does it, as of `now`.
    ///
    /// # Errors
    ///
    /// `Config` where the newest sessions show that the store's local times are of another zone than it was opened with:
    /// nothing is deleted then. `Unsupported` where the store cannot delete by age, or not archive what it deletes.
    /// Otherwise what the store says; what
    /// was deleted until then stays deleted.
    pub fn run(&self, store: &dyn SessionStore, now: Timestamp, progress: &mut dyn Progress) -> Result<Deleted> {
        self.check_clock(store)?;
        let mut plan = self.plan.clone();
        plan.times.get_or_insert_with(|| Arc::new(AccessedTime::new(self.settings.clone())));
        store.delete_old(self.cutoff(now), &plan, progress)
    }
}
