"""Makes examples/demo: the sessions of a small web shop, written by real Beaker at fixed times under fixed ids."""

import hashlib
import os
import sqlite3
import sys
import types
from datetime import datetime, timedelta, timezone
from decimal import Decimal

ROOT = sys.argv[1]
DEMO = os.path.join(ROOT, "examples", "demo")
sys.path.insert(0, os.path.join(ROOT, "crates", "beakerhelpers-testkit", "python"))

from beaker.cache import CacheManager  # noqa: E402
from beaker_site import Site, configuration, stop_the_clock  # noqa: E402

INI = """\
# The web shop of the example. Try: beakerhelpers sessions examples/demo/demo.ini
[app:main]
beaker.session.type = ext:database
beaker.session.url = sqlite:///%(here)s/sessions.db
# A real site has a timeout, and its old sessions are not shown:
#     beaker.session.timeout = 3600
# Here there is none, so that these sessions are shown for ever.
"""


class Cart:
    """A class of the shop's own."""

    def __init__(self, contents):
        self.contents = contents


# A pickle names the module; the shop's is not installed here, nor where the example is read.
Cart.__module__ = "shop"
sys.modules["shop"] = types.ModuleType("shop")
sys.modules["shop"].Cart = Cart

MORNING = datetime(2026, 11, 20, 8, 0, tzinfo=timezone.utc)


def total(amount):
    return {"total": Decimal(amount)}


# Visitor, minutes after the first, contents.
VISITS = [
    ("last winter", -480_000, {"user_name": "eva@example.org", "language": "de"}),
    ("anna", 0, {"user_name": "anna@example.org", "language": "en", "cart": {"tea": 2, "mug": 1}, **total("31.70")}),
    ("someone with a cart", 7, {"language": "en", "cart": {"mug": 4}, **total("43.60")}),
    ("someone who looked in", 12, {}),
    ("admin", 26, {"user_name": "admin", "language": "en", "since": datetime(2026, 11, 20, 8, 26, 3)}),
    ("lithuanian", 41, {"user_name": "ąžuolas@example.lt", "language": "lt", "cart": {"tea": 1}, **total("9.90")}),
    ("japanese", 58, {"user_name": "花子", "language": "ja", "cart": {}}),
    ("with the new cart", 73, {"user_name": "joe@example.org", "language": "en", "cart": Cart({"mug": 2})}),
    ("logged out", 80, {"user_name": "bob@example.org"}),
    ("last one", 95, {"language": "en", "cart": {"tea": 1}, **total("9.90")}),
]


def at(minutes):
    return (MORNING + timedelta(minutes=minutes, seconds=minutes % 47, milliseconds=minutes % 31 * 32)).timestamp()


def session_id(visitor):
    return hashlib.md5(visitor.encode()).hexdigest()


def save(contents):
    def work(session):
        session.update(contents)
        session.save()

    return work


def main():
    os.makedirs(DEMO, exist_ok=True)
    ini = os.path.join(DEMO, "demo.ini")
    with open(ini, "w") as file:
        file.write(INI)
    path = os.path.join(DEMO, "sessions.db")
    if os.path.exists(path):
        os.remove(path)
    site = Site(ini)
    for visitor, minutes, contents in VISITS:
        stop_the_clock(at(minutes))
        site.request(save(contents), session_id(visitor))
    stop_the_clock(at(82))
    site.request(lambda session: session.delete(), session_id("logged out"))
    # Beaker's caches share the table unless they are told not to.
    options = {"type": "ext:database", "url": configuration(ini)["beaker.session.url"], "expire": 3600}
    CacheManager().get_cache("shop.views.front_page", **options).put("en", "<h1>Tea and mugs</h1>")

    database = sqlite3.connect(path)
    database.execute("VACUUM")
    assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    database.close()
    # It is an example to read.
    os.chmod(path, 0o644)


main()
