"""Answers for many sites with one process: sites.py, a list of steps as JSON in each line of standard input.

Each step has `ini`, `id` and `do`: `save` puts `contents`, the text of a Python dict, into the session; `load` looks at it
and changes nothing. Prints a line with a list of answers: `{"loaded": null}` where Beaker finds no session, else
`{"loaded": [[key, value], …]}`, both as Python's `repr()`; after a `save` that is what Beaker has in memory. A step
that fails is `{"failed": type of the error, "why": message}`.
"""

import json
import sys

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


WORK = {"save": save, "load": load}


def answer(step):
    work = WORK[step["do"]]
    try:
        if step["ini"] not in SITES:
            site = SITES[step["ini"]] = Site(step["ini"])
            # What it cannot load is to be said. The ini file is no place for this: any text there is true (1.14.1).
            site.middleware.options["invalidate_corrupt"] = False
        # What is only loaded is nobody's visit: Beaker would save that one's access time.
        visitor = step["id"] if step["do"] == "save" else None
        return {"loaded": SITES[step["ini"]].request(lambda session: work(session, step), visitor)}
    except Exception as error:
        return {"failed": type(error).__name__, "why": str(error)}


def main():
    for line in sys.stdin:
        write_output([answer(step) for step in json.loads(line)])


main()
