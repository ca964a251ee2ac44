//! From an id to the name of its file.

use std::fmt;

/// The longest name of a file, in bytes, on every file system that a server is likely to have.
const LONGEST: usize = 255;
/// What Beaker adds to the name of a file while it writes it (`beaker/util.py`, `safe_write`, 1.14.1).
pub(crate) const TEMPORARY: &str = ".temp";

/// Where the file of an id is below the root of its tree: `<id[0]>/<id[:2]>/<id><extension>`, counted in characters as
/// Python 3 does (`beaker/util.py`, `encoded_path`, 1.5.4 to 1.14.1).
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    id: String,
    /// Where the first character ends.
    first: usize,
    /// Where the second ends; there may be none.
    second: usize,
    extension: &'static str,
}

impl Name {
    /// The name of an id's file. `None` where no file of Beaker's tree can be called so: an empty id, one with a slash
    /// or a zero byte, which Beaker would cut or refuse, one that begins with a dot, whose folder would be the tree's
    /// own or the one above, and one that is too long.
    #[must_use]
    pub fn of(id: &str, extension: &'static str) -> Option<Self> {
        let mut ends = id.char_indices().map(|(start, char)| start + char.len_utf8());
        let first = ends.next()?;
        let second = ends.next().unwrap_or(first);
        let fits = id.len() + extension.len() <= LONGEST;
        let is_name = fits && !id.starts_with('.') && !id.bytes().any(|byte| matches!(byte, b'/' | 0));
        is_name.then(|| Self { id: id.to_owned(), first, second, extension })
    }

    /// As [`of`](Self::of), of a file that every release of Beaker looks for under this id, and can write: not with a
    /// dot in it, which 1.14.1 drops from the name and 1.13.0 does not, and with room for the name of the temporary
    /// file.
    #[must_use]
    pub fn to_write(id: &str, extension: &'static str) -> Option<Self> {
        let fits = id.len() + extension.len() + TEMPORARY.len() <= LONGEST;
        Self::of(id, extension).filter(|_| fits && !id.contains('.'))
    }

    /// The name of the upper folder.
    pub fn upper(&self) -> &str {
        &self.id[..self.first]
    }

    /// The name of the folder in it.
    pub fn lower(&self) -> &str {
        &self.id[..self.second]
    }

    /// The name of the file in that.
    pub fn file(&self) -> String {
        format!("{}{}", self.id, self.extension)
    }

    /// All three.
    pub fn path(&self) -> String {
        format!("{}/{}/{}", self.upper(), self.lower(), self.file())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The id is a credential.
        write!(f, "Name({} bytes{})", self.id.len(), self.extension)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(id: &str) -> Option<String> {
        Name::of(id, ".cache").map(|name| name.path())
    }

    #[test]
    fn folders_are_the_first_characters() {
        assert_eq!(path("abc").as_deref(), Some("a/ab/abc.cache"));
        assert_eq!(path("a").as_deref(), Some("a/a/a.cache"));
        assert_eq!(path("üñx").as_deref(), Some("ü/üñ/üñx.cache"));
        assert_eq!(path("a.b").as_deref(), Some("a/a./a.b.cache"));
        assert_eq!(path("a\nb").as_deref(), Some("a/a\n/a\nb.cache"));
    }

    #[test]
    fn what_is_no_name_has_none() {
        for id in ["", ".", "..", ".a", "../../etc/passwd", "/etc/passwd", "a/b", "a/", "a\0b"] {
            assert_eq!(path(id), None, "{id:?}");
        }
        assert!(path(&"x".repeat(249)).is_some() && path(&"x".repeat(250)).is_none());
    }

    #[test]
    fn only_what_every_release_finds_is_written() {
        assert!(Name::to_write("a-b_c%ü", ".cache").is_some());
        assert_eq!(Name::to_write("a.b", ".cache"), None);
        assert!(Name::to_write(&"x".repeat(244), ".cache").is_some());
        assert_eq!(Name::to_write(&"x".repeat(245), ".cache"), None);
    }

    #[test]
    fn debug_does_not_give_the_id_away() {
        let name = Name::of("79b4837b1d41", ".cache").expect("a name");
        assert_eq!(format!("{name:?}"), "Name(12 bytes.cache)");
    }
}
