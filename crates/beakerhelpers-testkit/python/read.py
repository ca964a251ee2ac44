"""Prints what Beaker loads: read.py INI [PREFIX], the list of ids as JSON on standard input.

Gives for each id null where Beaker finds no session or one that has timed out, else for each key the type and the
`str()` of the value. `_accessed_time` is the time of this reading: Beaker sets it when it loads. The store is not
changed.
"""

import sys

from beaker_site import Site, read_input, write_output


def load(site, session_id):
    session = site.request(lambda session: session.get_by_id(session_id))
    if session is None:
        return None
    return {str(key): [type(value).__name__, str(value)] for key, value in session.items()}


def main():
    site = Site(*sys.argv[1:])
    write_output([load(site, session_id) for session_id in read_input()])


main()
