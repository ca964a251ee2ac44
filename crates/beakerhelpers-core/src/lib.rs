#![doc = include_str!("../README.md")]

#[cfg(feature = "command")]
pub mod command;
mod config;
mod error;
mod escape;
mod record;
mod registry;
mod session;
mod session_id;
mod store;
mod timeout;
mod timestamp;
mod url;
pub mod value;
mod zone;

#[cfg(feature = "command")]
pub use command::Command;
pub use config::{Access, Config, StoreConfig};
pub use error::{Error, ErrorKind, Result};
pub use escape::{escape_controls, is_printable_ascii, push_escaped};
pub use record::{Expiry, Framing, Payload, Record};
pub use registry::{OpenStore, OptionSpec, Package, Registry, StoreType, near_first};
pub use session::{RESERVED_KEYS, Scalar, Session};
pub use session_id::{Fingerprint, FingerprintKey, SessionId};
pub use store::{
    Capabilities, CleanupMode, Cutoff, DeletePlan, Deleted, Ended, Finding, HandOver, IndexOutcome, MemoryStore,
    NOBODY, Order, Pace, Progress, Query, Records, Rest, SaveBatch, SaveMode, SessionStore, SetupMode, SetupOutcome,
    Severity, Silent, StoreInfo, Tidied, TimeReader, answers, read_ahead, save_each,
};
pub use timeout::{format_timeout, parse_timeout};
pub use timestamp::Timestamp;
pub use url::DatabaseUrl;
pub use value::{Kind, Value};
pub use zone::{NaiveTime, Zone, offset_name};

/// For the macros of this crate only.
#[doc(hidden)]
pub mod __private {
    pub use inventory;

    #[cfg(feature = "command")]
    pub use crate::command::LinkedCommand;
    pub use crate::registry::LinkedStore;
}
