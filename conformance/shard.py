"""A shard: one of n parts of the checks of a run, each judged by itself, perhaps on another machine.

Which part a check is in follows from the checks that a full run of the backend carries out, and from nothing else: not
from what `-k` selects, not from an order, not from chance, and not from the machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from conformance.check import Check

#: How a shard is written.
_FORM = re.compile(r"([1-9][0-9]*)/([1-9][0-9]*)")
#: Shards that a run can be divided into where nobody knows how many checks it has: more than any kit has.
MOST = 10_000


@dataclass(frozen=True)
class Shard:
    """One part of several.

    Args:
        number: Which, from 1 on.
        of: How many there are.
    """

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def shard_of(text: str, most: int = MOST) -> Shard:
    """Return the shard that a text names.

    Args:
        text: As `str(Shard)`.
        most: How many there can be: what has no check judges nothing.

    Raises:
        ValueError: It names none, or one of too many.
    """
    found = _FORM.fullmatch(text)
    # Digits are counted first: Python makes no number of thousands of them.
    if found is not None and (len(found[2]) > len(str(most)) or int(found[2]) > most):
        shown = text if len(text) <= 40 else f"{text[:40]}..."
        raise ValueError(f"{shown!r} has more shards than there are checks: give at most {most}")
    if found is None or len(found[1]) > len(found[2]) or int(found[1]) > int(found[2]):
        raise ValueError(f"{text!r} is not i/n with whole numbers and 1 <= i <= n, such as 2/5")
    return Shard(int(found[1]), int(found[2]))


def numbers_of(expected: Sequence[Check], count: int) -> Mapping[str, int]:
    """Return by code the number of the shard that each check of a backend is in.

    The checks of a file stay together, because many of them judge what was recorded and explored once. Each file goes
    to the shard that has the fewest checks of its suite so far, then the fewest of all: a suite costs what none of the
    others costs. The largest files go first (Graham, Bounds on Multiprocessing Timing Anomalies, 1969).

    Args:
        expected: What a full run carries out for the backend.
        count: How many shards there are.
    """
    files: dict[tuple[str, str], list[str]] = {}
    for check in expected:
        files.setdefault((check.suite, check.file), []).append(check.code)
    found: dict[str, int] = {}
    has: dict[tuple[str, int], int] = {}
    for (suite, _), codes in sorted(files.items(), key=lambda one: (-len(one[1]), one[0])):
        number = min(range(1, count + 1), key=lambda n: (has.get((suite, n), 0), has.get(("", n), 0), n))
        found.update(dict.fromkeys(codes, number))
        for name in (suite, ""):
            has[name, number] = has.get((name, number), 0) + len(codes)
    return found


def missing_from(shards: Sequence[str]) -> list[str]:
    """Return the shards that are missing beside those named to be a whole run; none where a whole run is named.

    Args:
        shards: As `str(Shard)`, empty for a whole run.
    """
    counts = {shard_of(text).of for text in shards if text}
    left = [[f"{n}/{count}" for n in range(1, count + 1) if f"{n}/{count}" not in shards] for count in sorted(counts)]
    return [] if "" in shards else min(left, key=len, default=[])
