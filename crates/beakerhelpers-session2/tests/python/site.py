"""A Quixote site with session3's sessions: `site.py STORE PLACE VISIT...`.

STORE is `directory`, `shelve`, `shelve-dumb` and the like, `durus-file`, `durus-dfs20`, `durus-server`; PLACE is a path,
or HOST:PORT. A VISIT is `USER` for a new visitor who logs in, `=COOKIE` for one who comes back, `-COOKIE` for one who logs
out. Each prints a line: the session's id, the user and how often he came, with a `-` for what there is not.
"""

import io
import sys

from quixote.directory import Directory
from quixote.http_request import HTTPRequest
from quixote.publish import Publisher, get_publisher
from quixote import get_request, get_session, get_session_manager
from session3.DictSession import DictSession
from session3.SessionManager import SessionManager


class VisitSession(DictSession):
    pass


# As an application's own class, which no pickle of it needs this script for.
VisitSession.__module__ = "shop"
sys.modules["shop"] = sys.modules[__name__]


def open_store(kind, place):
    if kind == "directory":
        from session3.store.DirectorySessionStore import DirectorySessionStore

        return DirectorySessionStore(place, create=True)
    if kind == "shelve":
        from session3.store.ShelveSessionStore import ShelveSessionStore

        return ShelveSessionStore(place)
    if kind.startswith("shelve-"):
        import dbm

        # As where Python has no other dbm before this one: `shelve` asks `dbm` for one.
        dbm._names[:] = ["dbm." + kind.removeprefix("shelve-")]
        return open_store("shelve", place)
    if kind.startswith("durus"):
        from durus.connection import Connection
        from session3.store.DurusSessionStore import DurusSessionStore

        if kind == "durus-file":
            return DurusSessionStore(Connection(place))
        if kind == "durus-dfs20":
            from durus.file_storage2 import FileStorage2

            return DurusSessionStore(Connection(FileStorage2(place)))
        from durus.client_storage import ClientStorage

        host, port = place.rsplit(":", 1)
        return DurusSessionStore(Connection(ClientStorage(host=host, port=int(port))))
    raise SystemExit("no such store: " + kind)


class Root(Directory):
    _q_exports = ["", "login", "logout"]

    def _q_index(self):
        session = get_session()
        if session.user is None:
            return "- -"
        session["visits"] = session.get("visits", 0) + 1
        return "%s %d" % (session.user, session["visits"])

    def login(self):
        session = get_session()
        session.set_user(get_request().get_field("user"))
        session["visits"] = 1
        return "%s 1" % session.user

    def logout(self):
        get_session_manager().expire_session()
        return "- -"


def main(kind, place, *visits):
    store = open_store(kind, place)
    publisher = Publisher(Root(), session_manager=SessionManager(store, VisitSession))
    publisher.config.display_exceptions = "plain"
    for visit in visits:
        environ = {
            "REQUEST_METHOD": "GET",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SCRIPT_NAME": "",
            "REMOTE_ADDR": "192.0.2.7",
        }
        cookie = None
        if visit[0] in "=-":
            cookie = visit[1:]
            environ["HTTP_COOKIE"] = "%s=%s" % (publisher.config.session_cookie_name, cookie)
            environ["PATH_INFO"] = "/" if visit[0] == "=" else "/logout"
        else:
            environ["PATH_INFO"] = "/login"
            environ["QUERY_STRING"] = "user=" + visit
        request = HTTPRequest(io.BytesIO(), environ)
        response = publisher.process_request(request)
        out = io.BytesIO()
        response.write(out)
        text = out.getvalue().decode()
        if response.status_code != 200:
            raise SystemExit(text)
        given = response.cookies.get(publisher.config.session_cookie_name)
        if given is not None:
            cookie = given["value"] or "-"
        # The publisher takes `sys.stdout` for its log.
        print(cookie or "-", text.rsplit("\n", 1)[-1].strip(), file=sys.__stdout__)


main(*sys.argv[1:])
