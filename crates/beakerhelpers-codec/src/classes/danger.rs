//! The names that no session has a use for.

/// What a class or function can do that a session has no use for. `None` says nothing but that it is not on the list.
/// No module stands for any class: the name is what `getattr` asks it for. If that is a module, `getattr` has to be asked
/// again, of what is no class.
pub(super) fn of(module: &str, name: &str) -> Option<&'static str> {
    // `STACK_GLOBAL` and `getattr` may name attributes of attributes, and so whatever a module has imported.
    let (before, last) = name.rsplit_once('.').map_or((None, name), |(before, last)| (Some(before), last));
    let is_special = |part: &str| part.starts_with("__") && part.ends_with("__");
    let leads_on = |part: &str| is_special(part) || is_module(part) || module == "builtins";
    if before.is_some_and(|before| before.split('.').any(leads_on)) {
        return Some(ATTRIBUTES);
    }
    if module == "builtins"
        && let Some((what, _)) = BUILTINS.iter().find(|(_, names)| names.contains(&last))
    {
        return Some(what);
    }
    if is_special(last) && module != "copyreg" || !module.is_empty() && is_module(last) {
        return Some(ATTRIBUTES);
    }
    if let Some((what, ..)) = NAMES.iter().find(|(_, of, names)| *of == module && names.contains(&name)) {
        return Some(what);
    }
    // It takes addresses to pieces.
    if module == "urllib.parse" {
        return None;
    }
    let package =
        PACKAGES.iter().find(|package| module.strip_prefix(**package).is_some_and(|rest| rest.starts_with('.')));
    let module = package.map_or(module, |package| *package);
    MODULES.iter().find(|(_, modules)| modules.contains(&module)).map(|(what, _)| *what)
}

/// Whether a module may have one of the listed ones by this name: `shop.os`, or `random._os`.
fn is_module(name: &str) -> bool {
    let is_listed = |module: &str| module == "builtins" || MODULES.iter().any(|(_, modules)| modules.contains(&module));
    is_listed(name) || name.starts_with('_') && is_listed(name.trim_start_matches('_'))
}

const PROGRAMS: &str = "runs programs";
const CODE: &str = "runs code";
const FILES: &str = "opens files";
const NETWORK: &str = "uses the network";
const ATTRIBUTES: &str = "reaches into objects";
const PROCESS: &str = "changes the process";
const REGISTRY: &str = "changes the registry of Windows";

/// Of what is built in. Classes such as `dict`, exceptions and plain functions are none of them.
const BUILTINS: [(&str, &[&str]); 4] = [
    (
        CODE,
        &[
            "__build_class__",
            "__import__",
            "apply",
            "breakpoint",
            "compile",
            "eval",
            "exec",
            "execfile",
            "help",
            "input",
            "raw_input",
            "reload",
        ],
    ),
    (FILES, &["file", "open"]),
    (
        ATTRIBUTES,
        &["classmethod", "delattr", "dir", "getattr", "globals", "hasattr", "locals", "property", "setattr", "vars"],
    ),
    (PROCESS, &["exit", "quit"]),
];

/// Of modules that have harmless things too.
const NAMES: [(&str, &str, &[&str]); 9] = [
    (CODE, "types", &["CodeType", "FunctionType", "LambdaType", "MethodType", "ModuleType"]),
    (CODE, "functools", &["reduce"]),
    (CODE, "uuid", &["_get_command_stdout", "_popen"]),
    (CODE, "logging", &["config"]),
    (PROGRAMS, "platform", &["popen", "_syscmd_file", "_syscmd_ver"]),
    (FILES, "codecs", &["open"]),
    (FILES, "io", &["FileIO", "OpenWrapper", "open", "open_code"]),
    (FILES, "_io", &["FileIO", "open", "open_code"]),
    (ATTRIBUTES, "operator", &["attrgetter", "itemgetter", "methodcaller"]),
];

/// Those of [`MODULES`] that have modules in them. An application may have `profile.models`, and mean its own.
const PACKAGES: [&str; 24] = [
    "aiohttp",
    "asyncio",
    "cffi",
    "cloudpickle",
    "ctypes",
    "dbm",
    "dill",
    "distutils",
    "idlelib",
    "importlib",
    "joblib",
    "lib2to3",
    "multiprocessing",
    "numpy.distutils",
    "numpy.f2py",
    "numpy.testing",
    "os",
    "pip",
    "requests",
    "setuptools",
    "sqlite3",
    "torch",
    "urllib",
    "xmlrpc",
];

/// Modules, and all that is in them.
const MODULES: [(&str, &[&str]); 7] = [
    (
        PROGRAMS,
        &[
            "_posixsubprocess",
            "_subprocess",
            "_winapi",
            "antigravity",
            "commands",
            "distutils",
            "idlelib",
            "multiprocessing",
            "nt",
            "os",
            "pip",
            "popen2",
            "posix",
            "pty",
            "setuptools",
            "subprocess",
            "webbrowser",
        ],
    ),
    (
        CODE,
        &[
            "_ctypes",
            "_pickle",
            "_testcapi",
            "bdb",
            "cffi",
            "cloudpickle",
            "code",
            "codeop",
            "cPickle",
            "cProfile",
            "ctypes",
            "dill",
            "doctest",
            "gc",
            "imp",
            "importlib",
            "inspect",
            "joblib",
            "lib2to3",
            "logging.config",
            "marshal",
            "new",
            "numpy.distutils",
            "numpy.f2py",
            "numpy.testing",
            "pdb",
            "pickle",
            "pkgutil",
            "profile",
            "pydoc",
            "runpy",
            "shelve",
            "site",
            "timeit",
            "torch",
            "trace",
            "unittest",
            "zipimport",
        ],
    ),
    (
        FILES,
        &[
            "aifc",
            "bz2",
            "dbm",
            "fileinput",
            "glob",
            "gzip",
            "linecache",
            "lzma",
            "mmap",
            "shutil",
            "sqlite3",
            "tarfile",
            "tempfile",
            "wave",
            "zipfile",
        ],
    ),
    (
        NETWORK,
        &[
            "_socket",
            "aiohttp",
            "asyncio",
            "ftplib",
            "httplib",
            "http.client",
            "http.server",
            "imaplib",
            "nntplib",
            "poplib",
            "requests",
            "smtplib",
            "socket",
            "socketserver",
            "SocketServer",
            "ssl",
            "telnetlib",
            "urllib",
            "urllib2",
            "urllib3",
            "xmlrpc",
            "xmlrpclib",
        ],
    ),
    (ATTRIBUTES, &["_operator"]),
    (PROCESS, &["_signal", "_thread", "atexit", "faulthandler", "resource", "signal", "sys", "thread", "threading"]),
    (REGISTRY, &["_winreg", "winreg"]),
];

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn what_attacks_use_is_dangerous() {
        for (module, name) in [
            ("os", "system"),
            ("posix", "system"),
            ("nt", "system"),
            ("os.path", "join"),
            ("subprocess", "Popen"),
            ("builtins", "eval"),
            ("builtins", "__import__"),
            ("builtins", "getattr"),
            ("builtins", "open"),
            ("builtins", "dict.__class__"),
            ("builtins", "str.format"),
            ("builtins", "__dict__"),
            ("importlib._bootstrap", "_call_with_frames_removed"),
            ("_io", "open"),
            ("shop", "os.system"),
            ("shop", "os"),
            ("random", "_os"),
            ("random", "_os.system"),
            ("codecs", "builtins.eval"),
            ("urllib.parse", "sys"),
            ("shop", "Cart.__init__.__globals__"),
            ("operator", "attrgetter"),
            ("types", "CodeType"),
            ("numpy.testing._private.utils", "runstring"),
            ("urllib.request", "urlopen"),
            ("sys", "modules"),
            ("winreg", "CreateKey"),
            ("_winreg", "SetValue"),
            ("shop", "winreg.SetValue"),
            ("_winapi", "CreateProcess"),
            ("_subprocess", "CreateProcess"),
        ] {
            assert!(of(module, name).is_some(), "{module}.{name}");
        }
    }

    #[test]
    fn what_sessions_hold_is_not() {
        for (module, name) in [
            ("builtins", "dict"),
            ("builtins", "ValueError"),
            ("builtins", "range"),
            ("copyreg", "__newobj__"),
            ("copyreg", "_reconstructor"),
            ("datetime", "datetime"),
            ("collections", "OrderedDict"),
            ("shop", "Cart.Item"),
            ("osgeo", "Point"),
            ("types", "SimpleNamespace"),
            ("io", "BytesIO"),
            ("_codecs", "encode"),
            ("functools", "partial"),
            ("http.cookies", "SimpleCookie"),
            ("profile.models", "Profile"),
            ("urllib.parse", "SplitResult"),
        ] {
            assert_eq!(of(module, name), None, "{module}.{name}");
        }
    }
}
