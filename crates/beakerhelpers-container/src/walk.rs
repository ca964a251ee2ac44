//! Going through a tree without holding it in memory.

use std::ffi::CStr;
use std::sync::Arc;

use beakerhelpers_core::{Result, SessionId};
use rustix::fs::{Dir, FileType};
use rustix::io::Errno;

use crate::{Folder, Name, Spot, Tree, failure, of_one};

/// Which files stand for a session: those whose name is an id and one of these. A session has one such file; what else
/// it has is of another form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form(pub &'static [&'static str]);

impl Form {
    /// The id and the extension of a file of this form that stands in these folders.
    fn split<'n>(self, name: &'n CStr, upper: &[u8], lower: &[u8]) -> Option<(&'n str, &'static str)> {
        // Cheap, and enough for almost everything that is in a tree.
        if !name.to_bytes().starts_with(lower) {
            return None;
        }
        let name = name.to_str().ok()?;
        let (id, extension) = self.0.iter().find_map(|extension| Some((name.strip_suffix(extension)?, *extension)))?;
        let place = Name::of(id, extension)?;
        (place.upper().as_bytes() == upper && place.lower().as_bytes() == lower).then_some((id, extension))
    }
}

/// Walks over the files of a tree that stand for a session, in the order in which the system has them.
///
/// At any time three folders are open, and of each a buffer is in memory. Symbolic links are not followed. What is not of
/// the form, or not where Beaker looks for it, is passed over and counted. An error is about one folder; the walk goes on.
/// Files may be removed meanwhile, and those that come may or may not appear.
#[derive(Debug)]
pub struct Walk {
    form: Form,
    upper: Dir,
    lower: Option<(Dir, Vec<u8>)>,
    files: Option<(Dir, Arc<Folder>, Vec<u8>)>,
    /// How many things were passed over.
    pub strange: u64,
}

impl Walk {
    /// Starts at the root.
    ///
    /// # Errors
    ///
    /// What hinders the root from being read.
    pub fn new(tree: &Tree, form: Form) -> Result<Self> {
        let upper = Dir::read_from(tree).map_err(|errno| failure("read the folder of the sessions", errno))?;
        Ok(Self { form, upper, lower: None, files: None, strange: 0 })
    }

    fn step(&mut self) -> Result<Step, Errno> {
        if let Some((dir, folder, lower)) = &mut self.files {
            let Some(entry) = next(dir)? else {
                self.files = None;
                return Ok(Step::Nothing);
            };
            let upper = self.lower.as_ref().map(|(_, upper)| upper.as_slice()).unwrap_or_default();
            let is_file = matches!(entry.file_type(), FileType::RegularFile | FileType::Unknown);
            return Ok(match self.form.split(entry.file_name(), upper, lower).filter(|_| is_file) {
                Some((id, extension)) => Step::Found(Spot::new(folder.clone(), id, extension)),
                None => Step::Strange,
            });
        }
        if let Some((dir, upper)) = &mut self.lower {
            let Some(entry) = next(dir)? else {
                self.lower = None;
                return Ok(Step::Nothing);
            };
            let name = entry.file_name();
            if !name.to_bytes().starts_with(upper) || chars(name).is_none_or(|chars| chars > 2) {
                return Ok(Step::Strange);
            }
            let Some(folder) = Folder::open_in(dir.fd()?, name)? else { return Ok(Step::Strange) };
            let files = Dir::read_from(&folder)?;
            self.files = Some((files, Arc::new(folder), name.to_bytes().to_vec()));
            return Ok(Step::Nothing);
        }
        let Some(entry) = next(&mut self.upper)? else { return Ok(Step::End) };
        let name = entry.file_name();
        if chars(name) != Some(1) {
            return Ok(Step::Strange);
        }
        let Some(folder) = Folder::open_in(self.upper.fd()?, name)? else { return Ok(Step::Strange) };
        self.lower = Some((Dir::read_from(&folder)?, name.to_bytes().to_vec()));
        Ok(Step::Nothing)
    }

    /// Leaves a folder that cannot be read, and tells whether there are others.
    fn leave(&mut self) -> bool {
        self.files.take().is_some() || self.lower.take().is_some()
    }
}

enum Step {
    Found(Spot),
    Strange,
    Nothing,
    End,
}

impl Iterator for Walk {
    type Item = Result<Spot>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.step() {
                Ok(Step::Found(spot)) => return Some(Ok(spot)),
                Ok(Step::Strange) => self.strange += 1,
                Ok(Step::Nothing) => {}
                Ok(Step::End) => return None,
                // One that was opened and cannot be: the next entry is another one.
                Err(errno @ (Errno::ACCESS | Errno::PERM)) => {
                    return Some(Err(of_one(failure("read a folder of sessions", errno))));
                }
                Err(errno) if self.leave() => return Some(Err(of_one(failure("read a folder of sessions", errno)))),
                Err(errno) => {
                    // The root itself: asked again it would say so again.
                    return Some(Err(failure("read the folder of the sessions", errno)));
                }
            }
        }
    }
}

pub(crate) fn next(dir: &mut Dir) -> Result<Option<rustix::fs::DirEntry>, Errno> {
    loop {
        let entry = dir.read().transpose()?;
        if entry.as_ref().is_none_or(|entry| !matches!(entry.file_name().to_bytes(), b"." | b"..")) {
            return Ok(entry);
        }
    }
}

fn chars(name: &CStr) -> Option<usize> {
    Some(name.to_str().ok()?.chars().count())
}

impl Spot {
    /// The id of the session, to be handed on and never to a log.
    pub fn session_id(&self) -> SessionId {
        SessionId::new(self.id())
    }
}
