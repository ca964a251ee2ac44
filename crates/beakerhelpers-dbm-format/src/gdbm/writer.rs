//! Writing a whole database, which the crate `gdbm-native` does.

use std::ffi::c_char;
use std::io::{self, Read};
use std::path::Path;

use beakerhelpers_core::{Error, Result};
use gdbm_native::{BlockSize, CharSign, Endian, OpenOptions};

use super::{Layout, NAME};
use crate::error::failed;

/// As large are the blocks of the file systems that most sites have.
const BLOCK: u32 = 4096;

/// A database that is being written.
pub(crate) struct Writer(gdbm_native::Gdbm);

impl Writer {
    /// Begins a database in a file that is empty, laid out as another one, or as this machine's libgdbm does it.
    pub(crate) fn new(path: &Path, like: Option<&Layout>) -> Result<Self> {
        let mut options = OpenOptions::new();
        // `whichdb` does not know the form with a counter of synchronisations.
        options.create(true).lock(false).numsync(false);
        options.char_sign(if c_char::MIN < 0 { CharSign::Signed } else { CharSign::Unsigned });
        let is_big = like.map_or(cfg!(target_endian = "big"), |layout| layout.is_big);
        options.endian(if is_big { Endian::Big } else { Endian::Little });
        let block = like.map(|layout| layout.block).filter(|block| block.is_power_of_two());
        options.block_size(BlockSize::Exactly(block.filter(|block| (512..=1 << 16).contains(block)).unwrap_or(BLOCK)));
        if let Some(layout) = like {
            options.layout(match (layout.is_large, layout.is_aligned()) {
                (false, _) => gdbm_native::Layout::Off32,
                (true, false) => gdbm_native::Layout::Off64Align4,
                (true, true) => gdbm_native::Layout::Off64Align8,
            });
        }
        options.open(path).map(Self).map_err(cannot)
    }

    /// Adds a pair.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.0.insert(key, value).map(drop).map_err(cannot)
    }

    /// Writes what is not yet in the file.
    pub(crate) fn finish(self) -> Result<()> {
        self.0.close().map_err(cannot)
    }
}

fn cannot(error: gdbm_native::Error) -> Error {
    match error {
        gdbm_native::Error::Io(error) => failed("write", &error),
        error => Error::unsupported(format!("a session cannot be written to a {NAME} database: {error}")),
    }
}

/// The bytes of a database that holds a pair, and nothing else, laid out as another one, or as this machine's libgdbm does
/// it: Python makes the same header.
pub(crate) fn image(pair: Option<(&[u8], &[u8])>, like: Option<&Layout>) -> Result<Vec<u8>> {
    let cannot = |error: io::Error| failed("prepare", &error);
    // The crate writes to files by name alone.
    let mut file = tempfile::NamedTempFile::new().map_err(cannot)?;
    let mut writer = Writer::new(file.path(), like)?;
    if let Some((key, value)) = pair {
        writer.add(key, value)?;
    }
    writer.finish()?;
    let mut image = Vec::new();
    file.read_to_end(&mut image).map_err(cannot)?;
    Ok(image)
}
