//! One ini file as Python's `configparser` reads it, with the line of every key.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use crate::{Error, Result, escape_controls};

/// No site's configuration comes near this size.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The section whose options all others inherit.
pub(super) const DEFAULT: &str = "DEFAULT";

/// Stands before a `[` that is part of a value while the parser reads it. No file that is read holds it.
const MARK: char = '\0';

/// A file that was read. Values are raw: nothing is interpolated.
pub(super) struct Ini {
    /// As it was named, for messages.
    pub(super) shown: String,
    /// As it was named, to find others from.
    pub(super) path: PathBuf,
    /// Its absolute path, the value of `%(__file__)s`.
    pub(super) absolute: String,
    /// Its directory, the value of `%(here)s`.
    pub(super) here: String,
    values: configparser::ini::Ini,
    lines: Lines,
}

/// The line of each key of each section.
type Lines = HashMap<String, HashMap<String, usize>>;

/// A value and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
}

impl Ini {
    pub(super) fn load(path: &Path) -> Result<Self> {
        let shown = shown(&path.to_string_lossy());
        let bytes = read(path).map_err(|error| error.with_context("file", shown.as_str()))?;
        let absolute =
            absolute(path).map_err(|error| Error::config("cannot find the current directory").with_source(error))?;
        let here = absolute.parent().unwrap_or(&absolute).to_string_lossy().into_owned();
        let absolute = absolute.to_string_lossy().into_owned();
        Self::parse(&bytes, shown, path.to_owned(), absolute, here)
    }

    fn parse(bytes: &[u8], shown: String, path: PathBuf, absolute: String, here: String) -> Result<Self> {
        let (text, lines) = scan(bytes, &shown)?;
        let mut values = configparser::ini::Ini::new_cs();
        values.set_default_section(DEFAULT);
        values.set_multiline(true);
        values.set_comment_symbols(&[]);
        values.set_inline_comment_symbols(Some(&[]));
        // The scan has found everything that the parser objects to; it could not name the line as we do.
        values
            .read(text)
            .map_err(|_| Error::config("cannot read the ini file").with_context("file", shown.as_str()))?;
        for value in values.get_mut_map().values_mut().flat_map(|section| section.values_mut()).flatten() {
            if value.contains(MARK) {
                value.retain(|char| char != MARK);
            }
        }
        Ok(Self { shown, path, absolute, here, values, lines })
    }

    /// The sections in the order of the file, without `[DEFAULT]`.
    pub(super) fn sections(&self) -> impl Iterator<Item = &str> {
        self.values.get_map_ref().keys().map(String::as_str).filter(|name| *name != DEFAULT)
    }

    /// The keys of a section in the order of the file, without those of `[DEFAULT]`.
    pub(super) fn keys(&self, section: &str) -> impl Iterator<Item = &str> {
        self.values.get_map_ref().get(section).into_iter().flat_map(|keys| keys.keys().map(String::as_str))
    }

    /// The value of a key in a section, whatever `[DEFAULT]` says.
    pub(super) fn value(&self, section: &str, key: &str) -> Option<Value<'_>> {
        let text = self.values.get_map_ref().get(section)?.get(key)?.as_deref()?;
        let line = self.lines.get(section).and_then(|lines| lines.get(key)).copied().unwrap_or_default();
        Some(Value { text, line })
    }

    /// A line of this file, for messages: `prod.ini:12`.
    pub(super) fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.shown)
    }
}

/// Shows the name only: values may be secrets.
impl fmt::Debug for Ini {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ini").field("file", &self.shown).finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::config("there is no such ini file"),
        std::io::ErrorKind::PermissionDenied => Error::config("the ini file is not readable for this user"),
        std::io::ErrorKind::IsADirectory => a_directory(),
        _ => Error::config("cannot read the ini file").with_source(error),
    };
    let file = File::open(path).map_err(cannot)?;
    let metadata = file.metadata().map_err(cannot)?;
    if metadata.is_dir() {
        return Err(a_directory());
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST {
        return Err(Error::config("this is no ini file: it is larger than 16 MiB"));
    }
    Ok(bytes)
}

fn a_directory() -> Error {
    Error::config("this is a directory, not an ini file").with_hint("name the file in it, such as `prod.ini`")
}

/// Checks the file as Python's `configparser` does in its strict mode, and puts it into the form in which the crate
/// cannot misread it: no comments, sections and keys at the margin, what continues a value indented by one.
fn scan(bytes: &[u8], shown: &str) -> Result<(String, Lines)> {
    if bytes.contains(&0) {
        return Err(Error::config("this is no ini file: it is binary").with_context("file", shown));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let line_end = if bytes.contains(&b'\n') { b'\n' } else { b'\r' };
    let mut text = String::with_capacity(bytes.len() + 1);
    let mut lines = Lines::new();
    let mut section: Option<String> = None;
    // The indentation of the key that an indented line would continue.
    let mut key_indent: Option<usize> = None;
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == line_end)) {
        let fail = |message: String| Err(Error::config(message).with_context("at", format!("{shown}:{number}")));
        if line.trim_ascii_start().starts_with(b"#") || line.trim_ascii_start().starts_with(b";") {
            continue;
        }
        let Ok(line) = str::from_utf8(line) else {
            return fail("the ini file is not in UTF-8".to_owned())
                .map_err(|error| error.with_hint("if it is older than UTF-8, convert it: `iconv -f latin1 -t utf-8`"));
        };
        let trimmed = line.trim();
        let indent = line.chars().take_while(|char| char.is_whitespace()).count();
        if trimmed.is_empty() {
            text.push('\n');
            continue;
        }
        if key_indent.is_some_and(|key| indent > key) {
            text.push(' ');
            if trimmed.starts_with('[') {
                text.push(MARK);
            }
        } else if let Some(name) = trimmed.strip_prefix('[') {
            let Some(name) = name.rfind(']').map(|end| name[..end].trim()).filter(|name| !name.is_empty()) else {
                return fail("the name of a section is missing or not closed by `]`".to_owned());
            };
            if name != DEFAULT && lines.contains_key(name) {
                return fail(format!("the section `[{}]` is there twice", self::shown(name)));
            }
            lines.entry(name.to_owned()).or_default();
            section = Some(name.to_owned());
            key_indent = None;
        } else {
            let Some(keys) = section.as_ref().and_then(|section| lines.get_mut(section)) else {
                return fail("the file does not begin with a section such as `[app:main]`".to_owned());
            };
            let Some(key) = trimmed.find(['=', ':']).map(|end| trimmed[..end].trim()).filter(|key| !key.is_empty())
            else {
                return fail("a line is neither a section nor `key = value`".to_owned());
            };
            if let Some(first) = keys.insert(key.to_owned(), number) {
                return fail(format!("the key `{}` is in this section twice, first on line {first}", self::shown(key)));
            }
            key_indent = Some(indent);
        }
        text.push_str(trimmed);
        text.push('\n');
    }
    Ok((text, lines))
}

/// Text from outside as a message shows it: without control characters, and not endless.
pub(super) fn shown(text: &str) -> String {
    let start: String = text.chars().take(200).collect();
    let end = if start.len() < text.len() { "…" } else { "" };
    format!("{}{end}", escape_controls(&start))
}

/// As Python's `os.path.abspath`: `..` is taken out by name, symbolic links stay.
fn absolute(path: &Path) -> std::io::Result<PathBuf> {
    let mut absolute = PathBuf::new();
    for part in std::path::absolute(path)?.components() {
        match part {
            Component::ParentDir => {
                absolute.pop();
            }
            part => absolute.push(part),
        }
    }
    Ok(absolute)
}
