//! What a store can do.

#[cfg(doc)]
use crate::{DeletePlan, Record, SessionStore};

/// What a store can do beyond loading, saving and deleting by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent answer, and all are read by name")]
pub struct Capabilities {
    /// [`SessionStore::setup`] and [`SessionStore::check`] work.
    pub setup: bool,
    /// [`SessionStore::add_index`] works.
    pub index: bool,
    /// [`SessionStore::iter`] works.
    pub iter: bool,
    /// [`SessionStore::delete_old`] works.
    pub delete_old: bool,
    /// [`DeletePlan::archive`] works.
    pub archive: bool,
    /// [`SessionStore::vacuum`] works.
    pub vacuum: bool,
    /// [`SessionStore::tidy_offline`] works.
    pub tidy: bool,
    /// The store keeps `accessed` itself, outside of the payload, and `created` too if it can.
    pub access_times: bool,
    /// Those times are naive local times of the host that wrote them: they mean nothing without its zone.
    pub local_times: bool,
    /// The store drops records by itself when their time is over: [`Record::expiry`].
    pub expiry: bool,
    /// Other processes may use the same place at the same time.
    pub multiprocess_safe: bool,
}

impl Capabilities {
    /// Nothing but loading, saving and deleting by id.
    pub const NONE: Self = Self::all(false);
    /// Everything.
    pub const ALL: Self = Self::all(true);

    const fn all(can: bool) -> Self {
        Self {
            setup: can,
            index: can,
            iter: can,
            delete_old: can,
            archive: can,
            vacuum: can,
            tidy: can,
            access_times: can,
            local_times: can,
            expiry: can,
            multiprocess_safe: can,
        }
    }

    /// Sets [`Capabilities::setup`].
    #[must_use]
    pub const fn with_setup(mut self, can: bool) -> Self {
        self.setup = can;
        self
    }

    /// Sets [`Capabilities::index`].
    #[must_use]
    pub const fn with_index(mut self, can: bool) -> Self {
        self.index = can;
        self
    }

    /// Sets [`Capabilities::iter`].
    #[must_use]
    pub const fn with_iter(mut self, can: bool) -> Self {
        self.iter = can;
        self
    }

    /// Sets [`Capabilities::delete_old`].
    #[must_use]
    pub const fn with_delete_old(mut self, can: bool) -> Self {
        self.delete_old = can;
        self
    }

    /// Sets [`Capabilities::archive`].
    #[must_use]
    pub const fn with_archive(mut self, can: bool) -> Self {
        self.archive = can;
        self
    }

    /// Sets [`Capabilities::vacuum`].
    #[must_use]
    pub const fn with_vacuum(mut self, can: bool) -> Self {
        self.vacuum = can;
        self
    }

    /// Sets [`Capabilities::tidy`].
    #[must_use]
    pub const fn with_tidy(mut self, can: bool) -> Self {
        self.tidy = can;
        self
    }

    /// Sets [`Capabilities::access_times`].
    #[must_use]
    pub const fn with_access_times(mut self, can: bool) -> Self {
        self.access_times = can;
        self
    }

    /// Sets [`Capabilities::local_times`].
    #[must_use]
    pub const fn with_local_times(mut self, can: bool) -> Self {
        self.local_times = can;
        self
    }

    /// Sets [`Capabilities::expiry`].
    #[must_use]
    pub const fn with_expiry(mut self, can: bool) -> Self {
        self.expiry = can;
        self
    }

    /// Sets [`Capabilities::multiprocess_safe`].
    #[must_use]
    pub const fn with_multiprocess_safe(mut self, can: bool) -> Self {
        self.multiprocess_safe = can;
        self
    }

    /// Every capability by name, in the order of the fields.
    pub fn iter(self) -> impl Iterator<Item = (&'static str, bool)> {
        let Self {
            setup,
            index,
            iter,
            delete_old,
            archive,
            vacuum,
            tidy,
            access_times,
            local_times,
            expiry,
            multiprocess_safe,
        } = self;
        [
            ("setup", setup),
            ("index", index),
            ("iter", iter),
            ("delete_old", delete_old),
            ("archive", archive),
            ("vacuum", vacuum),
            ("tidy", tidy),
            ("access_times", access_times),
            ("local_times", local_times),
            ("expiry", expiry),
            ("multiprocess_safe", multiprocess_safe),
        ]
        .into_iter()
    }
}
