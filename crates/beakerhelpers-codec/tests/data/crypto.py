"""Lets Beaker encrypt sessions, and decrypt them.

crypto.py encrypt prints a line for each crypto module, serializer and size of the nonce that this Beaker has: module,
serializer, bits and the text that it would store. crypto.py decrypt reads such lines on the standard input and prints
what Beaker finds in each text, as repr() of a sorted list.
"""

import sys

from beaker import crypto
from beaker.session import Session

KEYS = {"encrypt_key": "enc-key-0123456789", "validate_key": "val-key-9876543210"}
CONTENTS = {"_creation_time": 1795205176.25, "user_name": "joe", "n": 7}
MODULES = ["default", "pycrypto", "pycryptodome", "cryptography", "none"]


def session(module, serializer, bits):
    if module == "none":
        # What Beaker makes the default where it finds no library (crypto/__init__.py, load_default_module).
        from beaker.crypto import noencryption

        crypto.register_crypto_module("none", noencryption)
    options = dict(KEYS, crypto_type=module, data_serializer=serializer, encrypt_nonce_bits=int(bits))
    return Session({}, use_cookies=False, type="memory", **options)


def encrypt():
    for module in MODULES:
        for serializer in ["pickle", "json"]:
            for bits in [48, 128, 256]:
                try:
                    text = session(module, serializer, bits)._encrypt_data(CONTENTS)
                except crypto.InvalidCryptoBackendError:
                    # `pycryptodome` is a name since 1.14.
                    continue
                print("|".join([module, serializer, str(bits), text]))


def decrypt():
    for line in sys.stdin:
        module, serializer, bits, text = line.strip().split("|")
        print(sorted(session(module, serializer, bits)._decrypt_data(text).items()))


{"encrypt": encrypt, "decrypt": decrypt}[sys.argv[1]]()
