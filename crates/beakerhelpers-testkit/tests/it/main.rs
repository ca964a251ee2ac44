//! The suite on the store that it is written against, and what needs real Beaker.

mod bare;
mod beaker;
mod faults;
mod inside;
mod memory;
mod processes;
mod redis;
mod servers;
