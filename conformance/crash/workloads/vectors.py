"""Workloads of vectors: records are added, replaced and deleted, one or several at a time."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping

from conformance.crash.subjects import Step


def _add(*keys: str, number: int) -> Step:
    return Step("add", ([[key, number + place] for place, key in enumerate(keys)],))


def _additions(draw: random.Random, _domain: str, _offers: Collection[str]) -> list[Step]:
    last = f"v{draw.randrange(3, 6)}"
    return [
        _add("v0", number=10),
        _add("v1", "v2", number=20),
        _add("v0", number=30),
        Step("delete", (["v1"],)),
        _add("v3", "v2", "v4", number=40),
        _add("v1", number=50),
        Step("delete", (["v0", "v3"],)),
        _add(last, number=60),
    ]


def _reopening(_draw: random.Random, _domain: str, _offers: Collection[str]) -> list[Step]:
    return [
        _add("v0", "v1", number=10),
        _add("v2", number=20),  # not touched again: it tells of a store that took an error for an empty place
        Step("reopen"),
        Step("delete", (["v1"],)),
        _add("v0", "v3", number=30),
        Step("reopen"),
        _add("v1", number=40),
    ]


#: By name; each makes steps from a source of randomness, a domain of values, and what the store offers.
VECTOR_WORKLOADS: Mapping[str, Callable[[random.Random, str, Collection[str]], list[Step]]] = {
    "additions and deletes": _additions,
    "closing and reopening": _reopening,
}
