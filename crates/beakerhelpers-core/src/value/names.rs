//! What classes and modules are called in Python 2 and in Python 3.
//!
//! CPython translates both ways in protocols 0 to 2 (3.11 to 3.14, `Lib/_compat_pickle.py`). Here all is translated to
//! Python 3 as it does that, and to Python 2 only what comes back the same: CPython's pickler turns a `PermissionError`
//! into an `OSError` on the way, and this does not.

use std::collections::HashSet;
use std::sync::LazyLock;

type Name = [&'static str; 2];

/// Modules and names of Python 2, and those of Python 3.
const NAMES: [(Name, Name); 37] = [
    (["UserDict", "IterableUserDict"], ["collections", "UserDict"]),
    (["UserList", "UserList"], ["collections", "UserList"]),
    (["UserString", "UserString"], ["collections", "UserString"]),
    (["__builtin__", "intern"], ["sys", "intern"]),
    (["__builtin__", "long"], ["builtins", "int"]),
    (["__builtin__", "reduce"], ["functools", "reduce"]),
    (["__builtin__", "unichr"], ["builtins", "chr"]),
    (["__builtin__", "unicode"], ["builtins", "str"]),
    (["__builtin__", "xrange"], ["builtins", "range"]),
    (["_multiprocessing", "Connection"], ["multiprocessing.connection", "Connection"]),
    (["_socket", "fromfd"], ["socket", "fromfd"]),
    (["itertools", "ifilter"], ["builtins", "filter"]),
    (["itertools", "ifilterfalse"], ["itertools", "filterfalse"]),
    (["itertools", "imap"], ["builtins", "map"]),
    (["itertools", "izip"], ["builtins", "zip"]),
    (["itertools", "izip_longest"], ["itertools", "zip_longest"]),
    (["multiprocessing", "AuthenticationError"], ["multiprocessing.context", "AuthenticationError"]),
    (["multiprocessing", "BufferTooShort"], ["multiprocessing.context", "BufferTooShort"]),
    (["multiprocessing", "ProcessError"], ["multiprocessing.context", "ProcessError"]),
    (["multiprocessing", "TimeoutError"], ["multiprocessing.context", "TimeoutError"]),
    (["multiprocessing.forking", "Popen"], ["multiprocessing.popen_fork", "Popen"]),
    (["multiprocessing.process", "Process"], ["multiprocessing.context", "Process"]),
    (["urllib", "ContentTooShortError"], ["urllib.error", "ContentTooShortError"]),
    (["urllib", "getproxies"], ["urllib.request", "getproxies"]),
    (["urllib", "pathname2url"], ["urllib.request", "pathname2url"]),
    (["urllib", "quote"], ["urllib.parse", "quote"]),
    (["urllib", "quote_plus"], ["urllib.parse", "quote_plus"]),
    (["urllib", "unquote"], ["urllib.parse", "unquote"]),
    (["urllib", "unquote_plus"], ["urllib.parse", "unquote_plus"]),
    (["urllib", "url2pathname"], ["urllib.request", "url2pathname"]),
    (["urllib", "urlcleanup"], ["urllib.request", "urlcleanup"]),
    (["urllib", "urlencode"], ["urllib.parse", "urlencode"]),
    (["urllib", "urlopen"], ["urllib.request", "urlopen"]),
    (["urllib", "urlretrieve"], ["urllib.request", "urlretrieve"]),
    (["urllib2", "HTTPError"], ["urllib.error", "HTTPError"]),
    (["urllib2", "URLError"], ["urllib.error", "URLError"]),
    (["whichdb", "whichdb"], ["dbm", "whichdb"]),
];

/// Names of modules of [`OTHER_MODULES`] in Python 2: the modules that they are in now have others there.
const OLD_NAMES: [(Name, Name); 11] = [
    (["CGIHTTPServer", "CGIHTTPRequestHandler"], ["http.server", "CGIHTTPRequestHandler"]),
    (["DocXMLRPCServer", "DocCGIXMLRPCRequestHandler"], ["xmlrpc.server", "DocCGIXMLRPCRequestHandler"]),
    (["DocXMLRPCServer", "DocXMLRPCRequestHandler"], ["xmlrpc.server", "DocXMLRPCRequestHandler"]),
    (["DocXMLRPCServer", "DocXMLRPCServer"], ["xmlrpc.server", "DocXMLRPCServer"]),
    (["DocXMLRPCServer", "ServerHTMLDoc"], ["xmlrpc.server", "ServerHTMLDoc"]),
    (["DocXMLRPCServer", "XMLRPCDocGenerator"], ["xmlrpc.server", "XMLRPCDocGenerator"]),
    (["FileDialog", "FileDialog"], ["tkinter.filedialog", "FileDialog"]),
    (["FileDialog", "LoadFileDialog"], ["tkinter.filedialog", "LoadFileDialog"]),
    (["FileDialog", "SaveFileDialog"], ["tkinter.filedialog", "SaveFileDialog"]),
    (["SimpleDialog", "SimpleDialog"], ["tkinter.simpledialog", "SimpleDialog"]),
    (["SimpleHTTPServer", "SimpleHTTPRequestHandler"], ["http.server", "SimpleHTTPRequestHandler"]),
];

/// Names of Python 2 whose likes in Python 3 have another name there too.
const OTHER_NAMES: [(Name, Name); 4] = [
    (["UserDict", "UserDict"], ["collections", "UserDict"]),
    (["__builtin__", "basestring"], ["builtins", "str"]),
    (["exceptions", "StandardError"], ["builtins", "Exception"]),
    (["socket", "_socketobject"], ["socket", "SocketType"]),
];

/// Modules of Python 2 and of Python 3, for all other names in them.
const MODULES: [(&str, &str); 42] = [
    ("BaseHTTPServer", "http.server"),
    ("ConfigParser", "configparser"),
    ("Cookie", "http.cookies"),
    ("Dialog", "tkinter.dialog"),
    ("HTMLParser", "html.parser"),
    ("Queue", "queue"),
    ("ScrolledText", "tkinter.scrolledtext"),
    ("SimpleXMLRPCServer", "xmlrpc.server"),
    ("SocketServer", "socketserver"),
    ("Tix", "tkinter.tix"),
    ("Tkconstants", "tkinter.constants"),
    ("Tkdnd", "tkinter.dnd"),
    ("Tkinter", "tkinter"),
    ("__builtin__", "builtins"),
    ("_abcoll", "collections.abc"),
    ("_winreg", "winreg"),
    ("anydbm", "dbm"),
    ("commands", "subprocess"),
    ("cookielib", "http.cookiejar"),
    ("copy_reg", "copyreg"),
    ("dbhash", "dbm.bsd"),
    ("dbm", "dbm.ndbm"),
    ("dumbdbm", "dbm.dumb"),
    ("dummy_thread", "_dummy_thread"),
    ("gdbm", "dbm.gnu"),
    ("htmlentitydefs", "html.entities"),
    ("httplib", "http.client"),
    ("markupbase", "_markupbase"),
    ("repr", "reprlib"),
    ("robotparser", "urllib.robotparser"),
    ("test.test_support", "test.support"),
    ("thread", "_thread"),
    ("tkColorChooser", "tkinter.colorchooser"),
    ("tkCommonDialog", "tkinter.commondialog"),
    ("tkFileDialog", "tkinter.filedialog"),
    ("tkFont", "tkinter.font"),
    ("tkMessageBox", "tkinter.messagebox"),
    ("tkSimpleDialog", "tkinter.simpledialog"),
    ("ttk", "tkinter.ttk"),
    ("urllib2", "urllib.request"),
    ("urlparse", "urllib.parse"),
    ("xmlrpclib", "xmlrpc.client"),
];

/// Modules of Python 2 that are part of others in Python 3.
const OTHER_MODULES: [(&str, &str); 13] = [
    ("CGIHTTPServer", "http.server"),
    ("DocXMLRPCServer", "xmlrpc.server"),
    ("FileDialog", "tkinter.filedialog"),
    ("SimpleDialog", "tkinter.simpledialog"),
    ("SimpleHTTPServer", "http.server"),
    ("StringIO", "io"),
    ("UserDict", "collections"),
    ("UserList", "collections"),
    ("UserString", "collections"),
    ("_elementtree", "xml.etree.ElementTree"),
    ("cPickle", "pickle"),
    ("cStringIO", "io"),
    ("whichdb", "dbm"),
];

/// What Python 2 has in its module `exceptions`, and Python 3 in `builtins`.
const EXCEPTIONS: [&str; 47] = [
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BaseException",
    "BufferError",
    "BytesWarning",
    "DeprecationWarning",
    "EOFError",
    "EnvironmentError",
    "Exception",
    "FloatingPointError",
    "FutureWarning",
    "GeneratorExit",
    "IOError",
    "ImportError",
    "ImportWarning",
    "IndentationError",
    "IndexError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "MemoryError",
    "NameError",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PendingDeprecationWarning",
    "ReferenceError",
    "RuntimeError",
    "RuntimeWarning",
    "StopIteration",
    "SyntaxError",
    "SyntaxWarning",
    "SystemError",
    "SystemExit",
    "TabError",
    "TypeError",
    "UnboundLocalError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeError",
    "UnicodeTranslateError",
    "UnicodeWarning",
    "UserWarning",
    "ValueError",
    "Warning",
    "ZeroDivisionError",
];

/// All modules of these tables, old and new. Most names are in none of them.
static TRANSLATED: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let names = [&NAMES[..], &OLD_NAMES, &OTHER_NAMES].into_iter().flatten();
    let modules = [&MODULES[..], &OTHER_MODULES].into_iter().flatten();
    names.flat_map(|([old, _], [new, _])| [*old, *new]).chain(modules.flat_map(|(old, new)| [*old, *new])).collect()
});

/// What Python 3 loads by a name that stands in a pickle of protocol 0 to 2.
pub(super) fn python3<'n>(module: &'n str, name: &'n str) -> (&'n str, &'n str) {
    if !TRANSLATED.contains(module) {
        return (module, name);
    }
    if module == "exceptions" && EXCEPTIONS.contains(&name) {
        return ("builtins", name);
    }
    if let Some((_, [module, name])) = NAMES.iter().chain(&OTHER_NAMES).find(|(old, _)| *old == [module, name]) {
        return (module, name);
    }
    let renamed = MODULES.iter().chain(&OTHER_MODULES).find(|(old, _)| *old == module);
    (renamed.map_or(module, |(_, new)| new), name)
}

/// The name that a pickle of protocol 0 to 2 has for what is called so in Python 3: that of Python 2, where it has one.
///
/// `None` where Python 3 would read that as another name.
pub(super) fn python2<'n>(module: &'n str, name: &'n str) -> Option<(&'n str, &'n str)> {
    if !TRANSLATED.contains(module) {
        return Some((module, name));
    }
    let old = old_name(module, name);
    (python3(old.0, old.1) == (module, name)).then_some(old)
}

fn old_name<'n>(module: &'n str, name: &'n str) -> (&'n str, &'n str) {
    if module == "builtins" && EXCEPTIONS.contains(&name) {
        return ("exceptions", name);
    }
    if let Some(([module, name], _)) = NAMES.iter().chain(&OLD_NAMES).find(|(_, new)| *new == [module, name]) {
        return (module, name);
    }
    let renamed = MODULES.iter().find(|(_, new)| *new == module);
    (renamed.map_or(module, |(old, _)| old), name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use beakerhelpers_testkit::python;

    use super::*;

    /// All that CPython translates, in both directions: the direction, the old name and the new one, in lines of five
    /// words. A module stands for what is in it under the name `*`.
    const SCRIPT: &str = "
from _compat_pickle import *
for old, new in NAME_MAPPING.items():
    print(3, *old, *new)
for old, new in IMPORT_MAPPING.items():
    print(3, old, '*', new, '*')
back = lambda *old: NAME_MAPPING.get(old) or (IMPORT_MAPPING.get(old[0], old[0]), old[1])
for new, old in [*REVERSE_NAME_MAPPING.items(), *(((new, '*'), (old, '*')) for new, old in REVERSE_IMPORT_MAPPING.items())]:
    if back(*old) == new:
        print(2, *old, *new)
";

    #[test]
    fn all_is_translated_as_python_does() {
        let printed = python!().run(SCRIPT);
        let theirs: BTreeSet<Vec<&str>> = printed.lines().map(|line| line.split(' ').collect()).collect();
        let mut ours = BTreeSet::new();
        let exceptions = EXCEPTIONS.iter().map(|name| (["exceptions", *name], ["builtins", *name]));
        let modules = MODULES.iter().map(|(old, new)| ([*old, "*"], [*new, "*"]));
        for (old, new) in NAMES.into_iter().chain(modules).chain(exceptions) {
            assert_eq!((python2(new[0], new[1]), python3(old[0], old[1])), (Some(old.into()), new.into()));
            ours.extend(["2", "3"].map(|to| vec![to, old[0], old[1], new[0], new[1]]));
        }
        let others = OTHER_MODULES.iter().map(|(old, new)| ([*old, "*"], [*new, "*"]));
        for (old, new) in OTHER_NAMES.into_iter().chain(others) {
            assert_eq!(python3(old[0], old[1]), new.into());
            ours.insert(vec!["3", old[0], old[1], new[0], new[1]]);
        }
        for (old, new) in OLD_NAMES {
            assert_eq!((python2(new[0], new[1]), python3(old[0], old[1])), (Some(old.into()), new.into()));
            ours.insert(vec!["2", old[0], old[1], new[0], new[1]]);
        }
        // Left out by Python 3.13, which has no such module.
        let missing: Vec<_> = ours.symmetric_difference(&theirs).filter(|line| line[1] != "Tix").collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn other_names_stay() {
        for (module, name) in [("my.module", "int"), ("builtins", "dict"), ("os", "getcwdu"), ("exceptions", "Mine")] {
            assert_eq!(python3(module, name), (module, name));
        }
        assert_eq!(python2("builtins", "PermissionError"), Some(("__builtin__", "PermissionError")));
        assert_eq!(python2("my.module", "int"), Some(("my.module", "int")));
        assert_eq!(python2("__builtin__", "object"), None);
    }
}
