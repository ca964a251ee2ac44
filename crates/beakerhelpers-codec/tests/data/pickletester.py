"""Runs CPython's own tests of pickle and prints every pickle that they write or read, one line for each.

A line has what became of it, the pickle in base64, and the repr of its value in hexadecimal where that is of plain types
only. What became of it is one of

loaded    Python loads it
elsewhere Python loads it with buffers that are kept elsewhere
malformed a test demands that it is refused, for its opcodes alone
failed    it could not be loaded for any other reason

Needs the package `test`, which CPython comes with and Debian has in `libpython3.11-testsuite` and the like.
"""

import base64
import collections
import io
import pickle
import sys
import unittest

from test import pickletester, test_pickle

PLAIN = (type(None), bool, int, float, complex, str, bytes, bytearray)

seen = {}


def is_plain(value, depth=4):
    """Whether the repr of a value follows from its pickle alone. A set may be in another order when it is loaded."""
    if type(value) in PLAIN:
        return not isinstance(value, int) or abs(value) < 1 << 10000
    if depth == 0:
        return False
    if type(value) in (list, tuple) or type(value) in (set, frozenset) and len(value) < 2:
        return all(is_plain(item, depth - 1) for item in value)
    if type(value) is dict:
        return all(is_plain(part, depth - 1) for item in value.items() for part in item)
    return False


def shown(value):
    try:
        return repr(value).encode("utf-8", "backslashreplace").hex() if is_plain(value) else ""
    except Exception:
        return ""


def record(outcome, data, text=""):
    data = bytes(data)
    order = ["failed", "malformed", "elsewhere", "loaded"]
    before = seen.get(data, ("failed", ""))
    if order.index(outcome) >= order.index(before[0]):
        seen[data] = (outcome, text or before[1])


class Recording:
    malformed = False

    def dumps(self, arg, *args, **kwargs):
        data = super().dumps(arg, *args, **kwargs)
        # What is not its own type, or calls back, is recorded when it is loaded.
        if not kwargs and not hasattr(self, "persistent_id"):
            record("failed", data, shown(arg))
        return data

    def loads(self, data, **kwargs):
        try:
            value = super().loads(data, **kwargs)
        except BaseException:
            record("malformed" if self.malformed else "failed", data)
            raise
        # What an application's own names stand for is not in the pickle.
        plain = not kwargs and not hasattr(self, "persistent_load")
        record("elsewhere" if kwargs.get("buffers") is not None else "loaded", data, shown(value) if plain else "")
        return value

    def check_unpickling_error(self, errors, data):
        self.malformed = True
        super().check_unpickling_error(errors, data)
        self.malformed = False


def main():
    suite = unittest.TestSuite()
    for name, case in sorted(vars(test_pickle).items()):
        if isinstance(case, type) and issubclass(case, unittest.TestCase) and hasattr(case, "loads"):
            # The names of its classes are found in this module.
            recording = type(name, (Recording, case), {"__module__": test_pickle.__name__})
            suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(recording))
    result = unittest.TextTestRunner(stream=io.StringIO(), verbosity=0).run(suite)
    # Those that demand it are about this module, or about pickles that were taken here.
    print("ran", result.testsRun, len(result.failures) + len(result.errors), sep="|")
    for module in (pickletester, test_pickle):
        for value in vars(module).values():
            if isinstance(value, bytes) and value.endswith(b".") and len(value) > 1:
                try:
                    record("loaded", value, shown(pickle.loads(value)))
                except Exception:
                    record("failed", value)
    for data, (outcome, text) in seen.items():
        print(outcome, base64.b64encode(data).decode(), text, sep="|")
    for failed, traceback in result.failures + result.errors:
        print("test", failed, traceback, file=sys.stderr)


main()
