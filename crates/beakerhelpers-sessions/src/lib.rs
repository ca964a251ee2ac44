#![doc = include_str!("../README.md")]

mod columns;
#[cfg(feature = "command")]
mod command;
mod json;
mod lines;
mod listing;
mod read;
mod render;
mod sessions;
mod sort;
mod sorter;
mod table;

pub use sessions::{
    Sessions, get_sessions, get_sessions_from, get_sessions_with, show_sessions, show_sessions_from, show_sessions_with,
};
