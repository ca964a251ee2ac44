//! The texts, by OpenSSL 3.0 and pyca/cryptography 50.

use beakerhelpers_codec::Cipher;

/// `{'_creation_time': 1795205176.25, 'user_name': 'joe', 'n': 7}`, with the nonces that 48 and 128 bits give.
pub(super) const SEALED: [(Cipher, u32, &str); 9] = [
    (
        Cipher::AesEcb,
        48,
        "AAECAwQFxCmSSlAE/lTalMLWbcldO5W9wwPTgYoH1/34l1BDyKbo2qsm+iRcTs0A8CyOe6jNFsf+yFlovEenpUzk0OnhCL7BlxCjVbnO3gvl35SktNg=",
    ),
    (
        Cipher::AesCbc,
        48,
        "AAECAwQFxCmSSlAE/lTalMLWbcldOySNoSOBHT5/srANhJ+p6xwjAK1/5++wZrmZHQW+xtQoLjABsIzPE0wObF6PHNK8a4ts2h5OFl9mErjHgB551UE=",
    ),
    (
        Cipher::AesCtr,
        48,
        "AAECAwQF7NYabpy3Qj4AUvZT3beX2N3GPNHscEFXAvV4B2D33Gv4MFDIrFUl81jCC5Q8xQLkL2ZLPxKPDiva8A3Mg5aeWQ6+DsOPbQZQbGU=",
    ),
    (
        Cipher::AesGcm,
        48,
        "AAECAwQFZGVmZ2hpamtsbW5vjH1K/3NObXW6SCsRiEMMUSuUY6cmo5qqlLMOXef2cEufTIcBz6dAZRxQKW+F6f4GX5qm+TnWV/A+sIqrQ0Rv+gpvbnnz6R1o37PLgjwftTgiGJ116T+EjT5U",
    ),
    (
        Cipher::AesEcb,
        128,
        "AAECAwQFBgcICQoLDA0ODw==K212izroF3G9aQRlllCbyo7ARPer1S+Id2lVLZGjwfdRqcR4IB9lcrhVco9zWq19qPfXLEXebpmGhhx7Qb70EoDSjxi+AG1D4taS5eBycYU=",
    ),
    (
        Cipher::AesCbc,
        128,
        "AAECAwQFBgcICQoLDA0ODw==K212izroF3G9aQRlllCbyhkfwvtVe9QNyvZ2ti8bM2mxA5qJqZVngcGyaQ5HzbfHRDenrTfI0Jkjo5V2+rplpyDd+0ZCsqgbT7ll0tVYRig=",
    ),
    (
        Cipher::AesCtr,
        128,
        "AAECAwQFBgcICQoLDA0ODw==iOSBhoBOy1ZINsT6MvmC4mcrJis7GY4kMAJ46IMKsTrhjJpROL8nxHWhQAXcbTSyd+65yZuq5vzWa2XTJy1+LxvSMVDX8oB3Dek=",
    ),
    (
        Cipher::AesGcm,
        128,
        "AAECAwQFBgcICQoLDA0ODw==ZGVmZ2hpamtsbW5vn3xlWK+OZJ2ABpn9iwN+C3nwJ7n+v5GIfvh4dGmH22FpHz9PV11MqsQvxNkj2ckItqhz4bTqBVcv3zqemvYo81/FxMHGslZyct9Z1VMhvj+xIO2IlpiB/YmM",
    ),
    (
        Cipher::Null,
        128,
        "AAECAwQFBgcICQoLDA0ODw==gAJ9cQAoWA4AAABfY3JlYXRpb25fdGltZXEBR0HawCoOEAAAWAkAAAB1c2VyX25hbWVxAlgDAAAAam9lcQNYAQAAAG5xBEsHdS4=",
    ),
];

/// The same session in AES-256-CTR, with nonces of so many bits.
pub(super) const NONCES: [(u32, &str); 6] = [
    (0, "gHp9x3q0QzJ5DdDoVhaJcd6rdcTluMdEkDp2u3DQTkdg/T204oEjzu1sR231D8Cyk6w10Y/idp8AwESrwx3d0FbaMLy2pDwFhE0="),
    (8, "AA==1noOEXWGuAsnHgLfMSALwTftMiYtymYD0+1ox2ycZcERlm9fXlzGZvIUKluzksPJaX9vTwh7B0bWpiCs42RUTnFLR6T68V+ic+k="),
    (24, "AAEC1iOWsKqU1CSwldP6AlxGSos2QW/zkAKE5OYo4X4VlTOI5Xu5bs71j/9uF+nrXYPzLhvEIK0eqVh/Upi3e3fnuq53DZNN3SZ+73M="),
    (
        144,
        "AAECAwQFBgcICQoLDA0ODxARnIi1acq+v49gGlcWpvZhEcB43cYI62KODHOOXNqRgDMLh/te3lU0D1q0tmPazQOqlu2riFLS5D8P1PVYXW22S2epPHLm3bkMg2s=",
    ),
    (
        192,
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXaSjWR1PbZCKvGPCpTDvZtAeWHXyTNMiZOW71EGg2rmscNCWGlBavXFf4I+Wd5UW7+/+sx45+u86SUXfzCovvCsF/olebgCZ47ZI=",
    ),
    (
        256,
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=zoQZRkpo4XyeJMCIwshEq8wJb29Ks4wDa8FgDSl/eASdFZ1J871uSUcLXk/WpeqV9TB1Yq15wW3ED/U3gjkD5G41aEw/IsFTZyg=",
    ),
];

/// `{'k': 'x' * 26}`, whose pickle is of 48 bytes.
pub(super) const WHOLE_BLOCKS: [(Cipher, &str); 2] = [
    (
        Cipher::AesEcb,
        "AAECAwQF5RKKKcWJRGQAEuoZUv8ugRof1l4IdSQS9vTkEHTbrn4lHntb9a/EDamDjGRYr6sAzVVfjPPE/gwxHJiV7P0ARQ==",
    ),
    (
        Cipher::AesCbc,
        "AAECAwQF5RKKKcWJRGQAEuoZUv8ugbbG5iZQro22EsU59FejMeaH829rn1AJv0srKcT5LAAa0KXxtB5EkibYdvycXme8aQ==",
    ),
];
