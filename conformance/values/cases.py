"""Values and keys that broke real stores, by name.

`ACCEPTED_*` lie in the promised domain and must come back equal; `EXACT_OR_REFUSED_*` may also be refused loudly, but
never changed. Each row names what it is about; the bugs behind them are those of the mutant catalogue, groups C3 and
KEY.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import math
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

MEBIBYTE = 2**20


def _nested(depth: int) -> Any:
    value: Any = "bottom"
    for level in range(depth):
        value = [value] if level % 2 else {"down": value}
    return value


def big_text(length: int) -> str:
    """Return a text of `length` characters that repeats a short unit, so that a failure can write it out."""
    return ("0123456789abcdef" * (length // 16 + 1))[:length]


ACCEPTED_VALUES: Mapping[str, Any] = {
    "null": None,
    "true": True,
    "false": False,
    "zero": 0,
    "one": 1,
    "minus one": -1,
    "one as a float": 1.0,
    "zero as a float": 0.0,
    "negative zero": -0.0,
    "2**53 + 1": 2**53 + 1,
    "2**63 - 1": 2**63 - 1,
    "2**63": 2**63,
    "-2**63 - 1": -(2**63) - 1,
    "2**64": 2**64,
    "a hundred digits": 10**100 + 7,
    "0.1 + 0.2": 0.1 + 0.2,
    "smallest subnormal": 5e-324,
    "largest float": 1.7976931348623157e308,
    "1e22": 1e22,
    "empty text": "",
    "a space": " ",
    "text with spaces around": "  padded\t",
    "NUL in text": "a\x00b",
    "NUL alone": "\x00",
    "CR LF": "one\r\ntwo\rthree\n",
    "line separators": "a\u2028b\u2029c\x85d",
    "control characters": "".join(map(chr, range(32))) + "\x7f",
    "byte order mark": "\ufeffa",
    "quotes and backslashes": "'\"\\\\n`${x}{{y}}%s",
    "text that looks like JSON": '{"a": [1, null]}',
    "text that looks like a number": "007",
    "text that looks like null": "null",
    "text that looks like a date": "2026-11-21T00:00:00Z",
    "SQL in text": "'; DROP TABLE state; --",
    "accents, composed": unicodedata.normalize("NFC", "é"),
    "accents, decomposed": unicodedata.normalize("NFD", "é"),
    "beyond the basic plane": "\U0001f600\U0010ffff",
    "empty list": [],
    "empty dict": {},
    "list of nothing": [None],
    "nested empties": [[], {}, [[]], {"a": {}}],
    "empty key in a dict": {"": 1},
    "keys that look like numbers": {"1": "a", "1.0": "b", "01": "c"},
    "keys that look like literals": {"true": 1, "null": 2, "None": 3},
    "keys with dots and dollars": {"a.b": 1, "$set": 2, "__class__": "x", "__type__": 3},
    "keys that differ in case": {"key": 1, "KEY": 2},
    "keys in two normal forms": {unicodedata.normalize("NFC", "é"): 1, unicodedata.normalize("NFD", "é"): 2},
    "keys with NUL and CR LF": {"a\x00b": 1, "a\r\nb": 2},
    "bools beside numbers": [True, 1, 1.0, False, 0, 0.0, -0.0],
    "mixed list": [None, True, 2**70, -0.0, "x", [], {"y": [{}]}],
    "nested 50 deep": _nested(50),
    "a list of 10,000": list(range(10_000)),
    "a text of 64 KiB and one": big_text(64 * 1024 + 1),
    "a text of 1 MiB": big_text(MEBIBYTE),
}

EXACT_OR_REFUSED_VALUES: Mapping[str, Any] = {
    "NaN": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "NaN in a list": [1.0, math.nan],
    "infinity in a dict": {"a": math.inf},
    "lone high surrogate": "a\ud800b",
    "lone low surrogate": "\udc00",
    "surrogate pair as two characters": "\ud83d\ude00",
    "lone surrogate as a dict key": {"\ud800": 1},
    "5,000 digits": 10**5000,
    "nested 900 deep": _nested(900),
    "a text of 8 MiB": big_text(8 * MEBIBYTE),
}


class _Level(enum.IntEnum):
    LOW = 1


class _Point(NamedTuple):
    x: int
    y: int


class _Text(str):
    __slots__ = ()


#: Outside JSON; a store of the `json` domain accepts them exactly or refuses them.
FOREIGN_VALUES: Mapping[str, Any] = {
    "tuple": (1, 2),
    "tuple in a list": [(1, 2)],
    "empty tuple": (),
    "named tuple": _Point(1, 2),
    "set": {1, 2},
    "frozen set": frozenset({1}),
    "bytes": b"\x00\xff",
    "byte array": bytearray(b"ab"),
    "int as a dict key": {1: "a"},
    "1 and '1' as dict keys": {1: "a", "1": "b"},
    "None as a dict key": {None: 1},
    "True as a dict key": {True: 1},
    "float as a dict key": {1.5: 1},
    "complex number": 1 + 2j,
    "decimal": decimal.Decimal("1.10"),
    "date": datetime.date(2026, 11, 21),
    "time with a zone": datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc),
    "time delta": datetime.timedelta(seconds=1),
    "member of an IntEnum": _Level.LOW,
    "subclass of str": _Text("x"),
    "range": range(3),
}

ACCEPTED_BYTES: Mapping[str, bytes] = {
    "empty bytes": b"",
    "every byte": bytes(range(256)),
    "NUL bytes": b"\x00\x00",
    "no UTF-8": b"\xff\xfe\x80",
    "CR LF as bytes": b"a\r\nb\n\r",
    "64 KiB and one": b"0123456789abcdef" * 4096 + b"!",
    "1 MiB of bytes": b"0123456789abcdef" * (MEBIBYTE // 16),
}

ACCEPTED_KEYS: Mapping[str, str] = {
    "plain": "plain",
    "digits": "0",
    "a space": " ",
    "spaces around": " padded ",
    "dot": ".",
    "two dots": "..",
    "hidden file": ".hidden",
    "trailing dot": "name.",
    "slash": "a/b",
    "leading slash": "/etc/passwd",
    "only a slash": "/",
    "double slash": "a//b",
    "trailing slash": "a/",
    "parent path": "../escape",
    "deep parent path": "a/../../b",
    "backslash": "a\\b",
    "Windows path": "C:\\windows\\x",
    "drive": "C:",
    "UNC path": "\\\\host\\share",
    "Windows device": "CON",
    "Windows device with suffix": "NUL.txt",
    "temporary file": "a.tmp",
    "json file": "a.json",
    "database file": "store.db",
    "lock file": ".lock",
    "tilde": "~root",
    "wildcards": "*?[a-z]",
    "SQL wildcards": "100%_",
    "percent escape": "a%2Fb",
    "plus": "a+b",
    "question and hash": "a?b#c",
    "colon": "a:b",
    "at sign and bang": "a@b!c",
    "quotes": "'\"`",
    "SQL": "'; DROP TABLE state; --",
    "template": "{0}%s${x}",
    "newline": "a\nb",
    "CR LF": "a\r\nb",
    "tab": "a\tb",
    "control characters": "\x01\x1f\x7f",
    "next line": "a\x85b",
    "line separator": "a\u2028b",
    "byte order mark": "\ufeffa",
    "zero-width joiner": "a\u200db",
    "right-to-left override": "a\u202eb",
    "emoji": "\U0001f600",
    "composed": unicodedata.normalize("NFC", "café"),
    "sharp s": "straße",
    "dotless i": "ı",
    "looks like null": "null",
    "looks like None": "None",
    "looks like a number": "1.0",
    "looks like JSON": '{"a":1}',
    "dunder": "__class__",
    "dollar": "$where",
    "63 characters": "k" * 63,
    "64 characters": "k" * 64,
    "200 characters": "k" * 200,
}

EXACT_OR_REFUSED_KEYS: Mapping[str, str] = {
    "empty": "",
    "NUL": "\x00",
    "NUL inside": "a\x00b",
    "lone surrogate": "a\ud800b",
    "surrogate pair as two characters": "\ud83d\ude00",
    "256 characters": "k" * 256,
    "255 bytes in 128 characters": "é" * 128,
    "1,000 characters": "k" * 1000,
    "70,000 characters": "k" * 70_000,
}

#: Keys that a store must not take for one another.
NEIGHBOURS: Mapping[str, tuple[str, ...]] = {
    "case": ("key", "Key", "KEY", "kEy"),
    "case beyond ASCII": ("straße", "STRASSE", "strasse", "ı", "i", "I", "İ"),
    "normal forms": (unicodedata.normalize("NFC", "café"), unicodedata.normalize("NFD", "café"), "cafe"),
    "compatibility forms": ("\ufb01", "fi", "\u2460", "1", "\u212b", "\u00c5"),  # ligature, circled one, angstrom
    "spaces around": ("a", " a", "a ", " a ", "a\t", "a\n", "\ufeffa"),
    "NUL": ("a", "a\x00", "a\x00b", "a\x00c"),
    "separators": ("a/b", "a_b", "a-b", "a.b", "a:b", "a\\b", "a b", "ab", "a|b", "a,b"),
    "paths": ("a", "./a", "a/", "a//", "/a", "b/../a", "a/."),
    "escapes of a slash": ("a/b", "a%2Fb", "a%2fb", "a%252Fb", "a\\/b", "a\\x2fb", "a&#47;b", "a=2Fb", "a_2Fb"),
    "percent": ("%", "%25", "%2525", "100%", "100%25"),
    "plus": ("a b", "a+b", "a%20b", "a%2Bb"),
    "suffixes": ("a", "a.json", "a.tmp", "a.lock", "a~", "a.1", "a.bak"),
    # Pairs of one CRC-32, Adler-32, FNV-1, FNV-1a, DJB2, hash of Java and sum: a checksum alone is no name of a key.
    "checksums": (
        *("plumless", "buckeroo", "ccc", "dad", "creamwove", "quists", "costarring", "liquid"),
        *("hetairas", "mentioner", "Aa", "BB", "ab", "ba"),
    ),
    "numbers": ("1", "01", "1.0", "+1", "1e0"),
    "wildcards": ("a_c", "abc", "a%c", "a*c", "a?c", "a[b]c"),
    "prefixes": ("a", "aa", "aaa", "a.a", "a/a"),
    "last character at 32": ("k" * 31 + "x", "k" * 31 + "y"),
    "last character at 65": ("k" * 64 + "x", "k" * 64 + "y"),
    "last character at 129": ("k" * 128 + "x", "k" * 128 + "y"),
    "last character at 200": ("k" * 199 + "x", "k" * 199 + "y"),
    "last character at 256": ("k" * 255 + "x", "k" * 255 + "y"),
    "last character at 1,001": ("k" * 1000 + "x", "k" * 1000 + "y"),
}
