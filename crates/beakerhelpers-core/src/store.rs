//! The contract between stores and everything else.

mod ahead;
mod ask;
mod batch;
mod capabilities;
mod cleanup;
mod info;
mod memory;
mod pace;
mod setup;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use ahead::{HandOver, read_ahead};
pub use ask::{NOBODY, answers};
pub use batch::SaveBatch;
pub use capabilities::Capabilities;
pub use cleanup::{CleanupMode, Cutoff, DeletePlan, Deleted, Ended, Progress, Rest, Silent, Tidied, TimeReader};
pub use info::StoreInfo;
pub use memory::MemoryStore;
pub use pace::Pace;
pub use setup::{Finding, IndexOutcome, SetupMode, SetupOutcome, Severity};

use crate::{Error, ErrorKind, Record, Result, SessionId};

/// Every failure of an iteration is an item of it; after an error about one record the iteration goes on, after any
/// other it ends.
pub type Records<'a> = Box<dyn Iterator<Item = Result<Record>> + Send + 'a>;

/// A place where sessions are kept.
///
/// # Contract
///
/// * A store moves bytes: it never decodes a payload. One that keeps no times beside it is handed a [`TimeReader`].
/// * What is not there is no error: `None`, `false`.
/// * No call holds a lock or a transaction on the store after it has returned, an iterator not between two items that
///   are asked for: a reader that is slow must never stop the application that owns the sessions.
/// * Memory is bounded, whatever the store holds.
/// * No message holds a session id, a password or a payload.
///
/// # Implementing
///
/// `info`, `load`, `save` and `delete` are the minimum. What else a store can do it says in its [`Capabilities`], and
/// implements; the defaults return [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported), never a silent nothing.
/// The conformance suite of `beakerhelpers-testkit` checks all of this.
///
/// # Concurrency
///
/// Many threads may call at once. Whether other processes may use the same place at the same time is
/// [`Capabilities::multiprocess_safe`].
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Describes the store without touching it.
    fn info(&self) -> StoreInfo;

    /// Loads the record of this id.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `PermissionDenied` or `NotSetUp` as the store says; `Corrupt` where the record cannot be read.
    fn load(&self, id: &SessionId) -> Result<Option<Record>>;

    /// Saves a record under its id. An existing record keeps its `created`; `accessed` and payload are replaced, and where
    /// the store has [`Capabilities::expiry`] the record is dropped when its [`expiry`](Record::expiry) says.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` for [`SaveMode::Create`] where the id is taken; `Unsupported` for a record without times where
    /// the store keeps them; otherwise as [`load`](Self::load).
    fn save(&self, record: &Record, mode: SaveMode) -> Result<()>;

    /// Saves some records as [`save`](Self::save) saves each of them, in their order, and tells what came of each.
    ///
    /// An error that is about one record alone (`AlreadyExists`, `Corrupt`, `Unsupported`) is that one's result, and the
    /// others are saved. Any other error ends it and is the last result: what is behind it is not saved, as far as the
    /// store can tell.
    ///
    /// # Concurrency
    ///
    /// Whatever the store locks meanwhile it locks for as long as all of them take: the caller gives few at once, as
    /// [`SaveBatch`] collects them.
    ///
    /// # Implementing
    ///
    /// The default saves one by one. A store in which each save waits for a disk saves them together; where that fails,
    /// [`save_each`] finds out which of them it was.
    fn save_all(&self, records: &[Record], mode: SaveMode) -> Vec<Result<()>> {
        save_each(self, records, mode)
    }

    /// Deletes the record of this id and tells whether there was one.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    fn delete(&self, id: &SessionId) -> Result<bool>;

    /// Tells whether there is a record of this id.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    fn has(&self, id: &SessionId) -> Result<bool> {
        Ok(self.load(id)?.is_some())
    }

    /// Creates what the store needs: a table, a directory.
    ///
    /// # Errors
    ///
    /// `Unsupported` where [`Capabilities::setup`] is off; `NotSetUp` for [`SetupMode::Recreate`] where what is there
    /// holds no sessions; otherwise as [`load`](Self::load).
    fn setup(&self, mode: SetupMode) -> Result<SetupOutcome> {
        let _ = mode;
        Err(unsupported(self, "set itself up"))
    }

    /// Looks for what is missing or odd and changes nothing, not even where the store is not set up: that is a finding.
    /// The worst comes first. Nothing of severity [`Severity::Missing`] means that application and program can work.
    ///
    /// It takes a moment whatever the store holds: of the records it looks at a bounded number at most.
    ///
    /// # Errors
    ///
    /// `Unsupported` where [`Capabilities::setup`] is off; otherwise as [`load`](Self::load), but never `NotSetUp`.
    fn check(&self) -> Result<Vec<Finding>> {
        Err(unsupported(self, "check itself"))
    }

    /// Adds an index on the access times, which Beaker does not make, unless there is one that serves.
    ///
    /// # Concurrency
    ///
    /// It blocks no writer where the store can do without; a store that cannot says for how long in its documentation.
    /// Where it is interrupted it may leave an index behind that does not serve: the next call replaces it, and
    /// [`check`](Self::check) finds it.
    ///
    /// # Errors
    ///
    /// `Unsupported` where [`Capabilities::index`] is off; otherwise as [`load`](Self::load).
    fn add_index(&self) -> Result<IndexOutcome> {
        Err(unsupported(self, "index its access times"))
    }

    /// Iterates over the records. The order is the store's own, unless the query asks for one. A record that is
    /// saved or deleted meanwhile may or may not appear; every other appears once.
    ///
    /// # Errors
    ///
    /// They are items. `Unsupported` where [`Capabilities::iter`] is off.
    fn iter(&self, query: Query) -> Records<'_> {
        let _ = query;
        Box::new(std::iter::once(Err(unsupported(self, "list its sessions"))))
    }

    /// Deletes the records whose `accessed` is before the cutoff, strictly; one whose time is unknown is kept.
    /// A store without [`Capabilities::access_times`] asks [`DeletePlan::time_reader`] for the time, and tells
    /// [`Progress::unreadable`] where it cannot be had.
    ///
    /// # Concurrency
    ///
    /// The age is tested in the same step that deletes: a session that is touched meanwhile survives. Work is done in
    /// batches of one short transaction each. What was done when an error ends it stays done.
    ///
    /// # Errors
    ///
    /// `Unsupported` where [`Capabilities::delete_old`] is off, for [`DeletePlan::archive`] where
    /// [`Capabilities::archive`] is, and where there is no [`DeletePlan::time_reader`] but a need of one: nothing is
    /// deleted then. What [`Progress::archive`] says. Otherwise as
    /// [`load`](Self::load).
    fn delete_old(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
        let _ = (cutoff, plan, progress);
        Err(unsupported(self, "delete by age"))
    }

    /// Gives space that deleted records left back to the system, as far as the store can; no record changes. It may
    /// take long and keep others out meanwhile: the documentation of the store says at what price.
    ///
    /// # Errors
    ///
    /// `Unsupported` where [`Capabilities::vacuum`] is off; otherwise as [`load`](Self::load).
    fn vacuum(&self) -> Result<()> {
        Err(unsupported(self, "give space back"))
    }

    /// Removes what the application leaves behind beside its sessions and only needs while it runs, or counts it: lock
    /// files, empty folders. No record changes.
    ///
    /// # Concurrency
    ///
    /// **The application must be stopped**, every process of it: beside a live one this loses what it saves. A store that
    /// sees one alive refuses, but it need not see it.
    ///
    /// # Errors
    ///
    /// `Unsupported` where [`Capabilities::tidy`] is off; `Unavailable` where the application is seen alive; otherwise as
    /// [`load`](Self::load).
    fn tidy_offline(&self, mode: CleanupMode) -> Result<Tidied> {
        let _ = mode;
        Err(unsupported(self, "tidy up"))
    }

    /// How far replicas are behind, at this moment. Of a primary it is the replica that is furthest behind, as far as
    /// the primary can see; a replica tells its own. `None` where there is no replica.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the store cannot have replicas, or cannot see how far they are; otherwise as
    /// [`load`](Self::load).
    fn replication_lag(&self) -> Result<Option<Duration>> {
        Err(unsupported(self, "tell how far its replicas are behind"))
    }
}

/// Saves records one by one, as [`SessionStore::save_all`] promises it.
pub fn save_each<S: SessionStore + ?Sized>(store: &S, records: &[Record], mode: SaveMode) -> Vec<Result<()>> {
    let mut saved = Vec::with_capacity(records.len());
    for record in records {
        let done = store.save(record, mode);
        let goes_on = done.as_ref().map_or_else(is_about_one_record, |()| true);
        saved.push(done);
        if !goes_on {
            break;
        }
    }
    saved
}

fn is_about_one_record(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::Corrupt | ErrorKind::Unsupported)
}

fn unsupported(store: &(impl SessionStore + ?Sized), what: &str) -> Error {
    Error::unsupported(format!("a store of type `{}` cannot {what}", store.info().store_type))
}

macro_rules! forward {
    ($wrapper:ident) => {
        #[deny(clippy::missing_trait_methods)]
        impl<S: SessionStore + ?Sized> SessionStore for $wrapper<S> {
            fn info(&self) -> StoreInfo {
                (**self).info()
            }
            fn load(&self, id: &SessionId) -> Result<Option<Record>> {
                (**self).load(id)
            }
            fn save(&self, record: &Record, mode: SaveMode) -> Result<()> {
                (**self).save(record, mode)
            }
            fn save_all(&self, records: &[Record], mode: SaveMode) -> Vec<Result<()>> {
                (**self).save_all(records, mode)
            }
            fn delete(&self, id: &SessionId) -> Result<bool> {
                (**self).delete(id)
            }
            fn has(&self, id: &SessionId) -> Result<bool> {
                (**self).has(id)
            }
            fn setup(&self, mode: SetupMode) -> Result<SetupOutcome> {
                (**self).setup(mode)
            }
            fn check(&self) -> Result<Vec<Finding>> {
                (**self).check()
            }
            fn add_index(&self) -> Result<IndexOutcome> {
                (**self).add_index()
            }
            fn iter(&self, query: Query) -> Records<'_> {
                (**self).iter(query)
            }
            fn delete_old(&self, cutoff: Cutoff, plan: &DeletePlan, progress: &mut dyn Progress) -> Result<Deleted> {
                (**self).delete_old(cutoff, plan, progress)
            }
            fn vacuum(&self) -> Result<()> {
                (**self).vacuum()
            }
            fn tidy_offline(&self, mode: CleanupMode) -> Result<Tidied> {
                (**self).tidy_offline(mode)
            }
            fn replication_lag(&self) -> Result<Option<Duration>> {
                (**self).replication_lag()
            }
        }
    };
}
forward!(Box);
forward!(Arc);

/// What saving does where the id is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SaveMode {
    /// It replaces the record.
    Upsert,
    /// It fails with `AlreadyExists` and changes nothing.
    Create,
}

/// Which records to iterate over.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Query {
    /// Only records accessed at this cutoff or later, and those whose time is unknown: a store that keeps no access
    /// times beside the payload gives all.
    pub active: Option<Cutoff>,
    /// In which order.
    pub order: Order,
    /// At most so many.
    pub limit: Option<u64>,
    /// Whether to ask when the store drops each record by itself, where asking costs something.
    pub expiry: bool,
}

impl Query {
    /// All records, in the store's order.
    pub const ALL: Self = Self { active: None, order: Order::Any, limit: None, expiry: false };

    /// Leaves out what is older than the cutoff.
    #[must_use]
    pub const fn active_since(mut self, cutoff: Cutoff) -> Self {
        self.active = Some(cutoff);
        self
    }

    /// Asks when the store drops each record by itself: [`Record::expiry`].
    #[must_use]
    pub const fn with_expiry(mut self) -> Self {
        self.expiry = true;
        self
    }

    /// The records created last, at most `limit` of them, last first as far as the store can tell without reading
    /// everything.
    #[must_use]
    pub const fn newest(limit: u64) -> Self {
        Self { active: None, order: Order::Newest, limit: Some(limit), expiry: false }
    }
}

/// The order of an iteration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// The one that costs the store least.
    #[default]
    Any,
    /// Created last comes first, as far as the store can tell cheaply.
    Newest,
}
