//! Writing archives and reading them back.

use std::time::Duration;

use beakerhelpers_core::{Capabilities, Framing, Payload, SessionId, Timestamp};

use super::*;
use crate::archive::{ArchiveEnd, ArchiveReader};

fn record(n: u8) -> Record {
    let times = Timestamp::from_micros(1_768_478_400_000_001);
    Record::new(SessionId::new(format!("id-{n}")), Payload::new(Framing::Namespace, vec![n; usize::from(n) * 1000]))
        .with_times(Some(times), Some(times.later_by(Duration::from_micros(u64::from(n)))))
}

fn create(path: &Path) -> Result<ArchiveWriter> {
    let store = StoreInfo::new("memory", "a place".to_owned(), Capabilities::NONE);
    ArchiveWriter::create(path, &store, Cutoff::ago(Timestamp::from_secs(0), Duration::ZERO))
}

/// An archive of three sessions in two batches.
fn written(path: &Path) -> ArchiveWriter {
    let mut archive = create(path).unwrap();
    archive.write(&[record(1), record(2)]).unwrap();
    archive.write(&[record(3)]).unwrap();
    archive
}

fn read(path: &Path) -> (Vec<Record>, ArchiveEnd) {
    let reader = ArchiveReader::open(path).unwrap();
    assert_eq!(reader.store(), "a place");
    let end = reader.end();
    (reader.map(Result::unwrap).collect(), end)
}

#[test]
fn what_was_written_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old.jsonl.gz");
    let archive = written(&path);
    assert_eq!(archive.records(), 3);
    // Each batch is there before the archive is ended: nothing is kept back.
    let all = vec![record(1), record(2), record(3)];
    assert_eq!(read(&path), (all.clone(), ArchiveEnd::Cut));
    archive.finish().unwrap();
    assert_eq!(read(&path), (all, ArchiveEnd::Whole));
    assert_eq!(ArchiveReader::open(&path).unwrap().store_type(), Some("memory"));
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old.jsonl.gz");
    written(&path);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn what_is_there_is_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old.jsonl.gz");
    fs::write(&path, "precious").unwrap();
    let error = create(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.hint().unwrap().contains("%Y-%m-%d"));
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    // A link that leads nowhere is there, too.
    #[cfg(unix)]
    {
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(directory.path().join("nowhere"), &link).unwrap();
        assert_eq!(create(&link).unwrap_err().kind(), ErrorKind::Config);
        assert!(!directory.path().join("nowhere").exists());
    }
    let error = create(&directory.path().join("nowhere/old.gz")).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Config, "the directory for the archive does not exist"));
}

#[test]
fn an_empty_one_is_not_left_behind() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old.jsonl.gz");
    create(&path).unwrap().finish().unwrap();
    assert!(!path.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_it() {
    let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut archive = ArchiveWriter { path: "old.gz".into(), file, safe: 0, records: 0 };
    let error = archive.write(&[record(1)]).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Unavailable, "the disk is full"));
    assert!(error.hint().unwrap().contains("was not deleted"));
    assert_eq!(archive.records(), 0);
}

#[test]
fn a_batch_that_fails_leaves_the_others_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old.jsonl.gz");
    let mut archive = written(&path);
    let before = fs::metadata(&path).unwrap().len();
    let large = Record::new(SessionId::new("a"), Payload::new(Framing::Value, vec![0; 80 << 20]));
    let error = archive.write(&[record(200), large]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(fs::metadata(&path).unwrap().len(), before);
    archive.write(&[record(4)]).unwrap();
    assert_eq!(read(&path), (vec![record(1), record(2), record(3), record(4)], ArchiveEnd::Cut));
}

#[test]
fn wherever_it_is_cut_whole_batches_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old.jsonl.gz");
    written(&path).finish().unwrap();
    let whole = fs::read(&path).unwrap();
    let mut seen = Vec::new();
    for len in (0..=whole.len()).rev() {
        fs::write(&path, &whole[..len]).unwrap();
        match ArchiveReader::open(&path) {
            Ok(reader) => {
                let end = reader.end();
                let records: Vec<_> = reader.map(Result::unwrap).collect();
                assert_eq!(records, [record(1), record(2), record(3)][..records.len()]);
                seen.push((records.len(), end));
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Config);
                seen.push((0, ArchiveEnd::Damaged));
            }
        }
    }
    seen.dedup();
    let (torn, cut) = (ArchiveEnd::Torn, ArchiveEnd::Cut);
    let parts = [(3, torn), (3, cut), (2, torn), (2, cut), (0, torn), (0, cut), (0, ArchiveEnd::Damaged)];
    assert_eq!(
        seen,
        [&[(3, ArchiveEnd::Whole)][..], &parts].concat(),
        "a part of a batch is read, or a whole one is not"
    );
}

#[test]
fn a_damaged_batch_ends_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old.jsonl.gz");
    let mut archive = create(&path).unwrap();
    archive.write(&[record(1)]).unwrap();
    let first = archive.safe;
    archive.write(&[record(2)]).unwrap();
    let second = archive.safe;
    archive.write(&[record(3)]).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[usize::try_from(first.midpoint(second)).unwrap()] ^= 0x55;
    fs::write(&path, bytes).unwrap();
    let (records, end) = read(&path);
    assert_eq!(records, [record(1)]);
    // A code that was changed may swallow all that follows.
    assert_ne!(end, ArchiveEnd::Whole);
}

#[test]
fn an_end_that_does_not_fit_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old.jsonl.gz");
    let mut archive = create(&path).unwrap();
    archive.write(&[record(1)]).unwrap();
    let first = usize::try_from(archive.safe).unwrap();
    archive.write(&[record(2)]).unwrap();
    let second = usize::try_from(archive.safe).unwrap();
    archive.finish().unwrap();
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, [&bytes[..first], &bytes[second..]].concat()).unwrap();
    assert_eq!(read(&path), (vec![record(1)], ArchiveEnd::Cut), "a batch is missing");
    fs::write(&path, [&bytes[..], &bytes[first..second]].concat()).unwrap();
    let reader = ArchiveReader::open(&path).unwrap();
    assert_eq!((reader.end(), reader.flatten().count()), (ArchiveEnd::Cut, 3));
}

#[test]
fn what_is_no_archive_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    for contents in [b"".as_slice(), b"plain", &[0; 100], &[0x1f, 0x8b]] {
        fs::write(&path, contents).unwrap();
        assert_eq!(ArchiveReader::open(&path).unwrap_err().kind(), ErrorKind::Config);
    }
    for path in [directory.path(), &directory.path().join("nowhere")] {
        assert_eq!(ArchiveReader::open(path).unwrap_err().kind(), ErrorKind::Config);
    }
}
