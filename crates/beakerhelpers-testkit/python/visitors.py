"""Visitors of a site that is being cleaned: visitors.py INI [PREFIX].

The first line of standard input is an object: `expired`, ids of sessions that may be deleted at any time until their
visitor comes back, and `kept`, ids of sessions that nobody may delete. Each few milliseconds one of them comes and saves
a new number in its session: the next of `expired`, one of `kept`, or somebody new, who comes again later. Prints `ready`
after the first round, goes on until standard input ends, and then prints what became of them, as an object:

`answered`  how many requests were answered
`errors`    the messages of those that were not
`longest`   the longest that one took, in seconds
`back`      of `expired`, how many came back before their session was deleted
`gone`      how many came back to a session that was deleted
`between`   how many came back while it was deleted: Beaker loaded it, and changed no row when it saved
`lost`      the ids whose session is not as it was saved last; `between` are no loss of `lost`
"""

import itertools
import json
import sys
import threading
import time

from beaker_site import Site, write_output

PAUSE = 0.002


class Visitors:
    def __init__(self, site, expired, kept):
        self.site = site
        self.expired, self.kept = iter(expired), kept
        self.new = []
        self.saved = {}
        self.lost = []
        self.errors = []
        self.answered = self.back = self.gone = self.between = 0
        self.longest = 0.0

    def request(self, work, session_id):
        started = time.monotonic()
        try:
            answer = self.site.request(work, session_id)
            self.answered += 1
            return answer
        except Exception as error:
            self.errors.append("%s: %s" % (type(error).__name__, error))
            return None
        finally:
            self.longest = max(self.longest, time.monotonic() - started)

    def save(self, session_id, number):
        """Saves a number; tells whether Beaker had found a session."""

        def work(session):
            session.get("number")
            found = not session.is_new
            session["number"] = number
            session.save()
            return found

        found = self.request(work, session_id)
        if found is not None:
            self.saved[session_id] = number
        return found

    def number(self, session_id):
        """The number that is stored, None where there is no session."""
        return self.request(lambda session: (session.get_by_id(session_id) or {}).get("number"), session_id)

    def come_back(self, session_id, number):
        found = self.save(session_id, number)
        if found is None:
            return
        if not found:
            # Beaker made a new one of the same id.
            self.gone += 1
        elif self.number(session_id) == number:
            self.back += 1
        else:
            # No row was there when it saved: Beaker does not look how many rows it changed.
            self.between += 1
            del self.saved[session_id]

    def come(self, session_id, number, known=True):
        if self.save(session_id, number) is False and known:
            self.lost.append(session_id)

    def round(self, n):
        session_id = next(self.expired, None)
        if session_id is not None:
            self.come_back(session_id, 4 * n)
            time.sleep(PAUSE)
        if self.kept:
            self.come(self.kept[n % len(self.kept)], 4 * n + 1)
            time.sleep(PAUSE)
        self.new.append("new-%d" % n)
        self.come(self.new[-1], 4 * n + 2, known=False)
        time.sleep(PAUSE)
        self.come(self.new[n // 2], 4 * n + 3)
        time.sleep(PAUSE)

    def report(self):
        lost = [session_id for session_id, number in self.saved.items() if self.number(session_id) != number]
        return {
            "answered": self.answered,
            "errors": self.errors,
            "longest": self.longest,
            "back": self.back,
            "gone": self.gone,
            "between": self.between,
            "lost": self.lost + lost,
        }


def main():
    site = Site(*sys.argv[1:])
    visitors = Visitors(site, **json.loads(sys.stdin.readline()))
    stop = threading.Event()

    def wait_for_the_end():
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    for n in itertools.count():
        visitors.round(n)
        if n == 0:
            print("ready", flush=True)
        if stop.is_set():
            break
    write_output(visitors.report())


main()
