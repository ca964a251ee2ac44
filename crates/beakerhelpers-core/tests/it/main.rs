//! Tests of the configuration on files, against `PasteDeploy` and SQLAlchemy where they are the judge.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its files up has failed")]

mod bad_config;
mod config;
mod paste;
mod python;
mod search;
mod site;
mod url;
