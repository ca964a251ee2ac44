"""Lets Beaker write sessions: write.py INI [PREFIX], the list of requests as JSON on standard input.

Each request has `id` (null for a visitor without a cookie), `do` and may have `at`, the instant in seconds since the
epoch that Beaker is to take for now. Prints the id that each session has after its request.
"""

import sys

from beaker_site import Site, read_input, stop_the_clock, write_output
from values import value


def save(session, contents):
    session.update(contents)
    session.save()


def touch(session, _):
    # Any use makes the middleware save the access time (Beaker 1.14.1, session.py, SessionObject.persist).
    session.get("anything")


def delete(session, _):
    session.delete()


def invalidate(session, contents):
    session.invalidate()
    save(session, contents)


WORK = {"save": save, "touch": touch, "delete": delete, "invalidate": invalidate}


def main():
    site = Site(*sys.argv[1:])
    ids = []
    for request in read_input():
        if request["at"] is not None:
            stop_the_clock(request["at"])
        contents = value(request["contents"])

        def work(session):
            WORK[request["do"]](session, contents)
            return session.id

        ids.append(site.request(work, request["id"]))
    write_output(ids)


main()
