"""Values as Python source: exact where that stays short, and never megabytes of it."""

from __future__ import annotations

import math
from typing import Any

#: Longer texts are written as a repetition where they are one, else cut with a note of their length.
PLAIN_LIMIT = 100


#: Deeper parts are not written out; far below the depth of calls that Python allows.
DEPTH_LIMIT = 60


def literal(value: Any, limit: int = 400, depth: int = 0) -> str:
    """Return Python source for `value`, cut to about `limit` characters.

    Floats that have no literal are written as calls (`float('nan')`); long texts that repeat a short unit as a product
    (`'x' * 8388608`). What is cut ends in `…` and so is not valid source.
    """
    if isinstance(value, (str, bytes)) and len(value) > PLAIN_LIMIT:
        return _long(value)
    if type(value) is float and not math.isfinite(value):
        return f"float('{value}')"
    if type(value) in (list, tuple, dict) and depth > DEPTH_LIMIT:
        return "… (deeper)"
    if type(value) is list or type(value) is tuple:
        return _sequence(value, limit, depth)
    if type(value) is dict:
        return _mapping(value, limit, depth)
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - a store's own repr may raise anything
        return f"<{type(value).__name__} whose repr raised {type(error).__name__}>"
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def _long(value: str | bytes) -> str:
    for unit in range(1, 33):
        head, times = value[:unit], len(value) // unit
        if value[unit:PLAIN_LIMIT] != value[: PLAIN_LIMIT - unit]:
            continue  # or each unit would make a text of megabytes to compare with
        rest = value[times * unit :]
        if head * times == value[: times * unit] and head.startswith(rest):  # type: ignore[arg-type]
            return f"{head!r} * {times}" + (f" + {rest!r}" if rest else "")
    kind = "characters" if isinstance(value, str) else "bytes"
    return f"{value[:PLAIN_LIMIT]!r}… ({len(value)} {kind})"


def _sequence(values: list[Any] | tuple[Any, ...], limit: int, depth: int) -> str:
    opening, closing = ("[", "]") if isinstance(values, list) else ("(", ",)" if len(values) == 1 else ")")
    return _joined(opening, closing, (literal(v, limit, depth + 1) for v in values), len(values), limit)


def _mapping(values: dict[Any, Any], limit: int, depth: int) -> str:
    pairs = (f"{literal(k, limit, depth + 1)}: {literal(v, limit, depth + 1)}" for k, v in values.items())
    return _joined("{", "}", pairs, len(values), limit)


def _joined(opening: str, closing: str, parts: Any, count: int, limit: int) -> str:
    shown: list[str] = []
    length = 0
    for part in parts:
        if shown and length + len(part) > limit:
            return f"{opening}{', '.join(shown)}, … ({count} items){closing}"
        shown.append(part)
        length += len(part) + 2
    return opening + ", ".join(shown) + closing
