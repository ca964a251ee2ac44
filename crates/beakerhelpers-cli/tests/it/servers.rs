//! Sites that are on servers, as those meet it who run them.

mod archives;
mod child;
mod commands;
mod faults;
mod live;
mod logins;
mod others;
mod place;
mod replicas;
mod signals;
