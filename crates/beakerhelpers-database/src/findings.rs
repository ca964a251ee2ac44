//! What a look at a table of sessions finds, in words that are the same for every database.

use beakerhelpers_core::{Error, Finding, Severity};

use crate::Flavor;
use crate::sql::Columns;

/// So many rows are looked at from each end of the table, at most.
pub(crate) const SAMPLED: i64 = 1_000;

/// That the table cannot be used, as a finding.
pub(crate) fn not_set_up(error: &Error) -> Finding {
    let context: Vec<_> = error.context().map(|(key, value)| format!("{key}: {value}")).collect();
    let mut message = error.message().to_owned();
    if !context.is_empty() {
        message = format!("{message} ({})", context.join("; "));
    }
    let finding = Finding::new(Severity::Missing, message);
    match error.hint() {
        Some(hint) => finding.with_hint(hint),
        None => finding,
    }
}

/// That a column is declared otherwise than Beaker does it.
pub(crate) fn column(name: &str, is: &str, flavor: Flavor, expected: &str) -> Finding {
    let message = format!("the column `{name}` is `{is}`, where {} makes `{expected}`", flavor.whose());
    Finding::new(Severity::Odd, message)
}

/// That two rows of one session can come to be.
pub(crate) fn not_unique(column: &str, statement: &str) -> Finding {
    let message = format!("there is no unique index on `{column}`: every request searches the whole table");
    Finding::new(Severity::Missing, message).with_hint(format!("delete what is there twice, then `{statement}`"))
}

/// What is in some of the rows. It counts; no id is kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    rows: u64,
    without_id: u64,
    without_time: u64,
    other_names: u64,
}

impl Sample {
    /// Counts a row: the bytes of its `namespace`, and whether `accessed` holds a time.
    pub(crate) fn add(&mut self, namespace: Option<&[u8]>, has_time: bool) {
        self.rows += 1;
        self.without_time += u64::from(!has_time);
        match namespace {
            None => self.without_id += 1,
            // `uuid4().hex` or an MD5 in hex (`beaker/session.py`, `_session_id`, 1.5.4 and 1.14.1).
            Some(id) if id.len() == 32 && id.iter().all(u8::is_ascii_hexdigit) => {}
            Some(_) => self.other_names += 1,
        }
    }

    pub(crate) fn findings(&self, flavor: Flavor, names: &Columns) -> Vec<Finding> {
        let Self { rows, without_id, without_time, other_names } = *self;
        let odd = |count, what: &str, hint: &str| {
            let message = || format!("rows {what}: {count} of {rows} looked at");
            (count > 0).then(|| Finding::new(Severity::Odd, message()).with_hint(hint))
        };
        let other_names = if flavor == Flavor::Session2 { 0 } else { other_names };
        let found = [
            odd(
                without_id,
                &format!("without an id in `{}`", names.id),
                "no visitor can reach them; delete them by hand",
            ),
            odd(
                without_time,
                &format!("without a valid time in `{}`", names.accessed),
                "`cleanup` keeps them for ever; `beakerhelpers delete` deletes them by what they hold",
            ),
            odd(
                other_names,
                "with names that Beaker gives no session",
                "sessions are named by 32 hex digits; these are entries of a Beaker cache, most likely, and `cleanup` \
                 deletes those that are old, too: give the cache a table of its own with `beaker.cache.table_name`",
            ),
        ];
        found.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Dialect;

    #[test]
    fn a_sample_of_sessions_is_nothing_to_speak_of() {
        let mut sample = Sample::default();
        let names = Columns::of(Flavor::Database, Dialect::Sqlite);
        assert_eq!(sample.findings(Flavor::Database, names), []);
        sample.add(Some(b"0123456789abcdef0123456789abcdef"), true);
        assert_eq!(sample.findings(Flavor::Database, names), []);
    }

    #[test]
    fn rows_that_are_no_sessions_are_counted_and_not_named() {
        let mut sample = Sample::default();
        sample.add(Some(b"shop.views.front_page"), true);
        sample.add(Some(b"0123456789abcdef0123456789abcdeg"), false);
        sample.add(None, false);
        let messages: Vec<_> = sample
            .findings(Flavor::Database, Columns::of(Flavor::Database, Dialect::Sqlite))
            .into_iter()
            .map(|finding| finding.message)
            .collect();
        assert_eq!(messages[0], "rows without an id in `namespace`: 1 of 3 looked at");
        assert_eq!(messages[1], "rows without a valid time in `accessed`: 2 of 3 looked at");
        assert_eq!(messages[2], "rows with names that Beaker gives no session: 2 of 3 looked at");
        assert!(!messages.iter().any(|message| message.contains("front_page")));
    }
}
