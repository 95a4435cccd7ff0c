"""Equality as a store must keep it: in type and content."""

from __future__ import annotations

import math
from typing import Any


def same(left: Any, right: Any) -> bool:
    """Tell whether two values are equal in type and content, at every depth.

    Stricter than `==`: `1`, `True` and `1.0` differ, `-0.0` and `0.0` differ, a list is not a tuple. Looser in one
    point: NaN equals NaN. The order of dict keys does not count (RFC 8259, section 4); a dict's keys are compared with
    their types.
    """
    # A stack, not recursion: values may be nested deeper than the interpreter allows calls to be.
    pending = [(left, right)]
    while pending:
        one, other = pending.pop()
        if type(one) is not type(other):
            return False
        if isinstance(one, float):
            if not _same_float(one, other):
                return False
        elif isinstance(one, dict):
            if len(one) != len(other):
                return False
            typed = {(type(key), key): value for key, value in other.items()}
            for key, value in one.items():
                if (type(key), key) not in typed:
                    return False
                pending.append((value, typed[(type(key), key)]))
        elif isinstance(one, (list, tuple)):
            if len(one) != len(other):
                return False
            pending.extend(zip(one, other, strict=True))
        elif one != other:
            return False
    return True


def _same_float(one: float, other: float) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other and math.copysign(1.0, one) == math.copysign(1.0, other)
