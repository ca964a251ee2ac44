//! What classes and modules of Python 3 were called in Python 2.
//!
//! CPython translates both ways in protocols 0 to 2 (3.14, `Lib/_compat_pickle.py`). Only what comes back the same is
//! translated here: CPython's pickler turns a `PermissionError` into an `OSError` on the way, and this does not. Modules
//! that are about windows, servers and processes are left out; Python 3 reads those by their own names as well.

/// Modules and names of Python 3, and those of Python 2.
const NAMES: [([&str; 2], [&str; 2]); 30] = [
    (["builtins", "range"], ["__builtin__", "xrange"]),
    (["builtins", "chr"], ["__builtin__", "unichr"]),
    (["builtins", "str"], ["__builtin__", "unicode"]),
    (["builtins", "int"], ["__builtin__", "long"]),
    (["builtins", "zip"], ["itertools", "izip"]),
    (["builtins", "map"], ["itertools", "imap"]),
    (["builtins", "filter"], ["itertools", "ifilter"]),
    (["sys", "intern"], ["__builtin__", "intern"]),
    (["functools", "reduce"], ["__builtin__", "reduce"]),
    (["itertools", "filterfalse"], ["itertools", "ifilterfalse"]),
    (["itertools", "zip_longest"], ["itertools", "izip_longest"]),
    (["collections", "UserDict"], ["UserDict", "IterableUserDict"]),
    (["collections", "UserList"], ["UserList", "UserList"]),
    (["collections", "UserString"], ["UserString", "UserString"]),
    (["dbm", "whichdb"], ["whichdb", "whichdb"]),
    (["socket", "fromfd"], ["_socket", "fromfd"]),
    (["urllib.error", "ContentTooShortError"], ["urllib", "ContentTooShortError"]),
    (["urllib.error", "HTTPError"], ["urllib2", "HTTPError"]),
    (["urllib.error", "URLError"], ["urllib2", "URLError"]),
    (["urllib.parse", "quote"], ["urllib", "quote"]),
    (["urllib.parse", "quote_plus"], ["urllib", "quote_plus"]),
    (["urllib.parse", "unquote"], ["urllib", "unquote"]),
    (["urllib.parse", "unquote_plus"], ["urllib", "unquote_plus"]),
    (["urllib.parse", "urlencode"], ["urllib", "urlencode"]),
    (["urllib.request", "getproxies"], ["urllib", "getproxies"]),
    (["urllib.request", "pathname2url"], ["urllib", "pathname2url"]),
    (["urllib.request", "url2pathname"], ["urllib", "url2pathname"]),
    (["urllib.request", "urlcleanup"], ["urllib", "urlcleanup"]),
    (["urllib.request", "urlopen"], ["urllib", "urlopen"]),
    (["urllib.request", "urlretrieve"], ["urllib", "urlretrieve"]),
];

/// Modules of Python 3 and of Python 2, for all other names in them.
const MODULES: [(&str, &str); 22] = [
    ("builtins", "__builtin__"),
    ("copyreg", "copy_reg"),
    ("queue", "Queue"),
    ("socketserver", "SocketServer"),
    ("configparser", "ConfigParser"),
    ("reprlib", "repr"),
    ("_markupbase", "markupbase"),
    ("winreg", "_winreg"),
    ("_thread", "thread"),
    ("_dummy_thread", "dummy_thread"),
    ("dbm.bsd", "dbhash"),
    ("dbm.dumb", "dumbdbm"),
    ("dbm.gnu", "gdbm"),
    ("xmlrpc.client", "xmlrpclib"),
    ("http.client", "httplib"),
    ("http.cookies", "Cookie"),
    ("http.cookiejar", "cookielib"),
    ("html.entities", "htmlentitydefs"),
    ("html.parser", "HTMLParser"),
    ("subprocess", "commands"),
    ("urllib.parse", "urlparse"),
    ("collections.abc", "_abcoll"),
];

/// What Python 2 has in its module `exceptions`.
const EXCEPTIONS: &[&str] = &[
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

/// The name that Python 2 has for it and that Python 3 translates back; the same for most, and for what is Python 2's.
pub(super) fn python2<'n>(module: &'n str, name: &'n str) -> (&'n str, &'n str) {
    if module == "builtins" && EXCEPTIONS.contains(&name) {
        return ("exceptions", name);
    }
    if let Some((_, [module, name])) = NAMES.iter().find(|(python3, _)| *python3 == [module, name]) {
        return (module, name);
    }
    let renamed = MODULES.iter().find(|(python3, _)| *python3 == module);
    (renamed.map_or(module, |(_, python2)| python2), name)
}
