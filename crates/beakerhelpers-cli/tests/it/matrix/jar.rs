//! Sessions that are cookies: the browsers that have them, as a store.

use std::fs;
use std::io::{self, ErrorKind as IoErrorKind};
use std::path::{Path, PathBuf};

use beakerhelpers_codec::cookie::CookieKey;
use beakerhelpers_core::{
    Capabilities, Error, ErrorKind, Framing, Payload, Record, Result, SaveMode, SessionId, SessionStore, StoreInfo,
};

use super::cell::VALIDATE_KEY;

/// A folder with a file for each browser, in which its cookie is.
#[derive(Debug)]
pub(super) struct Jar(PathBuf);

impl Jar {
    /// That of the site with this ini file.
    pub(super) fn of(ini: &Path) -> Self {
        Self(ini.with_extension("jar"))
    }

    fn file(&self, id: &SessionId) -> PathBuf {
        self.0.join(id.as_str())
    }
}

fn failed(error: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "the jar cannot be reached").with_source(error)
}

impl SessionStore for Jar {
    fn info(&self) -> StoreInfo {
        StoreInfo::new("jar", self.0.display().to_string(), Capabilities::NONE).with_framing(Framing::Text)
    }

    fn load(&self, id: &SessionId) -> Result<Option<Record>> {
        let cookie = match fs::read_to_string(self.file(id)) {
            Err(error) if error.kind() == IoErrorKind::NotFound => return Ok(None),
            cookie => cookie.map_err(failed)?,
        };
        let value = CookieKey::new(VALIDATE_KEY).verify(&cookie).map(str::as_bytes);
        let value = value.ok_or_else(|| Error::new(ErrorKind::Corrupt, "the signature does not hold"))?;
        Ok(Some(Record::new(id.clone(), Payload::new(Framing::Text, value.to_vec()))))
    }

    fn save(&self, record: &Record, _: SaveMode) -> Result<()> {
        let value = std::str::from_utf8(record.payload.bytes());
        let value = value.map_err(|_| Error::new(ErrorKind::Corrupt, "the session is no text"))?;
        fs::write(self.file(&record.id), CookieKey::new(VALIDATE_KEY).sign(value)).map_err(failed)
    }

    fn delete(&self, id: &SessionId) -> Result<bool> {
        fs::remove_file(self.file(id)).map(|()| true).map_err(failed)
    }
}
