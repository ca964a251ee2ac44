//! The option files of MySQL and MariaDB: `~/.my.cnf`.
//!
//! They look like ini files and are not: a `#` ends a value unless it is in quotes, values have escapes, names go with
//! dashes or underscores, and `!include` brings other files (`mysys/my_default.c` of MariaDB).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use beakerhelpers_core::{Error, ErrorKind, Result};

/// Deeper than anybody includes files, and an end for files that include themselves.
const DEEPEST: usize = 10;
/// Larger files are no option files.
const LARGEST: u64 = 1024 * 1024;

/// The options of some groups.
#[derive(Debug, Default)]
pub(crate) struct Options(BTreeMap<String, String>);

impl Options {
    /// The option of this name, with dashes. One without a value is empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads these groups of a file, and of those that it includes. A later option replaces an earlier one.
///
/// # Errors
///
/// `Config` where a file cannot be read, or everybody may write to it: MySQL does not trust such a file either.
pub(crate) fn read(path: &Path, groups: &[&str]) -> Result<Options> {
    let mut options = Options::default();
    read_into(&mut options, path, groups, 0)?;
    Ok(options)
}

/// The file of this user, where there is one.
pub(crate) fn of_user() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("HOME")?).join(".my.cnf");
    path.is_file().then_some(path)
}

fn read_into(options: &mut Options, path: &Path, groups: &[&str], depth: usize) -> Result<()> {
    let text = load(path).map_err(|error| error.with_context("file", path.display().to_string()))?;
    let mut wanted = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with(['#', ';']) || line.is_empty() {
            continue;
        }
        if let Some(directive) = line.strip_prefix('!') {
            include(options, directive, groups, depth)?;
        } else if let Some(rest) = line.strip_prefix('[') {
            let name = rest.split(']').next().unwrap_or_default().trim();
            wanted = groups.contains(&name);
        } else if wanted {
            let (name, value) = option(line);
            options.0.insert(name, value);
        }
    }
    Ok(())
}

fn include(options: &mut Options, directive: &str, groups: &[&str], depth: usize) -> Result<()> {
    if depth >= DEEPEST {
        return Err(Error::config("option files include each other too deeply"));
    }
    let named = |word: &str| directive.strip_prefix(word).filter(|rest| rest.starts_with(char::is_whitespace));
    if let Some(folder) = named("includedir") {
        let Ok(entries) = fs::read_dir(folder.trim()) else { return Ok(()) };
        let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "cnf"));
        files.sort();
        return files.iter().try_for_each(|file| read_into(options, file, groups, depth + 1));
    }
    match named("include").map(|file| PathBuf::from(file.trim())) {
        Some(file) if file.is_file() => read_into(options, &file, groups, depth + 1),
        _ => Ok(()),
    }
}

fn load(path: &Path) -> Result<String> {
    let unreadable = |error: io::Error| {
        let kind = if error.kind() == io::ErrorKind::PermissionDenied {
            ErrorKind::PermissionDenied
        } else {
            ErrorKind::Config
        };
        Error::new(kind, "an option file of MySQL cannot be read").with_source(error)
    };
    let facts = fs::metadata(path).map_err(unreadable)?;
    if facts.len() > LARGEST || !facts.is_file() {
        return Err(Error::config("this is no option file of MySQL"));
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&facts.permissions()) & 0o002 != 0 {
        return Err(Error::config("everybody may write to an option file of MySQL, which does not trust it then")
            .with_hint("run `chmod 600` on it"));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|_| Error::config("an option file of MySQL is not UTF-8"))
}

/// A line `name = value`, or `name` alone.
fn option(line: &str) -> (String, String) {
    let line = before_comment(line);
    let (name, value) = line.split_once('=').unwrap_or((line, ""));
    (name.trim().replace('_', "-"), unquoted(value.trim()))
}

fn before_comment(line: &str) -> &str {
    let (mut quote, mut escaped) = (None, false);
    for (at, char) in line.char_indices() {
        match char {
            '\'' | '"' if !escaped && quote.is_none_or(|quote| quote == char) => {
                quote = if quote.is_none() { Some(char) } else { None };
            }
            '#' if quote.is_none() => return &line[..at],
            _ => {}
        }
        escaped = quote.is_some() && char == '\\' && !escaped;
    }
    line
}

fn unquoted(value: &str) -> String {
    let inner = ['\'', '"'].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let mut out = String::new();
    let mut chars = inner.unwrap_or(value).chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            out.push(char);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('s') => out.push(' '),
            Some(char @ ('"' | '\'' | '\\')) => out.push(char),
            Some(char) => out.extend(['\\', char]),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_mysql_does() {
        for (line, name, value) in [
            ("password = secret # the old one", "password", "secret"),
            ("password=\"a#b\"", "password", "a#b"),
            ("password='it\\'s #1' # x", "password", "it's #1"),
            (r"password = a\sb\\c\d", "password", r"a b\c\d"),
            ("password", "password", ""),
            ("ssl_ca=/etc/ca.pem", "ssl-ca", "/etc/ca.pem"),
            ("user = = x", "user", "= x"),
            ("password='", "password", "'"),
            ("password=ąž\"", "password", "ąž\""),
        ] {
            assert_eq!(option(line), (name.to_owned(), value.to_owned()), "{line}");
        }
    }

    #[test]
    fn groups_and_includes() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, two) = (folder.path().join("my.cnf"), folder.path().join("two.cnf"));
        let text = format!(
            "password=nobody\n[mysqld]\nport=1\n[client]\nuser=joe\npassword = x\n!include {}\n!includedir /nowhere\n\
             !include /nowhere.cnf\n[other]\nuser=mia\n",
            two.display()
        );
        fs::write(&one, text).expect("it is written");
        fs::write(&two, format!("[client]\npassword=y\n!include {}\n", folder.path().join("none").display()))
            .expect("it is written");
        let options = read(&one, &["client"]).expect("it is read");
        assert_eq!((options.get("user"), options.get("password")), (Some("joe"), Some("y")));
        assert_eq!(options.get("port"), None);
        assert_eq!(read(&one, &["client", "other"]).expect("it is read").get("user"), Some("mia"));
    }

    #[test]
    fn files_that_include_themselves_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("my.cnf");
        fs::write(&file, format!("!include {}\n", file.display())).expect("it is written");
        assert!(read(&file, &["client"]).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_everybody_may_write_is_not_trusted() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("my.cnf");
        fs::write(&file, "[client]\nuser=joe\n").expect("it is written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("it is allowed");
        let error = read(&file, &["client"]).expect_err("it is not trusted");
        assert!(error.hint().is_some_and(|hint| hint.contains("chmod")), "{error:?}");
    }
}
