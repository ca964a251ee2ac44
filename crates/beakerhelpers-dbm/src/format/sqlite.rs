//! `dbm.sqlite3`: a table `Dict` in an SQLite database (`Lib/dbm/sqlite3.py`, CPython 3.13).

use std::fs;

use beakerhelpers_core::{Error, ErrorKind, Result};
use diesel::connection::{Connection as _, SimpleConnection};
use diesel::result::{Error as DieselError, QueryResult};
use diesel::sql_types::{BigInt, Binary, Nullable};
use diesel::sqlite::SqliteConnection;
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::content::{Content, KEY, LARGEST, damaged, failed, too_large, unreadable};

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
struct Value {
    #[diesel(sql_type = Nullable<Binary>)]
    value: Option<Vec<u8>>,
}

/// Reads the session of a database, given the file and those of [`LEFT`] that are there and not empty.
///
/// In memory nothing is created, whatever the journal: not the files that SQLite wants for a database in WAL mode. Where
/// there is such a file already, Python was killed before it closed the database: then copies are read, in which SQLite
/// puts in order what is to be.
pub(super) fn read(mut file: Vec<u8>, left: &[(&'static str, Vec<u8>)]) -> Result<Content> {
    let size = left.iter().fold(file.len() as u64, |size, (_, bytes)| size.saturating_add(bytes.len() as u64));
    if left.is_empty() {
        if let Some(journal) = file.get_mut(JOURNAL_AT) {
            journal.fill(ROLLBACK);
        }
        let mut database = connect(":memory:")?;
        let content =
            database.deserialize_readonly_database_from_buffer(&file).and_then(|()| find(&mut database, size));
        return content.map_err(|error| explain(&error))?;
    }
    if left.iter().any(|(_, bytes)| bytes.ends_with(&NAMES_ANOTHER_FILE)) {
        return Err(damaged(NAME, "its journal names another file"));
    }
    let copies = tempfile::tempdir().map_err(|error| failed("copy", &error))?;
    let path = copies.path().join("database");
    let write = |suffix: &str, bytes: &[u8]| fs::write(copies.path().join(format!("database{suffix}")), bytes);
    let written = write("", &file).and_then(|()| left.iter().try_for_each(|(suffix, bytes)| write(suffix, bytes)));
    written.map_err(|error| failed("copy", &error))?;
    let path = path.to_str().ok_or_else(|| unreadable(NAME, "the folder for temporary files is not UTF-8"))?;
    let mut database = connect(path)?;
    find(&mut database, size).map_err(|error| explain(&error))?
}

/// The bytes of a database that holds a value, and nothing else. Python changes its journal when it next writes.
pub(super) fn image(value: Option<&[u8]>) -> Result<Vec<u8>> {
    let mut database = connect(":memory:")?;
    let table = "CREATE TABLE Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)";
    let filled = database.batch_execute(table).and_then(|()| match value {
        Some(value) => sql_query("INSERT INTO Dict (key, value) VALUES (?, ?)")
            .bind::<Binary, _>(KEY)
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
fn find(database: &mut SqliteConnection, size: u64) -> QueryResult<Result<Content>> {
    // The file may say anything of its table: that it is a view of endless rows, or that a value is computed.
    let columns = "SELECT count(*) AS number FROM sqlite_schema AS s, pragma_table_xinfo('Dict') AS c \
                   WHERE s.type = 'table' AND s.name = 'Dict' AND s.rootpage > 1 AND c.hidden = 0 \
                   AND c.name IN ('key', 'value')";
    if number(database, columns)? != Some(2) {
        // Python was killed between making the file and the table.
        let is_new = number(database, "SELECT count(*) AS number FROM sqlite_schema")? == Some(0);
        return Ok(if is_new {
            Ok(Content::Empty)
        } else {
            Err(damaged(NAME, "it has no table `Dict` of plain columns"))
        });
    }
    let length = "SELECT octet_length(value) AS number FROM Dict WHERE key = CAST('session' AS BLOB)";
    let Some(length) = number(database, length)? else {
        let is_empty = number(database, "SELECT 1 AS number FROM Dict LIMIT 1")?.is_none();
        return Ok(Ok(Content::without_session(is_empty)));
    };
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    if length > LARGEST.min(size) {
        return Ok(Err(too_large(length)));
    }
    let value = "SELECT CAST(value AS BLOB) AS value FROM Dict WHERE key = CAST('session' AS BLOB)";
    let value = sql_query(value).load::<Value>(database)?.pop().and_then(|row| row.value);
    Ok(value.map(Content::Session).ok_or_else(|| damaged(NAME, "its value is none")))
}

fn number(database: &mut SqliteConnection, query: &str) -> QueryResult<Option<i64>> {
    Ok(sql_query(query).load::<Number>(database)?.pop().and_then(|row| row.number))
}

/// SQLite's words may quote the file.
fn explain(_: &DieselError) -> Error {
    damaged(NAME, "SQLite cannot make sense of it")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn made(sql: &str) -> Vec<u8> {
        let mut database = connect(":memory:").expect("a database in memory");
        database.batch_execute(sql).expect("it runs");
        database.serialize_database_to_buffer().try_as_slice().expect("it is there").to_vec()
    }

    #[test]
    fn what_is_written_reads_back() {
        for value in [b"".as_slice(), b"value", &vec![7; 20_000]] {
            let image = image(Some(value)).expect("an image");
            assert_eq!(read(image, &[]).ok(), Some(Content::Session(value.to_vec())));
        }
        assert_eq!(read(image(None).expect("an image"), &[]).ok(), Some(Content::Empty));
        assert_eq!(read(made("PRAGMA user_version = 1"), &[]).ok(), Some(Content::Empty));
        let others =
            "CREATE TABLE Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL); INSERT INTO Dict VALUES ('a', 'b')";
        assert_eq!(read(made(others), &[]).ok(), Some(Content::Others));
    }

    #[test]
    fn a_table_that_computes_is_not_read() {
        let endless =
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT n AS key, n AS value FROM n";
        for sql in [
            format!("CREATE VIEW Dict AS {endless}"),
            "CREATE TABLE Dict (key BLOB, value BLOB AS (zeroblob(1000000000))); INSERT INTO Dict VALUES (x'73657373696f6e')"
                .to_owned(),
            "CREATE TABLE Dict (key BLOB)".to_owned(),
        ] {
            assert_eq!(read(made(&sql), &[]).map_err(|error| error.kind()), Err(ErrorKind::Corrupt), "{sql}");
        }
    }

    #[test]
    fn a_journal_that_names_another_file_is_not_followed() {
        let file = image(Some(b"value")).expect("an image");
        let folder = tempfile::tempdir().expect("a directory");
        let precious = folder.path().join("precious");
        fs::write(&precious, "a file of somebody else").expect("there is room");
        let name = precious.to_str().expect("text").as_bytes();
        let mut journal = NAMES_ANOTHER_FILE.to_vec();
        // No pages to put back, a nonce, so many pages before, the sizes of sectors and pages.
        for number in [0, 0, u32::try_from(file.len() / 4096).expect("few"), 512, 4096] {
            journal.extend(number.to_be_bytes());
        }
        journal.resize(512, 0);
        journal.extend(name);
        let sum = name.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        for number in [u32::try_from(name.len()).expect("short"), sum] {
            journal.extend(number.to_be_bytes());
        }
        journal.extend(NAMES_ANOTHER_FILE);
        let read = read(file, &[("-journal", journal)]);
        assert!(precious.exists(), "reading has removed a file");
        assert_eq!(read.map_err(|error| error.kind()), Err(ErrorKind::Corrupt));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]
        #[test]
        fn any_bytes_give_a_content_or_an_error(
            size in 0..9_000_usize,
            changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..4096_usize, any::<u8>()), 1..40),
            cut in proptest::option::of(any::<prop::sample::Index>()),
        ) {
            let mut image = image(Some(&vec![7; size])).expect("an image");
            let len = image.len();
            for (page, at, byte) in changes {
                // The headers of pages, and any place.
                let at = if at % 2 == 0 { at % 64 } else { at };
                image[page.index(len / 4096) * 4096 + at] = byte;
            }
            if let Some(cut) = cut {
                image.truncate(cut.index(len));
            }
            match read(image, &[]) {
                Ok(Content::Session(value)) => prop_assert!(value.len() <= len),
                Ok(_) => {}
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Corrupt),
            }
        }
    }
}
