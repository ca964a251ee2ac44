//! What SQLite itself wrote, and bytes that nobody did.

use proptest::prelude::*;

use super::*;

const KEY: &[u8] = b"session";

fn read(file: Vec<u8>, left: &[(&'static str, Vec<u8>)]) -> Result<Content> {
    super::read(file, left, KEY)
}

fn image(value: Option<&[u8]>) -> Result<Vec<u8>> {
    super::image(value.map(|value| (KEY, value)))
}

fn made(sql: &str) -> Vec<u8> {
    let mut database = connect(":memory:").expect("a database in memory");
    database.batch_execute(sql).expect("it runs");
    database.serialize_database_to_buffer().try_as_slice().expect("it is there").to_vec()
}

#[test]
fn what_is_written_reads_back() {
    for value in [b"".as_slice(), b"value", &vec![7; 20_000]] {
        let image = image(Some(value)).expect("an image");
        assert_eq!(read(image, &[]).ok(), Some(Content::Value(value.to_vec())));
    }
    assert_eq!(read(image(None).expect("an image"), &[]).ok(), Some(Content::Empty));
    assert_eq!(read(made("PRAGMA user_version = 1"), &[]).ok(), Some(Content::Empty));
    let others =
        "CREATE TABLE Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL); INSERT INTO Dict VALUES ('a', 'b')";
    assert_eq!(read(made(others), &[]).ok(), Some(Content::Others));
}

#[test]
fn a_table_that_computes_is_not_read() {
    let endless = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT n AS key, n AS value FROM n";
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

/// A page of a table whose b-tree goes on, two hundred times, on one other page.
fn many_times(page: &mut [u8], at: usize, child: u32) {
    page[at] = 5;
    page[at + 3..at + 5].copy_from_slice(&200_u16.to_be_bytes());
    page[at + 5..at + 7].copy_from_slice(&3000_u16.to_be_bytes());
    page[at + 7] = 0;
    page[at + 8..at + 12].copy_from_slice(&child.to_be_bytes());
    for n in 0..200 {
        let cell = 3000 + 5 * n;
        page[at + 12 + 2 * n..at + 14 + 2 * n].copy_from_slice(&u16::try_from(cell).expect("small").to_be_bytes());
        page[cell..cell + 4].copy_from_slice(&child.to_be_bytes());
        page[cell + 4] = 1;
    }
}

/// Puts such pages in the place of one, above what it was.
fn put_above(file: &mut Vec<u8>, page: usize) {
    let old = file[(page - 1) * 4096..page * 4096].to_vec();
    let pages = file.len() / 4096;
    let header = if page == 1 { 100 } else { 0 };
    many_times(&mut file[(page - 1) * 4096..page * 4096], header, u32::try_from(pages + 1).expect("few"));
    for n in 2..=10 {
        let mut page = vec![0; 4096];
        many_times(&mut page, 0, u32::try_from(pages + n).expect("few"));
        file.extend(page);
    }
    file.extend(if header == 0 { old } else { made("CREATE TABLE a (b); INSERT INTO a VALUES (1)").split_off(4096) });
    let pages = u32::try_from(file.len() / 4096).expect("few");
    file[28..32].copy_from_slice(&pages.to_be_bytes());
}

#[test]
fn pages_that_are_shared_are_not_visited_again_and_again() {
    let without_index =
        "CREATE TABLE Dict (key BLOB NOT NULL, value BLOB NOT NULL); INSERT INTO Dict VALUES ('a', 'b')";
    let other_index = "CREATE TABLE Dict (key BLOB, value BLOB UNIQUE); INSERT INTO Dict VALUES ('a', 'b')";
    let value = image(Some(b"value")).expect("an image");
    for (mut file, page) in [(made(without_index), 2), (made(other_index), 2), (made(other_index), 3), (value, 1)] {
        put_above(&mut file, page);
        assert_eq!(read(file.clone(), &[]).map_err(|error| error.kind()), Err(ErrorKind::Corrupt), "{page}");
        // A copy is read where there is a journal, though it is of no use.
        let left = [("-journal", vec![0; 512])];
        assert_eq!(read(file, &left).map_err(|error| error.kind()), Err(ErrorKind::Corrupt), "{page}");
    }
}

#[test]
fn tables_that_sqlite_reads_by_itself_are_not_there() {
    let dict = "CREATE TABLE Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)";
    let statistics = made(&format!("{dict}; INSERT INTO Dict VALUES ('a', 'b'); ANALYZE"));
    let elsewhere = made(&format!("{dict}; CREATE TABLE a (b /* {} */)", "long ".repeat(1000)));
    let other_text = made(&format!("PRAGMA encoding = 'UTF-16'; {dict}"));
    for file in [statistics, elsewhere, other_text] {
        assert_eq!(read(file, &[]).map_err(|error| error.kind()), Err(ErrorKind::Corrupt));
    }
}

#[test]
fn what_a_killed_process_left_is_put_in_order() {
    let folder = tempfile::tempdir().expect("a directory");
    for (mode, suffix, expected) in [("WAL", "-wal", b"new".as_slice()), ("DELETE", "-journal", b"old")] {
        let path = folder.path().join(mode);
        fs::write(&path, image(Some(b"old")).expect("an image")).expect("there is room");
        let mut database = connect(path.to_str().expect("text")).expect("it opens");
        // With a cache of no pages, all is in the file before the end.
        let changes = format!(
            "PRAGMA journal_mode = {mode}; PRAGMA cache_size = 1; BEGIN; UPDATE Dict SET value = CAST('new' AS BLOB); \
             CREATE TABLE a (b); INSERT INTO a VALUES (zeroblob(1000000)); DROP TABLE a"
        );
        database.batch_execute(&changes).expect("it runs");
        if mode == "WAL" {
            database.batch_execute("COMMIT").expect("it runs");
        }
        let left = fs::read(folder.path().join(format!("{mode}{suffix}"))).expect("it is there");
        let file = fs::read(&path).expect("it is there");
        assert_eq!(read(file, &[(suffix, left)]).ok(), Some(Content::Value(expected.to_vec())), "{mode}");
    }
}

#[test]
fn a_journal_that_is_of_no_use_does_no_harm() {
    let file = image(Some(b"value")).expect("an image");
    for suffix in LEFT {
        assert_eq!(read(file.clone(), &[(suffix, vec![0; 512])]).ok(), Some(Content::Value(b"value".to_vec())));
    }
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
            Ok(Content::Value(value)) => prop_assert!(value.len() <= len),
            Ok(_) => {}
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Corrupt),
        }
    }
}
