//! Archiving and restoring.

use std::fs;
use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use beakerhelpers_core::command::exit;
use beakerhelpers_core::{Framing, Payload, SaveMode, SessionId, SessionStore as _, Timestamp};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::place::{NOW, Place, Run, Store};
use crate::command::CleanupArgs;
use crate::restore_command::RestoreArgs;

fn archive(place: &Place, args: &[&str]) -> Run {
    let file = place.path("old.jsonl.gz");
    place.run::<CleanupArgs>(&[&["--archive", file.to_str().unwrap()], args].concat())
}

fn restore(place: &Place, args: &[&str]) -> Run {
    let file = place.path("old.jsonl.gz");
    place.run::<RestoreArgs>(&[&[file.to_str().unwrap()], args].concat())
}

fn member(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Writes an archive of these lines, ended as it is to be.
fn write(place: &Place, lines: &str) {
    let end = format!("{{\"end_after\":{}}}\n", lines.lines().count() - 1);
    fs::write(place.path("old.jsonl.gz"), [member(lines), member(&end)].concat()).unwrap();
}

/// Adds lines before the end.
fn add(place: &Place, more: &str) {
    let mut lines = String::new();
    MultiGzDecoder::new(&*fs::read(place.path("old.jsonl.gz")).unwrap()).read_to_string(&mut lines).unwrap();
    let sessions = lines.find("{\"end_after\"").unwrap();
    write(place, &(lines[..sessions].to_owned() + more));
}

/// Where the last gzip member begins: the one of the end.
fn last_member(bytes: &[u8]) -> usize {
    bytes.windows(3).rposition(|window| window == [0x1f, 0x8b, 8]).unwrap()
}

#[test]
fn what_was_deleted_can_be_put_back() {
    let place = Place::new(Store::default());
    let before = place.records();
    let done = archive(&place, &["--batch-size", "2"]).done();
    assert!(done.starts_with("deleted 4 sessions ") && done.contains(", archived in "), "{done}");
    assert_eq!(place.ids(), ["m10", "m30", "m50"]);
    assert_eq!(restore(&place, &["--dry-run"]).done(), "would restore 4 sessions\n");
    assert_eq!(place.ids().len(), 3);
    assert_eq!(restore(&place, &[]).done(), "restored 4 sessions\n");
    assert_eq!(place.records(), before, "times and contents are what they were");
    assert_eq!(restore(&place, &[]).done(), "restored 0 sessions, left 4 alone that are in the store\n");
    assert_eq!(restore(&place, &["--quiet"]).done(), "");
}

#[test]
fn a_store_that_refuses_all_is_told_of_once() {
    let place = Place::new(Store { is_replica: true, ..Store::default() });
    archive(&place, &["-q"]).done();
    let run = restore(&place, &[]);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (exit::USAGE, "", "error: this is a replica\n"));
}

#[test]
fn nobody_who_came_back_is_overwritten() {
    let place = Place::new(Store::default());
    archive(&place, &["-q"]).done();
    let mut record = place.records().remove(0);
    record.id = SessionId::new("m70");
    place.store.memory.save(&record.with_times(Some(NOW), Some(NOW)), SaveMode::Create).unwrap();
    assert_eq!(restore(&place, &[]).done(), "restored 3 sessions, left 1 alone that is in the store\n");
    assert_eq!(place.store.memory.load(&SessionId::new("m70")).unwrap().unwrap().accessed, Some(NOW));
}

#[test]
fn an_archive_that_is_there_or_cannot_be_lets_nothing_be_deleted() {
    let place = Place::new(Store::default());
    fs::write(place.path("old.jsonl.gz"), "precious").unwrap();
    let run = archive(&place, &[]);
    assert_eq!((run.code, run.stdout.as_str(), place.ids().len()), (exit::USAGE, "", 7));
    assert!(run.stderr.contains("hint: give another name"), "{}", run.stderr);
    assert_eq!(fs::read(place.path("old.jsonl.gz")).unwrap(), b"precious");
    for name in ["nowhere/old.gz", "old-%q.gz"] {
        let run = place.run::<CleanupArgs>(&["--archive", place.path(name).to_str().unwrap()]);
        assert_eq!((run.code, run.stdout.as_str(), place.ids().len()), (exit::USAGE, "", 7));
    }
    let place = Place::new(Store { cannot_archive: true, ..Store::default() });
    let run = archive(&place, &[]);
    assert_eq!((run.code, place.ids().len()), (exit::USAGE, 7));
    assert!(run.stderr.contains("leave `--archive` out") && !place.path("old.jsonl.gz").exists(), "{}", run.stderr);
}

#[test]
fn without_anything_to_keep_there_is_no_archive() {
    let place = Place::new(Store::default());
    for args in [["-t", "1d"].as_slice(), &["--dry-run"]] {
        assert!(!archive(&place, args).done().contains("archived"));
        assert!(!place.path("old.jsonl.gz").exists());
    }
    let json: serde_json::Value = serde_json::from_str(&archive(&place, &["-f", "json"]).done()).unwrap();
    assert_eq!(json["archive"], place.path("old.jsonl.gz").to_str().unwrap());
}

#[test]
fn the_name_holds_the_date() {
    let place = Place::new(Store::default());
    place.run::<CleanupArgs>(&["--archive", place.path("%Y-%m-%d_%H.gz").to_str().unwrap()]).done();
    assert!(place.path("2026-01-15_12.gz").exists());
}

#[test]
fn a_run_that_fails_keeps_what_it_archived() {
    let place = Place::new(Store { fails: true, ..Store::default() });
    let run = archive(&place, &["-f", "json"]);
    assert_eq!((run.code, place.ids().len()), (exit::FAILED, 6));
    assert!(run.stdout.contains("\"archive\":\""), "{}", run.stdout);
    assert_eq!(restore(&place, &[]).done(), "restored 1 session\n");
    assert_eq!(place.ids().len(), 7);
}

#[test]
fn a_torn_archive_gives_what_is_whole() {
    let place = Place::new(Store::default());
    archive(&place, &["--batch-size", "1"]).done();
    let mut bytes = fs::read(place.path("old.jsonl.gz")).unwrap();
    bytes.truncate(last_member(&bytes) - 5);
    fs::write(place.path("old.jsonl.gz"), bytes).unwrap();
    let run = restore(&place, &[]);
    assert_eq!((run.code, run.stdout.as_str()), (exit::SOME_UNREADABLE, "restored 3 sessions\n"));
    assert!(run.stderr.starts_with("warning: the archive lacks its end. "), "{}", run.stderr);
    assert!(run.stderr.ends_with("Half of a batch is left, which is passed over.\n"), "{}", run.stderr);
}

#[test]
fn a_file_that_was_cut_off_between_batches_is_told_from_a_whole_one() {
    let place = Place::new(Store::default());
    archive(&place, &["--batch-size", "1"]).done();
    let mut bytes = fs::read(place.path("old.jsonl.gz")).unwrap();
    for left in [4, 3] {
        bytes.truncate(last_member(&bytes));
        fs::write(place.path("old.jsonl.gz"), &bytes).unwrap();
        for quiet in [["--dry-run"].as_slice(), &["--dry-run", "--quiet"]] {
            let run = restore(&place, quiet);
            assert_eq!(run.code, exit::SOME_UNREADABLE);
            assert!(quiet.len() == 2 || run.stdout == format!("would restore {left} sessions\n"), "{}", run.stdout);
            assert!(run.stderr.contains("then sessions that were deleted are missing"), "{}", run.stderr);
            assert!(!run.stderr.contains("Half"), "{}", run.stderr);
        }
    }
}

#[test]
fn whatever_ends_a_run_ends_its_archive() {
    let place = Place::new(Store::default());
    let args = ["--archive", &place.path("old.jsonl.gz").display().to_string(), "--batch-size", "1"];
    let stopped = place.run_with::<CleanupArgs>(&[&args[..], &["--limit", "2"]].concat(), |_| Ok(()));
    assert_eq!(stopped.code, exit::DONE);
    assert_eq!(restore(&place, &[]).done(), "restored 2 sessions\n");
}

#[test]
fn sessions_of_a_store_of_another_type_get_its_frame_and_its_times() {
    // The time `_accessed_time` is 1768474800.5 inside of the session.
    let session = [b"U\x0e_accessed_timeG".as_slice(), &1_768_474_800.5_f64.to_be_bytes(), b"s"].concat();
    let line = |id: &str, framing: &str, bytes: &[u8]| {
        let payload = STANDARD.encode(bytes);
        format!(
            "{{\"id\":\"{id}\",\"created\":null,\"accessed\":null,\"framing\":\"{framing}\",\"payload\":\"{payload}\"}}\n"
        )
    };
    let header =
        "{\"archive\":\"beakerhelpers\",\"version\":1,\"store\":\"x\",\"type\":\"ext:redis\",\"cutoff\":null}\n";
    let value = [b"\x80\x02}".as_slice(), &session, b"."].concat();
    let place = Place::new(Store::default());
    write(&place, &[header, &line("v", "value", &value), &line("t", "text", b"\x80no pickle")].concat());
    for dry_run in [["--dry-run"].as_slice(), &[]] {
        let run = restore(&place, dry_run);
        let verb = if dry_run.is_empty() { "restored" } else { "would restore" };
        assert_eq!(run.code, exit::SOME_UNREADABLE, "{}", run.stderr);
        assert_eq!(run.stdout, format!("{verb} 1 session, passed over 1 line\n"));
        assert!(run.stderr.starts_with("warning: line 3 of the archive: "), "{}", run.stderr);
    }
    let record = place.store.memory.load(&SessionId::new("v")).unwrap().unwrap();
    assert_eq!(record.accessed, Some(Timestamp::from_micros(1_768_474_800_500_000)));
    let namespace = [b"\x80\x02}X\x07\0\0\0session}".as_slice(), &session, b"s."].concat();
    assert_eq!(record.payload, Payload::new(Framing::Namespace, namespace));
    assert!(place.store.memory.load(&SessionId::new("t")).unwrap().is_none());

    let header = header.replace("ext:redis", "session2:directory");
    write(&place, &[&*header, &line("o", "object", &value), &line("v", "value", &value)].concat());
    let run = restore(&place, &[]);
    assert_eq!((run.code, run.stdout.as_str()), (exit::USAGE, ""));
    assert!(run.stderr.starts_with("error: sessions of session2 are objects"), "{}", run.stderr);
    assert_eq!(place.ids().len(), 8, "nothing else was put back");
}

#[test]
fn a_damaged_archive_gives_what_stands_before_the_damage() {
    let place = Place::new(Store::default());
    archive(&place, &["--batch-size", "1"]).done();
    let mut bytes = fs::read(place.path("old.jsonl.gz")).unwrap();
    // The checksum of the last batch, before its length.
    let checksum = last_member(&bytes) - 8;
    bytes[checksum] ^= 1;
    fs::write(place.path("old.jsonl.gz"), bytes).unwrap();
    let run = restore(&place, &[]);
    assert_eq!((run.code, run.stdout.as_str()), (exit::FAILED, "restored 3 sessions\n"));
    assert!(run.stderr.starts_with("error: the archive is damaged"), "{}", run.stderr);
}

#[test]
fn many_are_put_back_together_and_lines_keep_their_numbers() {
    let place = Place::new(Store::default());
    archive(&place, &[]).done();
    let line = |id: &str, accessed| {
        format!(
            "{{\"id\":\"{id}\",\"created\":{accessed},\"accessed\":{accessed},\"framing\":\"value\",\"payload\":\"\"}}\n"
        )
    };
    let mut lines: Vec<_> = (0..200).map(|n| line(&format!("more{n}"), "\"2026-01-15T11:00:00.000000Z\"")).collect();
    lines[99] = line("timeless", "null");
    lines[120] = "none\n".to_owned();
    add(&place, &lines.concat());
    let run = restore(&place, &[]);
    assert_eq!(run.stdout, "restored 202 sessions, passed over 2 lines\n", "{}", run.stderr);
    assert_eq!(
        run.stderr,
        "warning: line 105 of the archive: a record without an access time cannot be kept\n\
         warning: line 126 of the archive is malformed: it is no JSON object\n"
    );
    assert_eq!(place.ids().len(), 7 + 198);
}

#[test]
fn malformed_lines_are_numbered_and_passed_over() {
    let place = Place::new(Store::default());
    archive(&place, &[]).done();
    let timeless = "{\"id\":\"5ecret\",\"created\":null,\"accessed\":null,\"framing\":\"value\",\"payload\":\"\"}";
    add(&place, &format!("5ecret\n{timeless}\n"));
    let run = restore(&place, &[]);
    assert_eq!(run.code, exit::SOME_UNREADABLE);
    assert_eq!(run.stdout, "restored 4 sessions, passed over 2 lines\n");
    assert_eq!(
        run.stderr,
        "warning: line 6 of the archive is malformed: it is no JSON object\n\
         warning: line 7 of the archive: a record without an access time cannot be kept\n"
    );
    add(&place, &"5ecret\n".repeat(100));
    let run = restore(&place, &[]);
    assert_eq!(run.stdout, "restored 0 sessions, left 4 alone that are in the store, passed over 102 lines\n");
    assert_eq!(run.stderr.lines().count(), 21);
    assert!(run.stderr.ends_with("warning: 82 more lines of the archive cannot be restored\n"), "{}", run.stderr);
    assert!(!run.stderr.contains("5ecret"));
}
