//! Sessions in MySQL and MariaDB.

mod check;
mod connection;
mod errors;
mod index;
mod info;
mod locked;
mod option_file;
mod replica;
mod rows;
mod session;
mod setup;
mod target;
mod text;
mod tls;

pub(crate) use connection::MySqlClient;
pub(crate) use target::MySqlTarget;
