"""A shelve of session3's sessions in one of dbm's formats: `shelf.py MODULE NAME fill COUNT`, `… read`, `… hold`.

MODULE is `dbm.dumb`, `dbm.gnu`, `dbm.ndbm` or `dbm.sqlite3`. `fill` adds sessions of different sizes, all last used an hour
ago but every third, which was used in 2005. `read` prints for each its id, its user and the checksum of its bytes. `hold` saves one
of them again, and keeps the database open until the standard input ends. `busy COUNT` saves so many more, one by one.
"""

import dbm
import shelve
import sys
import zlib

from session3.DictSession import DictSession


class NoRequest:
    """A session asks its first request for the address."""

    def get_environ(self, name):
        return "192.0.2.7"


sys.modules["session3.Session"].get_request = NoRequest


class VisitSession(DictSession):
    pass


VisitSession.__module__ = "shop"
sys.modules["shop"] = sys.modules[__name__]

# The shorter ones are on both sides of what a page of Berkeley DB has room for.
SIZES = [0, 300, 900, 1000, 1100, 5000, 20_000]


def use(module, scripts):
    """Lets `shelve` ask for this module alone."""
    try:
        __import__(module)
        dbm._names[:] = [module]
    except ImportError:
        if module != "dbm.sqlite3":
            raise
        sys.path.insert(0, scripts)
        import sqlite_dbm

        shelve.open = lambda name, flag="c": shelve.Shelf(sqlite_dbm.open(name, "c"))


def fill(name, count):
    import time

    shelf = shelve.open(name, "c")
    for n in range(count):
        session = VisitSession("%032x" % (n * 7919))
        session.user = "visitor %d" % n
        session["filler"] = "x" * (1_000_000 if n == 100 else SIZES[n % len(SIZES)])
        session._access_time = 1118664000.5 if n % 3 == 0 else time.time() - 3600
        shelf[session.id] = session
    # Ids that are kept in ways of their own.
    if count == 0:
        shelf["ž" * 400] = shelf["'\\"] = None
    shelf.close()


def main(module, scripts, name, command, *args):
    use(module, scripts)
    if command == "fill":
        fill(name, int(args[0]))
    elif command == "read":
        shelf = shelve.open(name, "c")
        for id in list(shelf.keys()):
            session = shelf[id]
            assert session is None or session.id == id and len(session["filler"]) in [*SIZES, 1_000_000]
            user = session.user.replace(" ", "-") if session is not None else "-"
            print(id, user, zlib.crc32(shelf.dict[id.encode()]))
        shelf.close()
    elif command == "hold":
        shelf = shelve.open(name, "c")
        id = min(shelf.keys())
        shelf[id] = shelf[id]
        print("held", flush=True)
        sys.stdin.read()
    elif command == "busy":
        for n in range(int(args[0])):
            # As session3 does it, for each request.
            shelf = shelve.open(name, "c")
            session = VisitSession("busy-%d" % n)
            session.user = "busy"
            session["filler"] = "x" * SIZES[n % len(SIZES)]
            shelf[session.id] = session
            shelf.close()


main(*sys.argv[1:])
