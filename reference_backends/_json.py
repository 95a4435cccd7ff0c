"""JSON that is exact: a value goes to text and comes back equal in type and content, or it is refused.

Python's `json` alters silently: it writes a tuple as a list, `{1: "a"}` as `{"1": "a"}` and an IntEnum as a number, and
it reads two lone surrogates as one character. A store must not. `check_key` and `check_value` refuse all of that, with
the place of the culprit in the message; `dumps` checks before it writes, so that no text exists for a refused value.

Accepted beyond RFC 8259, exactly: NaN and the infinities (as `NaN`, `Infinity`, `-Infinity`) and lone surrogates.
"""

from __future__ import annotations

import json
import re
from typing import Any

#: How many lists and dicts may be nested in one another. Far below Python's recursion limit of 1,000, because `json`
#: recurses for each level, and the caller needs stack as well.
DEPTH_MAX = 200

#: As `json.dumps`, which has no encoder at hand that leaves out the search for cycles; `check_value` finds them.
_encode = json.JSONEncoder(check_circular=False).encode

#: `json` reads a high surrogate with a low one behind it as the one character that UTF-16 would make of them.
_SURROGATE_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_SURROGATE_PAIR_REFUSED = "has a high surrogate followed by a low one, which JSON makes one character of."

#: How many digits `int` and `str` convert at once. Python refuses more than 4,300 of them by default, and a program may
#: lower that limit to 640.
_DIGITS_AT_ONCE = 500


def check_key(key: object) -> None:
    """Refuse whatever is not a plain str that survives JSON.

    Args:
        key: The key of a value in a store, or of an item in a dict.

    Raises:
        TypeError: The key is not a str, or of a subclass of str, which would come back as a str.
        ValueError: The key has a high surrogate followed by a low one.
    """
    if type(key) is not str:
        raise TypeError(f"The key {key!r} has type {type(key).__name__}; only a str comes back as it was.")
    if not key.isascii() and _has_surrogate_pair(key):
        raise ValueError(f"The key {key!r} {_SURROGATE_PAIR_REFUSED}")


def check_value(value: object) -> None:
    """Refuse whatever would not come back from JSON equal in type and content. Never recurses.

    Args:
        value: What is to be stored: None, bool, int, float, str, list, dict with str keys, in any mix.

    Raises:
        TypeError: A type outside JSON, at any depth; a subclass is outside, because its type would be lost.
        ValueError: More than `DEPTH_MAX` levels, as in a value that contains itself; or a high surrogate followed by a
            low one.
    """
    # A value that contains itself has endless levels, so that the limit stops the walk there as well.
    waiting: list[tuple[tuple[object, ...], list[Any] | dict[Any, Any]]] = [((), [value])]
    while waiting:
        path, container = waiting.pop()
        if len(path) > DEPTH_MAX:
            raise ValueError(f"value has more than {DEPTH_MAX} levels, or contains itself.")
        if type(container) is dict:
            for key in container:
                if type(key) is not str or not key.isascii():
                    check_key(key)
        for step, item in container.items() if type(container) is dict else enumerate(container):
            kind = type(item)
            if kind is str:
                if not item.isascii() and _has_surrogate_pair(item):
                    raise ValueError(f"{_place((*path, step))} {_SURROGATE_PAIR_REFUSED}")
            elif kind is list or kind is dict:
                waiting.append(((*path, step), item))
            elif not (item is None or kind is bool or kind is int or kind is float):
                raise TypeError(f"{_place((*path, step))} has type {kind.__name__}; JSON would not give that back.")


def dumps(value: object, *, indent: int | None = None) -> str:
    """Return the JSON text of `value`, in ASCII.

    Args:
        value: As for `check_value`, which is asked first.
        indent: Spaces for each level; None for one line. A value with an int of thousands of digits is always one line.

    Raises:
        TypeError: As `check_value`.
        ValueError: As `check_value`.
    """
    check_value(value)
    try:
        return _encode(value) if indent is None else json.dumps(value, indent=indent)
    except ValueError:
        # After the check this can only be an int that is too long for Python's limit on digits.
        return _text(value)


def loads(text: str) -> Any:
    """Return the value that `text` was made of.

    Args:
        text: What `dumps` returned.

    Raises:
        ValueError: This is not JSON, or nested too deep.
    """
    try:
        return json.loads(text, parse_int=_int)
    except RecursionError as error:
        raise ValueError("The text has too many levels to be something that `dumps` wrote.") from error


def _has_surrogate_pair(text: str) -> bool:
    return _SURROGATE_PAIR.search(text) is not None


def _place(path: tuple[object, ...]) -> str:
    """Name the place of an item as Python would reach it; the first step leads to the value itself."""
    return "value" + "".join(f"[{step!r}]" for step in path[1:])


def _text(value: Any) -> str:
    """Return the JSON text of a checked value, whatever the length of its ints."""
    if type(value) is list:
        return "[" + ", ".join([_text(item) for item in value]) + "]"
    if type(value) is dict:
        return "{" + ", ".join([f"{json.dumps(key)}: {_text(item)}" for key, item in value.items()]) + "}"
    return _digits(value) if type(value) is int else json.dumps(value)


def _digits(number: int) -> str:
    """Return the decimal digits of `number`, a piece at a time."""
    pieces = []
    rest = abs(number)
    while rest:
        rest, piece = divmod(rest, 10**_DIGITS_AT_ONCE)
        pieces.append(f"{piece:0{_DIGITS_AT_ONCE}d}")
    digits = "".join(reversed(pieces)).lstrip("0") or "0"
    return f"-{digits}" if number < 0 else digits


def _int(digits: str) -> int:
    """Return the int that `digits` are, a piece at a time."""
    if len(digits) <= _DIGITS_AT_ONCE:
        return int(digits)
    number = 0
    unsigned = digits.removeprefix("-")
    for start in range(0, len(unsigned), _DIGITS_AT_ONCE):
        piece = unsigned[start : start + _DIGITS_AT_ONCE]
        number = number * 10 ** len(piece) + int(piece)
    return -number if digits.startswith("-") else number
