"""Turns the text of a Python expression into a value, for tests to say what is in a session."""

import collections
import datetime
import decimal
import fractions
import uuid


class Opaque:
    """A class that no reader but its own application knows."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)

NAMES = {
    "Decimal": decimal.Decimal,
    "Fraction": fractions.Fraction,
    "Opaque": Opaque,
    "OrderedDict": collections.OrderedDict,
    "UUID": uuid.UUID,
    "date": datetime.date,
    "datetime": datetime.datetime,
    "defaultdict": collections.defaultdict,
    "deque": collections.deque,
    "time": datetime.time,
    "timedelta": datetime.timedelta,
    "timezone": datetime.timezone,
}


def value(expression, **names):
    return eval(expression, {**NAMES, **names})
