"""Prints session objects as session2 pickles them: run by Python 2.7, `python2.7 session2.py > session2.txt`.

session2 itself is no longer to be had from PyPI. The classes here have the names, the modules, the kinds (of the old
style, derived from UserDict, of the new style as applications derive them) and the attributes of session2 0.6, which is
all that a pickle tells of them.
"""

import binascii
import pickle
import sys
import types
import UserDict


def module(name):
    made = types.ModuleType(name)
    sys.modules[name] = made
    return made


def publish(cls, name):
    cls.__module__ = name
    setattr(sys.modules[name], cls.__name__, cls)


for name in ["session2", "session2.Session", "session2.DictSession", "shop"]:
    module(name)


class Session:
    def __init__(self, id):
        self.id = id
        self.user = None
        self._remote_address = "192.0.2.7"
        self._creation_time = self._access_time = 1118664000.25


class DictSession(UserDict.UserDict, Session):
    def __init__(self, id):
        Session.__init__(self, id)
        UserDict.UserDict.__init__(self)


class ShopSession(Session, object):
    pass


class SlotSession(Session, object):
    __slots__ = ["basket"]


publish(Session, "session2.Session")
publish(DictSession, "session2.DictSession")
publish(ShopSession, "shop")
publish(SlotSession, "shop")


def sessions():
    plain = Session("0f1e2d3c4b5a6978")
    plain.user = u"jos\xe9"
    yield "old-style", plain
    keyed = DictSession("0f1e2d3c4b5a6978")
    keyed.user = "joe"
    keyed["cart"] = [1, 2]
    yield "userdict", keyed
    shop = ShopSession("0f1e2d3c4b5a6978")
    shop.user = "joe"
    shop._access_time = 1118664060
    shop.friend = plain
    yield "new-style", shop
    slots = SlotSession("0f1e2d3c4b5a6978")
    slots.user = "joe"
    slots.basket = (1, 2)
    yield "slots", slots


for name, session in sessions():
    for protocol in 0, 1, 2:
        if name != "slots" or protocol == 2:
            print("%s %d %s" % (name, protocol, binascii.hexlify(pickle.dumps(session, protocol))))
