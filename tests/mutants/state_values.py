"""State stores that change values, or share them with the caller."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reference_backends._json import dumps
from tests.mutants.base import PlainState, state_mutant


class MissingIsNone(PlainState):
    def __getitem__(self, key: str) -> Any:
        return super().__getitem__(key) if key in self.keys() else None

    def __contains__(self, key: object) -> bool:
        return key in self.keys()


def changing(change: Callable[[Any], Any], *, deep: bool = True) -> Callable[[Path], Any]:
    """Return a store that changes every value, or every part of it, before it stores it."""

    class Changing(PlainState):
        def __setitem__(self, key: str, value: Any) -> None:
            super().__setitem__(key, _everywhere(value, change) if deep else change(value))

    return Changing


def _everywhere(value: Any, change: Callable[[Any], Any]) -> Any:
    value = change(value)
    if type(value) is list:
        return [_everywhere(part, change) for part in value]
    if type(value) is dict:
        return {change(key): _everywhere(part, change) for key, part in value.items()}
    return value


def _newlines(value: Any) -> Any:
    return value.replace("\r\n", "\n") if type(value) is str else value


def _through_float(value: Any) -> Any:
    return int(float(value)) if type(value) is int and abs(value) < 2**1000 else value


def _lists_reversed(value: Any) -> Any:
    return value[::-1] if type(value) is list else value


def _nan_to_null(value: Any) -> Any:
    return None if type(value) is float and not math.isfinite(value) else value


def _surrogates_replaced(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if type(value) is str else value


def _tuple_to_list(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _keys_to_text(value: Any) -> Any:
    return {str(key): part for key, part in value.items()} if type(value) is dict else value


def _dates_to_text(value: Any) -> Any:
    return str(value) if isinstance(value, (datetime.date, datetime.timedelta)) else value


def _cut_at_depth_100(value: Any) -> Any:
    inner, depth = value, 0
    while isinstance(inner, (list, dict)) and len(inner) == 1:
        parent, inner = inner, next(iter(inner.values() if isinstance(inner, dict) else inner))
        depth += 1
        if depth == 100:
            parent[0 if isinstance(parent, list) else next(iter(parent))] = None
            break
    return value


def _deep_cut(value: Any) -> Any:
    from conformance.values.cases import _nested

    return _cut_at_depth_100(_nested(900)) if isinstance(value, (list, dict)) and _depth(value) > 100 else value


def _depth(value: Any) -> int:
    depth = 0
    while isinstance(value, (list, dict)) and value:
        value = next(iter(value.values() if isinstance(value, dict) else value))
        depth += 1
    return depth


def _cut_at_64_kib(value: Any) -> Any:
    return value[: 64 * 1024] if type(value) is str else value


class EmptyMeansDelete(PlainState):
    def __setitem__(self, key: str, value: Any) -> None:
        if value or value is False or value == 0:
            super().__setitem__(key, value)
        else:
            self.pop(key, None)


class ExactUntilReopened(PlainState):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._cache: dict[str, Any] = {}

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value if not isinstance(value, float) else str(value))
        self._cache[key] = value

    def __getitem__(self, key: str) -> Any:
        stored = super().__getitem__(key)
        return self._cache.get(key, stored)


class AliasOnPut(PlainState):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._live: dict[str, Any] = {}

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._live[key] = value

    def __getitem__(self, key: str) -> Any:
        stored = super().__getitem__(key)
        return self._live.get(key, stored)


class AliasOnGet(PlainState):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._read: dict[str, Any] = {}

    def __setitem__(self, key: str, value: Any) -> None:
        self._read.pop(key, None)
        super().__setitem__(key, value)

    def __getitem__(self, key: str) -> Any:
        if key not in self._read:
            self._read[key] = super().__getitem__(key)
        return self._read[key]


class DecodedOnce(PlainState):
    """Does not decode again what is as it was when it was read last."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._decoded: dict[str, tuple[str, Any]] = {}

    def __getitem__(self, key: str) -> Any:
        fresh = super().__getitem__(key)
        text = dumps(fresh)
        before, value = self._decoded.get(key, ("", None))
        if before != text:
            self._decoded[key] = text, fresh
            return fresh
        return value


class EncodedOnce(DecodedOnce):
    """Takes what was written for the decoded form of it."""

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._decoded[key] = dumps(value), value


MUTANTS = [
    state_mutant("missing_is_none", "a missing key reads as None", ("STATE-BASIC-01",), MissingIsNone),
    state_mutant("newline_translation", "CR LF becomes LF", ("STATE-VALUE-01",), changing(_newlines)),
    state_mutant("ints_through_float", "2**53 + 1 is rounded", ("STATE-VALUE-01",), changing(_through_float)),
    state_mutant("lists_reversed", "lists come back reversed", ("STATE-VALUE-02",), changing(_lists_reversed)),
    state_mutant("exact_until_reopened", "floats become texts on disk", ("STATE-VALUE-03",), ExactUntilReopened),
    state_mutant("nan_to_null", "NaN and infinities become None", ("STATE-VALUE-04",), changing(_nan_to_null)),
    state_mutant("surrogate_replaced", "surrogates become ?", ("STATE-VALUE-05",), changing(_surrogates_replaced)),
    state_mutant(
        "deep_values_cut", "what lies 100 deep is dropped", ("STATE-VALUE-06",), changing(_deep_cut, deep=False)
    ),
    state_mutant("tuple_to_list", "tuples become lists", ("STATE-VALUE-07",), changing(_tuple_to_list)),
    state_mutant("int_key_to_str", "keys of dicts become texts", ("STATE-VALUE-08",), changing(_keys_to_text)),
    state_mutant("datetime_to_str", "dates become texts", ("STATE-VALUE-09",), changing(_dates_to_text)),
    state_mutant(
        "cut_at_64_kib", "texts end at 64 KiB", ("STATE-VALUE-10", "STATE-VALUE-01"), changing(_cut_at_64_kib)
    ),
    state_mutant("empty_means_delete", "an empty value deletes its key", ("STATE-VALUE-11",), EmptyMeansDelete),
    state_mutant("alias_on_put", "keeps the caller's object", ("STATE-ALIAS-01",), AliasOnPut),
    state_mutant("alias_on_get", "hands out its own object", ("STATE-ALIAS-02",), AliasOnGet),
    state_mutant("encoded_once", "keeps the caller's object beside its text", ("STATE-ALIAS-01",), EncodedOnce),
    state_mutant("decoded_once", "keeps what it read beside its text", ("STATE-ALIAS-02",), DecodedOnce),
]
