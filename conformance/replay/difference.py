"""Where two documents part: a path, and what is there in both.

Source: the paths of JSONPath (RFC 9535), as far as they name one place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from conformance.literal import literal
from conformance.values.canonical import canonical

#: Characters of a value that are shown.
_SHOWN = 60


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


_MISSING = _Missing()


def difference(one: Any, other: Any, names: tuple[str, str] = ("here", "there")) -> str:
    """Return the first place in which two documents differ, e.g. `$.orders[3].total: 12 here, 13 there`; empty if none.

    Args:
        one: A document.
        other: Another.
        names: What they are called.
    """
    for path, left, right in _differences("$", one, other):
        return f"{path}: {_shown(left)} {names[0]}, {_shown(right)} {names[1]}"
    return ""


def _differences(path: str, one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    if canonical(one) == canonical(other):
        return
    if type(one) is not type(other) or not isinstance(one, (dict, list, tuple)):
        yield path, one, other
    elif isinstance(one, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            yield from _differences(path + _step(key), one.get(key, _MISSING), other.get(key, _MISSING))
        yield path, one, other  # keys that are equal and of other types
    else:
        for place in range(max(len(one), len(other))):
            left, right = (each[place] if place < len(each) else _MISSING for each in (one, other))
            yield from _differences(f"{path}[{place}]", left, right)


def _step(key: Any) -> str:
    if isinstance(key, str) and key.isidentifier():
        return f".{key}"
    return f"[{json.dumps(key, ensure_ascii=False) if isinstance(key, str) else literal(key)}]"


def _shown(value: Any) -> str:
    return literal(value, _SHOWN)
