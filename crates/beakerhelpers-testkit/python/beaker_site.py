"""A web application with real Beaker in it, called in this process."""

import datetime
import importlib
import json
import sys
import time
from http.cookies import SimpleCookie
from wsgiref.util import setup_testing_defaults

from beaker.middleware import SessionMiddleware
from beaker.session import SignedCookie
from paste.deploy.loadwsgi import APP, ConfigLoader

# Where Beaker asks for the time. 1.9 has its own copy of the database code.
CLOCKS = ["beaker.container", "beaker.session", "beaker.ext.sqla", "beaker.ext.database"]


def configuration(ini, prefix="beaker.session"):
    """The keys of the ini file's application section, the prefix replaced by Beaker's own."""
    loader = ConfigLoader(ini)
    section = loader.find_config_section(APP)
    config = {}
    for key, value in loader.parser.items(section):
        if key.startswith(prefix + "."):
            key = "beaker.session." + key[len(prefix) + 1 :]
        config[key] = value
    if config.get("beaker.session.type") == "ext:sqla":
        bind_table(config)
    if "beaker.session.dbmmodule" in config:
        config["beaker.session.dbmmodule"] = dbm_module(config["beaker.session.dbmmodule"])
    return config


def dbm_module(name):
    """What a site that chooses how its databases are written does in its own code: the module is an object."""
    try:
        return importlib.import_module(name)
    except ImportError:
        if name != "dbm.sqlite3":
            raise
        import sqlite_dbm

        return sqlite_dbm


def bind_table(config):
    """What a site with `ext:sqla` does in its own code: engine and table are objects."""
    import sqlalchemy
    from beaker.ext.sqla import SqlaNamespaceManager, make_cache_table

    # Beaker imports SQLAlchemy when it makes the first of these.
    SqlaNamespaceManager._init_dependencies()
    engine = sqlalchemy.create_engine(config.pop("beaker.session.url"))
    table = make_cache_table(sqlalchemy.MetaData(), config.get("beaker.session.table_name", "beaker_cache"))
    table.create(engine, checkfirst=True)
    config["beaker.session.bind"], config["beaker.session.table"] = engine, table


class Site:
    """Answers requests the way that a web server lets an application answer them."""

    def __init__(self, ini, prefix="beaker.session"):
        self.work = None
        self.middleware = SessionMiddleware(self.application, configuration(ini, prefix))

    def application(self, environ, start_response):
        self.answer = self.work(environ["beaker.session"])
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b""]

    def request(self, work, session_id=None):
        """One request whose cookie names this session; `work` gets the session and gives the answer."""
        environ = {}
        setup_testing_defaults(environ)
        options = self.middleware.options
        if session_id is not None:
            secret = options.get("secret")
            value = SignedCookie(secret).value_encode(session_id)[1] if secret else session_id
            cookie = SimpleCookie()
            cookie[options.get("key", "beaker.session.id")] = value
            environ["HTTP_COOKIE"] = cookie.output(header="").strip()
        self.work = work
        for _ in self.middleware(environ, lambda status, headers, exc_info=None: None):
            pass
        return self.answer


class _Clock:
    """The module `time`, stopped."""

    def __init__(self, now):
        self.now = now

    def time(self):
        return self.now

    def __getattr__(self, name):
        return getattr(time, name)


def stop_the_clock(now):
    """Lets Beaker take this instant (seconds since the epoch) for now."""

    class Stopped(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls.fromtimestamp(now, tz)

        @classmethod
        def utcnow(cls):
            return cls.fromtimestamp(now, datetime.timezone.utc).replace(tzinfo=None)

    for name in CLOCKS:
        module = importlib.import_module(name)
        if hasattr(module, "time"):
            module.time = _Clock(now)
        if hasattr(module, "datetime"):
            module.datetime = Stopped


def read_input():
    return json.load(sys.stdin)


def write_output(answer):
    json.dump(answer, sys.stdout)
    sys.stdout.write("\n")
    sys.stdout.flush()
