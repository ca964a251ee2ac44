//! `dbm.sqlite3`: a table `Dict` in an SQLite database (`Lib/dbm/sqlite3.py`, CPython 3.13).

mod place;
mod schema;
mod table;

use std::fs::{self, File};
use std::io::Read;

use beakerhelpers_core::{Error, ErrorKind, Result};
use diesel::connection::{Connection as _, SimpleConnection};
use diesel::result::{Error as DieselError, QueryResult};
use diesel::sql_types::{BigInt, Binary, Nullable};
use diesel::sqlite::SqliteConnection;
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use crate::Content;
use crate::error::{LARGEST, damaged, failed, too_large, unreadable};
pub use table::{SqlitePairs, SqliteTable};

pub(super) const NAME: &str = "dbm.sqlite3";
/// The files beside a database that was not closed: what was written since, or was there before.
pub(super) const LEFT: [&str; 2] = ["-wal", "-journal"];
/// Where the header says with which journal the file is written and read, and what stands for none that is kept.
const JOURNAL_AT: std::ops::Range<usize> = 18..20;
const ROLLBACK: u8 = 1;
/// What a journal ends with that names another file, a super-journal, which SQLite removes once it has rolled back
/// (SQLite's file format, section 4.1, and `readSuperJournal` in `pager.c`). No journal of a single database has it.
const NAMES_ANOTHER_FILE: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Nullable<BigInt>)]
    number: Option<i64>,
}

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = Nullable<Binary>)]
    key: Option<Vec<u8>>,
}

/// A value and how long it is.
#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<BigInt>)]
    number: Option<i64>,
    #[diesel(sql_type = Nullable<Binary>)]
    value: Option<Vec<u8>>,
}

/// Looks for a key in a database, given the file and those of [`LEFT`] that are there and not empty.
///
/// In memory nothing is created, whatever the journal: not the files that SQLite wants for a database in WAL mode.
pub(super) fn read(file: Vec<u8>, left: &[(&'static str, Vec<u8>)], key: &[u8]) -> Result<Content> {
    let mut file = if left.is_empty() { file } else { put_in_order(&file, left)? };
    if file.is_empty() {
        return Ok(Content::Empty);
    }
    schema::check(&file)?;
    if let Some(journal) = file.get_mut(JOURNAL_AT) {
        journal.fill(ROLLBACK);
    }
    let mut database = connect(":memory:")?;
    let content = database
        .deserialize_readonly_database_from_buffer(&file)
        .and_then(|()| find(&mut database, file.len() as u64, key));
    content.map_err(|error| explain(&error))?
}

/// The file as it is once SQLite has put in order what is to be: Python was killed before it closed the database. That is
/// done with copies, and without a look at what is in the database.
fn put_in_order(file: &[u8], left: &[(&'static str, Vec<u8>)]) -> Result<Vec<u8>> {
    if left.iter().any(|(_, bytes)| bytes.ends_with(&NAMES_ANOTHER_FILE)) {
        return Err(damaged(NAME, "its journal names another file"));
    }
    let copies = tempfile::tempdir().map_err(|error| failed("copy", &error))?;
    let path = copies.path().join("database");
    let write = |suffix: &str, bytes: &[u8]| fs::write(copies.path().join(format!("database{suffix}")), bytes);
    let written = write("", file).and_then(|()| left.iter().try_for_each(|(suffix, bytes)| write(suffix, bytes)));
    written.map_err(|error| failed("copy", &error))?;
    let name = path.to_str().ok_or_else(|| unreadable(NAME, "the folder for temporary files is not UTF-8"))?;
    // The first to come rolls back, and the last to go brings what is in the WAL into the file.
    connect(name)?.batch_execute("BEGIN EXCLUSIVE; COMMIT").map_err(|error| explain(&error))?;
    if copies.path().join("database-wal").exists() {
        return Err(damaged(NAME, "what was written last cannot be brought into it"));
    }
    whole(File::open(path).map_err(|error| failed("read", &error))?)
}

/// The bytes of a file, if they are not too many.
pub(super) fn whole(file: File) -> Result<Vec<u8>> {
    // What is beside a session of that size is the table.
    let (mut bytes, most) = (Vec::new(), LARGEST.saturating_add(1 << 20));
    let read = file.take(most).read_to_end(&mut bytes).map_err(|error| failed("read", &error))? as u64;
    if read < most { Ok(bytes) } else { Err(too_large(read)) }
}

/// The bytes of a database that holds a value, and nothing else. Python changes its journal when it next writes.
pub(super) fn image(pair: Option<(&[u8], &[u8])>) -> Result<Vec<u8>> {
    let mut database = connect(":memory:")?;
    let table = "CREATE TABLE Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)";
    let filled = database.batch_execute(table).and_then(|()| match pair {
        Some((key, value)) => sql_query("INSERT INTO Dict (key, value) VALUES (?, ?)")
            .bind::<Binary, _>(key)
            .bind::<Binary, _>(value)
            .execute(&mut database)
            .map(drop),
        None => Ok(()),
    });
    let cannot = |error: DieselError| {
        Error::unsupported(format!("a session cannot be written to a {NAME} database")).with_source(error)
    };
    filled.map_err(cannot)?;
    database.serialize_database_to_buffer().try_as_slice().map(<[u8]>::to_vec).map_err(cannot)
}

fn connect(path: &str) -> Result<SqliteConnection> {
    SqliteConnection::establish(path)
        .map_err(|_| Error::new(ErrorKind::Unavailable, "SQLite gives no database in memory or for a copy"))
}

/// `size` is the one of the files: no value is longer.
fn find(database: &mut SqliteConnection, size: u64, key: &[u8]) -> QueryResult<Result<Content>> {
    match has_table(database)? {
        Ok(true) => {}
        Ok(false) => return Ok(Ok(Content::Empty)),
        Err(error) => return Ok(Err(error)),
    }
    Ok(match value(database, key, size)? {
        Ok(Some(value)) => Ok(Content::Value(value)),
        Ok(None) => {
            let is_empty = number(database, "SELECT 1 AS number FROM Dict LIMIT 1")?.is_none();
            Ok(Content::without_key(is_empty))
        }
        Err(error) => Err(error),
    })
}

/// Whether there is a table as Python makes it, through whose index a key is found. `false` where there is nothing yet.
fn has_table(database: &mut SqliteConnection) -> QueryResult<Result<bool>> {
    // The file may say anything of its table: that it is a view of endless rows, or that a value is computed.
    let columns = "SELECT count(*) AS number FROM sqlite_schema AS s, pragma_table_xinfo('Dict') AS c \
                   WHERE s.type = 'table' AND s.name = 'Dict' AND s.rootpage > 1 AND c.hidden = 0 \
                   AND c.name IN ('key', 'value')";
    if number(database, columns)? != Some(2) {
        // Python was killed between making the file and the table.
        let is_new = number(database, "SELECT count(*) AS number FROM sqlite_schema")? == Some(0);
        return Ok(if is_new { Ok(false) } else { Err(damaged(NAME, "it has no table `Dict` of plain columns")) });
    }
    // Without an index SQLite would go through the table, which may be endless: pages can refer to each other in any way.
    let index = "SELECT count(*) AS number FROM pragma_index_info('sqlite_autoindex_Dict_1') WHERE name = 'key'";
    let others = "SELECT count(*) AS number FROM pragma_index_info('sqlite_autoindex_Dict_1')";
    if number(database, index)? != Some(1) || number(database, others)? != Some(1) {
        return Ok(Err(damaged(NAME, "its keys have no index")));
    }
    Ok(Ok(true))
}

/// The value of a key; `size` is the one of the files.
fn value(database: &mut SqliteConnection, key: &[u8], size: u64) -> QueryResult<Result<Option<Vec<u8>>>> {
    let most = LARGEST.min(size);
    // The length is in the header of the row: of a value that is too long nothing is read.
    let value = "SELECT octet_length(value) AS number, CASE WHEN octet_length(value) <= ? THEN CAST(value AS BLOB) END \
                 AS value FROM Dict INDEXED BY sqlite_autoindex_Dict_1 WHERE key = CAST(? AS BLOB)";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let value = sql_query(value).bind::<BigInt, _>(most).bind::<Binary, _>(key);
    Ok(match value.load::<Row>(database)?.pop() {
        None => Ok(None),
        Some(Row { value: Some(value), .. }) => Ok(Some(value)),
        Some(Row { number: Some(length), .. }) => Err(too_large(u64::try_from(length).unwrap_or(u64::MAX))),
        Some(Row { number: None, .. }) => Err(damaged(NAME, "its value is none")),
    })
}

fn number(database: &mut SqliteConnection, query: &str) -> QueryResult<Option<i64>> {
    Ok(sql_query(query).load::<Number>(database)?.pop().and_then(|row| row.number))
}

/// SQLite's words may quote the file.
fn explain(_: &DieselError) -> Error {
    damaged(NAME, "SQLite cannot make sense of it")
}

#[cfg(test)]
mod tests;
