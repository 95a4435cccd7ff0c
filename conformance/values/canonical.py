"""A canonical text of values, and its digest: equal for values that are equal in type and content, and for no others.

JSON in the style of RFC 8785: no spaces, keys in order, UTF-8. That standard itself knows no ints beyond 2**53, and
writes 1 and 1.0, 0 and -0.0 alike; here each has a text of its own, and so has what is no JSON.

This is for any Python value, such as the state of a fold: a tuple is no list, a subclass is not its base, and what
would have another text in another process is refused. For contents of stores, which are JSON-like, the crash engine has
a text of its own, which one call of the JSON encoder makes, in a tenth of the time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

#: Larger ints are written in hexadecimal: Python refuses to write very long decimals.
_DECIMAL_BITS = 1024


def digest(value: Any) -> str:
    """Return a short text for a value: the SHA-256 of its canonical text, in hexadecimal.

    Raises:
        TypeError: As `canonical`.
    """
    # A lone surrogate has no UTF-8, but is a value all the same.
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


def canonical(value: Any) -> str:
    """Return the canonical text of a value.

    Raises:
        TypeError: Some part has neither content that is known here nor a `repr` of its own.
    """
    match value:
        case None | True | False:
            return json.dumps(value)
        case int():
            text = format(value, "d") if value.bit_length() <= _DECIMAL_BITS else hex(value)
        case float():
            text = float.__repr__(value)
        case str():
            text = json.dumps(str.__str__(value), ensure_ascii=False)
        case bytes() | bytearray():
            text = f"b{value.hex()!r}"
        case list():
            text = f"[{_joined(map(canonical, value))}]"
        case tuple():
            text = f"({_joined(map(canonical, value))})"
        case dict():
            pairs = sorted(f"{canonical(key)}:{canonical(one)}" for key, one in value.items())
            text = f"{{{_joined(pairs)}}}"
        case set() | frozenset():
            text = f"set({_joined(sorted(map(canonical, value)))})"
        case _:
            return f"{_name(value)}:{_own_repr(value)}"
    return text if type(value) in _PLAIN else f"{_name(value)}:{text}"


#: Of other types, and of the subclasses of these, the name is part of the text.
_PLAIN = (int, float, str, bytes, list, tuple, dict, set)


def _joined(texts: Iterable[str]) -> str:
    return ",".join(texts)


def _name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _own_repr(value: Any) -> str:
    # The `repr` that every object has tells where it lies in memory.
    if getattr(type(value), "__repr__", None) is object.__repr__:
        raise TypeError(f"a {type(value).__name__} has no canonical form: give JSON values")
    return repr(value)
