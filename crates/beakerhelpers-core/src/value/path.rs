//! Paths of the file system.

use std::fmt::{self, Write as _};

use super::{Items, Value};

/// An object of Python's `pathlib`.
///
/// It displays as Python's `str` prints it: `/srv/app`, `C:\srv`, `.` where it is empty.
#[derive(Clone)]
pub struct Path<'a> {
    sort: PathSort,
    parts: Items<'a>,
}

/// What a [`Path`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathSort {
    /// `PosixPath`
    Posix,
    /// `PurePosixPath`
    PurePosix,
    /// `WindowsPath`
    Windows,
    /// `PureWindowsPath`
    PureWindows,
}

impl PathSort {
    pub(super) fn of(class: &[u8]) -> Option<Self> {
        Some(match class {
            b"PosixPath" => Self::Posix,
            b"PurePosixPath" => Self::PurePosix,
            b"WindowsPath" => Self::Windows,
            b"PureWindowsPath" => Self::PureWindows,
            _ => return None,
        })
    }

    /// The name of the class.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Posix => "PosixPath",
            Self::PurePosix => "PurePosixPath",
            Self::Windows => "WindowsPath",
            Self::PureWindows => "PureWindowsPath",
        }
    }

    /// Whether it is of Windows.
    pub const fn is_windows(self) -> bool {
        matches!(self, Self::Windows | Self::PureWindows)
    }
}

/// A path of more parts or bytes than this stays an object: no file system has it.
const MOST_PARTS: usize = 256;
const MOST_BYTES: usize = 4096;
/// So many bytes may fall away when a path is printed. More of them, and references to one path would cost more than
/// they print.
const MOST_DROPPED: usize = 64;

impl<'a> Path<'a> {
    /// What it is.
    pub const fn sort(&self) -> PathSort {
        self.sort
    }

    /// Its parts as they were stored: those of `Path.parts`, the root among them, or what Python 3.13's `Path` was made
    /// of, which has separators in it.
    pub fn parts(&self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        self.parts.clone().map(|part| part.as_str().unwrap_or(""))
    }

    /// A path of these parts; `None` where one is no text, or where it takes Python to join them.
    pub(super) fn of(sort: PathSort, parts: Items<'a>) -> Option<Self> {
        if parts.len() > MOST_PARTS {
            return None;
        }
        let lens: Option<Vec<usize>> = parts.clone().map(|part| part.as_str().map(str::len)).collect();
        let len: usize = lens?.iter().map(|len| len + 1).sum();
        if len > MOST_BYTES {
            return None;
        }
        let path = Self { sort, parts };
        if sort.is_windows() {
            return path.is_plain_windows().then_some(path);
        }
        let mut shown = Length(0);
        write!(shown, "{path}").ok()?;
        (len.saturating_sub(shown.0) <= MOST_DROPPED).then_some(path)
    }

    /// Whether joining is all that there is to do: a root at most in the first part, and nothing that would change.
    fn is_plain_windows(&self) -> bool {
        let name = |part: &str| !matches!(part, "" | ".") && !part.contains(['/', ':']) && !part.ends_with('\\');
        let plain = |part: &str| name(part) && part.split('\\').all(|part| !matches!(part, "" | "."));
        let rest_of_first = |first: &str| {
            let letter =
                first.strip_prefix(|char: char| char.is_ascii_alphabetic()).and_then(|rest| rest.strip_prefix(':'));
            let rest = letter.unwrap_or(first);
            let rest = rest.strip_prefix('\\').unwrap_or(rest);
            let share = first.strip_prefix(r"\\").and_then(|rest| rest.strip_suffix('\\')?.split_once('\\'));
            rest.is_empty()
                || plain(rest)
                || share.is_some_and(|(host, share)| name(host) && name(share) && !share.contains('\\'))
        };
        let mut parts = self.parts();
        parts.next().is_none_or(rest_of_first) && parts.all(plain)
    }

    fn fmt_windows(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = false;
        for part in self.parts() {
            if separator {
                f.write_str("\\")?;
            }
            f.write_str(part)?;
            // `C:\` and `\` end with one, and what follows `C:` alone is relative to where that drive is.
            separator = !part.ends_with(['\\', ':']);
        }
        Ok(())
    }

    fn fmt_posix(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is absolute replaces what is before it.
        let first = self.parts().enumerate().filter(|(_, part)| part.starts_with('/')).last();
        let (skipped, root) = match first {
            // POSIX lets two slashes mean something else than one; three mean one.
            Some((at, part)) if part.starts_with("//") && !part.starts_with("///") => (at, "//"),
            Some((at, _)) => (at, "/"),
            None => (0, ""),
        };
        f.write_str(root)?;
        let names = self.parts.clone().skip(skipped).filter_map(Value::as_str).flat_map(|part| part.split('/'));
        let mut separator = "";
        for name in names.filter(|name| !matches!(*name, "" | ".")) {
            f.write_str(separator)?;
            f.write_str(name)?;
            separator = "/";
        }
        if root.is_empty() && separator.is_empty() { f.write_str(".") } else { Ok(()) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sort.is_windows() {
            true if self.parts.is_empty() => f.write_str("."),
            true => self.fmt_windows(f),
            false => self.fmt_posix(f),
        }
    }
}

/// Counts bytes.
struct Length(usize);

impl fmt::Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// Shows nothing of its contents.
impl fmt::Debug for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sort.class())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Draft, Kind};

    fn shown(sort: PathSort, parts: &[&str]) -> Option<String> {
        let mut draft = Draft::new();
        let key = draft.str("parts");
        let parts: Vec<_> = parts.iter().map(|part| draft.str(part)).collect();
        let parts = draft.tuple(&parts);
        let root = draft.dict(&[key, parts]);
        let session = draft.finish(root).unwrap();
        let Some(Kind::Tuple(parts)) = session.value("parts").map(Value::kind) else { panic!("no tuple") };
        Path::of(sort, parts).map(|path| path.to_string())
    }

    #[test]
    fn posix_paths_join_as_in_python() {
        for (parts, expected) in [
            (&["/", "srv", "app"][..], "/srv/app"),
            (&["a//b/", "./c", ".."], "a/b/c/.."),
            (&["a", "/b", "//c", "d"], "//c/d"),
            (&["///a"], "/a"),
            (&["", "."], "."),
            (&[], "."),
            (&["/"], "/"),
        ] {
            assert_eq!(shown(PathSort::Posix, parts).as_deref(), Some(expected));
        }
        let (slashes, long) = ("/".repeat(100), "a".repeat(5000));
        assert_eq!(shown(PathSort::Posix, &[&slashes]), None);
        assert_eq!(shown(PathSort::Posix, &[&long]), None);
        assert_eq!(shown(PathSort::Posix, &["a"; 300]), None);
    }

    #[test]
    fn windows_paths_join_where_that_is_plain() {
        for (parts, expected) in [
            (&[r"c:\", "x", "y"][..], r"c:\x\y"),
            (&[r"c:\x\y"], r"c:\x\y"),
            (&["c:", "x"], "c:x"),
            (&[r"\", "x"], r"\x"),
            (&[r"\\host\share\", "x"], r"\\host\share\x"),
            (&["x", ".."], r"x\.."),
            (&[], "."),
        ] {
            assert_eq!(shown(PathSort::Windows, parts).as_deref(), Some(expected));
        }
        for parts in
            [&["c:/x"][..], &["x", "c:"], &["x", r"\y"], &["x", "."], &[r"c:\\x"], &[r"x\"], &["c:d:"], &[r"\\h"]]
        {
            assert_eq!(shown(PathSort::Windows, parts), None, "{parts:?}");
        }
    }
}
