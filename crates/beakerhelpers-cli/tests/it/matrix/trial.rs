//! One form of session in one store, written and read by both sides.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use beakerhelpers_codec::text::Text;
use beakerhelpers_codec::{Decoded, Decoder, Encoder, Settings};
use beakerhelpers_core::{
    Config, Payload, Query, Record, Registry, Result as StoreResult, SaveMode, Session, SessionId, SessionStore, Value,
    Zone,
};
use beakerhelpers_testkit::{Python, Raised, Repr, Sites, Step, scratch};

use super::cell::{Cell, FORMS, Form, JSON_CONTENTS, NO_JSON, Note};
use super::jar::Jar;
use crate::beaker::CONTENTS;

type Answer = Result<Option<Repr>, Raised>;

/// Tries every form with a release of Beaker.
pub(super) fn row(python: &Python, release: &str, keys: &dyn Fn(usize) -> String) -> Vec<Cell> {
    let directory = scratch();
    let mut sites = python.sites();
    let trials = FORMS.iter().enumerate().map(|(n, form)| Trial::new(directory.path(), release, n, *form, &keys(n)));
    let mut trials: Vec<_> = trials.collect();
    for (ask, take) in ROUNDS {
        round(&mut sites, &mut trials, ask, take);
    }
    trials.into_iter().map(Trial::cell).collect()
}

type Ask = fn(&Trial) -> Vec<Step>;
type Take = fn(&mut Trial, Vec<Answer>) -> Result<(), Cell>;

/// What Beaker is asked, and what is done then.
const ROUNDS: [(Ask, Take); 3] = [
    (Trial::let_beaker_save, Trial::read_and_write),
    (Trial::let_beaker_load, Trial::compare_and_delete),
    (Trial::let_beaker_look_for_deleted, Trial::find_none),
];

/// Asks Beaker for all trials at once.
fn round(sites: &mut Sites, trials: &mut [Trial], ask: Ask, take: Take) {
    let going = || trials.iter().filter(|trial| trial.decided.is_none());
    let steps: Vec<Vec<Step>> = going().map(ask).collect();
    let mut answers = sites.answer(&steps.concat()).into_iter();
    for (trial, steps) in trials.iter_mut().filter(|trial| trial.decided.is_none()).zip(steps) {
        let answers = answers.by_ref().take(steps.len()).collect();
        trial.decided = take(trial, answers).err();
    }
}

struct Trial {
    form: Form,
    ini: PathBuf,
    /// What its ids begin with: some places hold all trials.
    prefix: String,
    contents: Vec<String>,
    /// What Beaker found when it had saved, without the access times.
    saved: Vec<Repr>,
    /// Whether Beaker wrote another form than the serializer asks for.
    no_serializer: bool,
    /// Whether Beaker loads what is written anew.
    loads_new: bool,
    /// What came of it, where that is clear already.
    decided: Option<Cell>,
}

/// What is put into each session of Beaker's, and what is taken out.
const ADDED: (&str, &str) = ("'a new key'", "[1, 'ž']");
const REMOVED: &str = "nothing";

impl Trial {
    fn new(directory: &Path, release: &str, n: usize, form: Form, keys: &str) -> Self {
        let ini = directory.join(format!("site-{n}.ini"));
        let store: String = keys.lines().flat_map(|line| ["beaker.session.", line, "\n"]).collect();
        let keys = format!("[app:main]\n{store}beaker.session.timeout = 3600\n{}", form.keys());
        fs::write(&ini, keys).expect("the ini file can be written");
        let all = if form.serializer == "json" { &JSON_CONTENTS[..] } else { &CONTENTS[..] };
        // One session with all of the values, and one without any.
        let contents = vec![format!("{{**{}}}", all.join(", **")), "{}".to_owned()];
        let prefix = format!("matrix{}{n:02}", release.replace('.', ""));
        Self { form, ini, prefix, contents, saved: Vec::new(), no_serializer: false, loads_new: true, decided: None }
    }

    fn cell(self) -> Cell {
        let why = match self.form.crypto {
            None if self.no_serializer => Note::NoSerializer,
            None => Note::Base64,
            Some(_) => Note::Default,
        };
        match self.decided {
            Some(cell) => cell,
            None if self.loads_new && !self.no_serializer => Cell::Both,
            None => Cell::Changes(why),
        }
    }

    fn id(&self, what: &str, n: usize) -> String {
        format!("{}{what}{n}", self.prefix)
    }

    fn ids(&self, what: &str) -> Vec<String> {
        (0..self.contents.len()).map(|n| self.id(what, n)).collect()
    }

    fn loads(&self, ids: &[String]) -> impl Iterator<Item = Step> {
        ids.iter().map(|id| Step::load(&self.ini, id))
    }

    fn let_beaker_save(&self) -> Vec<Step> {
        let ids = self.ids("theirs");
        let saves = ids.iter().zip(&self.contents).map(|(id, contents)| Step::save(&self.ini, id, contents));
        let refused = Step::save(&self.ini, &self.id("refused", 0), NO_JSON);
        saves.chain(self.loads(&ids)).chain([refused]).collect()
    }

    fn read_and_write(&mut self, mut answers: Vec<Answer>) -> Result<(), Cell> {
        let refused = answers.pop().expect("an answer for each step");
        let loaded = answers.split_off(self.contents.len());
        for saved in answers {
            saved.map_err(|raised| impossible(&raised))?;
        }
        for loaded in loaded {
            let loaded = loaded.ok().flatten().ok_or_else(|| failed("Beaker does not load its own session"))?;
            self.saved.push(without_access_time(loaded));
        }
        let store = self.store().map_err(|error| failed(&error))?;
        self.check_refused(&refused, &*store)?;
        for (n, id) in self.ids("theirs").into_iter().enumerate() {
            let record = store.load(&SessionId::new(id)).map_err(|error| failed(&error))?;
            let record = record.ok_or_else(|| failed("a session of Beaker's is not in the store"))?;
            let session = self.decode(&record.payload)?;
            expect(&reprs(&session), &self.saved[n], "a session of Beaker's")?;
            self.write(&*store, n, record, session).map_err(|error| failed(&error))?;
        }
        self.check_listing(&*store)
    }

    /// A session that the serializer cannot take leaves nothing behind that would be taken for a session.
    fn check_refused(&mut self, answer: &Answer, store: &dyn SessionStore) -> Result<(), Cell> {
        let record = store.load(&SessionId::new(self.id("refused", 0))).map_err(|error| failed(&error))?;
        let found = record.map(|record| self.decoder().decode(&record.payload)).transpose();
        match (answer, found.map_err(|error| failed(&error))?) {
            (Err(raised), None | Some(Decoded::Empty)) if raised.class == "TypeError" => {
                (self.form.serializer == "json").then_some(()).ok_or_else(|| failed("a pickle holds anything"))
            }
            (Ok(Some(_)), Some(Decoded::Session(_))) => {
                self.no_serializer = self.form.serializer == "json";
                Ok(())
            }
            (answer, found) => Err(failed(&format!("bytes were saved as {answer:?}, and found as {found:?}"))),
        }
    }

    /// Writes the session anew under another id, and changes into that of Beaker.
    fn write(&self, store: &dyn SessionStore, n: usize, mut record: Record, mut session: Session) -> StoreResult<()> {
        let mut encoder = Encoder::with_settings(self.settings());
        let payload = encoder.encode(&session, store.info().framing)?;
        let new = Record::new(SessionId::new(self.id("new", n)), payload).with_times_of(&session);
        store.save(&new, SaveMode::Create)?;
        session.set("a new key", |draft| {
            let items = [draft.int(1), draft.str("ž")];
            draft.list(&items)
        });
        session.remove(REMOVED);
        record.payload = encoder.update(&record.payload, &session)?;
        store.save(&record.with_times_of(&session), SaveMode::Upsert)
    }

    /// Where the store lists, it lists them all.
    fn check_listing(&self, store: &dyn SessionStore) -> Result<(), Cell> {
        if !store.info().capabilities.iter {
            return Ok(());
        }
        let listed = store.iter(Query::ALL).map(|item| item.map(|record| record.id.as_str().to_owned()));
        let listed: BTreeSet<String> = listed.collect::<StoreResult<_>>().map_err(|error| failed(&error))?;
        let mut all = self.ids("theirs").into_iter().chain(self.ids("new"));
        all.all(|id| listed.contains(&id)).then_some(()).ok_or_else(|| failed("a session is not listed"))
    }

    fn let_beaker_load(&self) -> Vec<Step> {
        let (theirs, new) = (self.ids("theirs"), self.ids("new"));
        let saves = new.iter().map(|id| Step::save(&self.ini, id, "{'after': 1.5}"));
        self.loads(&theirs).chain(self.loads(&new)).chain(saves).collect()
    }

    fn compare_and_delete(&mut self, mut changed: Vec<Answer>) -> Result<(), Cell> {
        let mut new = changed.split_off(self.contents.len());
        let resaved = new.split_off(self.contents.len());
        for (saved, changed) in self.saved.iter().zip(changed) {
            let mut expected = saved.clone();
            expected.insert(ADDED.0.to_owned(), ADDED.1.to_owned());
            expected.remove(&format!("'{REMOVED}'"));
            expect(&loaded(changed)?, &expected, "what was changed here, in Beaker")?;
        }
        let store = self.store().map_err(|error| failed(&error))?;
        self.loads_new = new.iter().any(|new| matches!(new, Ok(Some(_))));
        if self.loads_new {
            for (n, (new, resaved)) in new.into_iter().zip(resaved).enumerate() {
                expect(&loaded(new)?, &self.saved[n], "what was written here, in Beaker")?;
                loaded(resaved)?;
                let record = store.load(&SessionId::new(self.id("new", n))).map_err(|error| failed(&error))?;
                let record = record.ok_or_else(|| failed("what Beaker saved again is gone"))?;
                let mut expected = self.saved[n].clone();
                expected.insert("'after'".to_owned(), "1.5".to_owned());
                expect(&reprs(&self.decode(&record.payload)?), &expected, "what Beaker saved again")?;
            }
        }
        let deleted = store.delete(&SessionId::new(self.id("theirs", 0))).map_err(|error| failed(&error))?;
        deleted.then_some(()).ok_or_else(|| failed("there was nothing to delete"))
    }

    fn let_beaker_look_for_deleted(&self) -> Vec<Step> {
        self.loads(&[self.id("theirs", 0), self.id("theirs", 1)]).collect()
    }

    fn find_none(&mut self, answers: Vec<Answer>) -> Result<(), Cell> {
        match <[Answer; 2]>::try_from(answers) {
            Ok([Ok(None), Ok(Some(_))]) => Ok(()),
            other => Err(failed(&format!("{}: after the deletion: {other:?}", self.prefix))),
        }
    }

    fn store(&self) -> StoreResult<Box<dyn SessionStore>> {
        let config = Config::load(&self.ini)?.store("beaker.session")?.with_zone(Zone::UTC);
        if config.store_type() == "cookie" {
            return Ok(Box::new(Jar::of(&self.ini)));
        }
        Registry::linked()?.open(&config)
    }

    fn settings(&self) -> Settings {
        let config = Config::load(&self.ini).and_then(|config| config.store("beaker.session"));
        config.and_then(|config| Settings::from_config(&config)).expect("the settings are Beaker's")
    }

    fn decoder(&self) -> Decoder {
        Decoder::with_settings(self.settings())
    }

    fn decode(&self, payload: &Payload) -> Result<Session, Cell> {
        match self.decoder().decode(payload) {
            Ok(Decoded::Session(session)) => Ok(session),
            found => Err(failed(&format!("not decoded: {found:?}"))),
        }
    }
}

fn failed(why: &(impl ToString + ?Sized)) -> Cell {
    Cell::Failed(why.to_string())
}

/// What Beaker says that it cannot do.
fn impossible(raised: &Raised) -> Cell {
    match raised.class.as_str() {
        "InvalidCryptoBackendError" => Cell::Impossible(Note::NoCrypto),
        // 1.12.0 does not import SQLAlchemy.
        "AttributeError" if raised.message.ends_with("'engine_from_config'") => Cell::Impossible(Note::NoDatabase),
        // The type is looked up in a dict.
        "KeyError" if raised.message == "'ext:rediscluster'" => Cell::Impossible(Note::NoStore),
        _ => Cell::Failed(format!("Beaker cannot save: {raised:?}")),
    }
}

fn loaded(answer: Answer) -> Result<Repr, Cell> {
    match answer {
        Ok(Some(loaded)) => Ok(without_access_time(loaded)),
        other => Err(failed(&format!("Beaker does not load it: {other:?}"))),
    }
}

fn expect(found: &Repr, expected: &Repr, what: &str) -> Result<(), Cell> {
    (found == expected).then_some(()).ok_or_else(|| failed(&format!("{what}: {found:?} is not {expected:?}")))
}

/// Beaker sets it when it loads, and for a cookie when that expires.
fn without_access_time(mut session: Repr) -> Repr {
    session.remove("'_accessed_time'");
    session.remove("'_expires'");
    session
}

fn reprs(session: &Session) -> Repr {
    let repr = |value: Value<'_>| {
        let mut out = String::new();
        Text::new().append_repr(value, &mut out).expect("it is short");
        out
    };
    without_access_time(session.iter().map(|(key, value)| (repr(key), repr(value))).collect::<BTreeMap<_, _>>())
}
