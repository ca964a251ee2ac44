#![doc = include_str!("../README.md")]
// Beaker itself has no locks elsewhere.
#![cfg(unix)]

mod clean;
mod errors;
mod folder;
mod list;
mod locks;
mod name;
mod place;
mod replace;
mod saving;
mod sessions;
mod setup;
mod tidy;
mod walk;

pub use clean::clean;
pub use errors::{failure, of_one};
pub use folder::{Facts, Folder, Tree};
pub use list::list;
pub use locks::{Lock, Locks, Taken};
pub use name::Name;
pub use place::{Kind, Place};
pub use replace::{replace, replace_after};
pub use saving::Saving;
pub use sessions::{Age, Fate, Guard, Sessions, Spot, remove_file};
pub use walk::{Form, Walk};
