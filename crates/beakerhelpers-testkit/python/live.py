"""Goes on saving sessions until standard input ends: live.py INI [PREFIX].

Prints `ready` after the first session is saved, and at the end how many requests were answered, the longest that one
took in seconds, and the messages of those that failed.
"""

import itertools
import sys
import threading
import time

from beaker_site import Site, write_output

VISITORS = 20


def main():
    site = Site(*sys.argv[1:])
    stop = threading.Event()

    def wait_for_the_end():
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    answered, longest, errors = 0, 0.0, []
    for n in itertools.count():
        if stop.is_set():
            break

        def work(session):
            session["visits"] = session.get("visits", 0) + 1
            session.save()

        started = time.monotonic()
        try:
            site.request(work, "live-%d" % (n % VISITORS))
            answered += 1
        except Exception as error:
            errors.append("%s: %s" % (type(error).__name__, error))
        longest = max(longest, time.monotonic() - started)
        if n == 0:
            print("ready", flush=True)
        # Visitors think between two clicks, and a broken store is not asked a million times.
        stop.wait(0.002)
    write_output({"answered": answered, "longest": longest, "errors": errors})


main()
