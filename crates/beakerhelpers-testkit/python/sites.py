"""Answers for many sites with one process: sites.py, a list of steps as JSON in each line of standard input.

Each step has `ini`, `id` and `do`: `save` puts `contents`, the text of a Python dict, into the session; `load` looks at it
and changes nothing. Prints a line with a list of answers: `{"loaded": null}` where Beaker finds no session, else
`{"loaded": [[key, value], …]}`, both as Python's `repr()`; after a `save` that is what Beaker has in memory. A step
that fails is `{"failed": type of the error, "why": message}`.

Where the cookie is the session, each id is a browser: what it was sent is in a folder beside the ini file, called like it but
with `.jar` at the end, in a file of the id's name.
"""

import json
import pathlib
import sys
from http.cookies import SimpleCookie
from wsgiref.util import setup_testing_defaults

from beaker_site import Site, write_output
from values import value

SITES = {}


def shown(session):
    return [[repr(key), repr(value)] for key, value in session.items()]


def save(session, step):
    session.update(value(step["contents"]))
    session.save()
    return shown(session)


def load(session, step):
    found = session.get_by_id(step["id"])
    return None if found is None else shown(found)


def look(session, _):
    # An item that is asked for has Beaker read the cookie.
    session.get("anything")
    return None if session.is_new else shown(session)


def browse(site, step):
    """One request of the browser that is called like the session. What `load` is sent back it forgets."""
    jar = pathlib.Path(step["ini"]).with_suffix(".jar") / step["id"]
    environ, headers = {}, []
    setup_testing_defaults(environ)
    cookie = SimpleCookie()
    if jar.exists():
        cookie["beaker.session.id"] = jar.read_text()
        environ["HTTP_COOKIE"] = cookie.output(header="").strip()
    site.work = lambda session: {"save": save, "load": look}[step["do"]](session, step)
    for _ in site.middleware(environ, lambda status, sent, exc_info=None: headers.extend(sent)):
        pass
    sent = [value for name, value in headers if name.lower() == "set-cookie"]
    if sent and step["do"] == "save":
        jar.parent.mkdir(exist_ok=True)
        jar.write_text(SimpleCookie(sent[-1])["beaker.session.id"].value)
    return site.answer


WORK = {"save": save, "load": load}


def answer(step):
    work = WORK[step["do"]]
    try:
        if step["ini"] not in SITES:
            site = SITES[step["ini"]] = Site(step["ini"])
            # What it cannot load is to be said. The ini file is no place for this: any text there is true (1.14.1).
            site.middleware.options["invalidate_corrupt"] = False
        site = SITES[step["ini"]]
        if site.middleware.options.get("type") == "cookie":
            return {"loaded": browse(site, step)}
        # What is only loaded is nobody's visit: Beaker would save that one's access time.
        visitor = step["id"] if step["do"] == "save" else None
        return {"loaded": site.request(lambda session: work(session, step), visitor)}
    except Exception as error:
        return {"failed": type(error).__name__, "why": str(error)}


def main():
    for line in sys.stdin:
        write_output([answer(step) for step in json.loads(line)])


main()
