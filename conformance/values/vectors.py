"""Vectors to test with, and what is near: plain floats, every record looked at."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Vector = list[float]

#: How far a 32-bit float may be from the number that was given, as a share of it; one bit more than it has to be.
PRECISION = 2.0**-22
#: How far a score that was reckoned with 32-bit floats may be off, as a share of the lengths that went into it.
SCORE_TOLERANCE = 1e-4


def random_vectors(seed: int, count: int, dimension: int) -> list[Vector]:
    """Return vectors in all directions, none of them zero; their numbers are exact in 32 bits."""
    drawn = random.Random(seed)
    return [[drawn.randint(-512, 512) / 256 or 1.0 for _ in range(dimension)] for _ in range(count)]


def along(dimension: int, *, angle: float, length: float = 1.0) -> Vector:
    """Return a vector of a length at an angle to the first axis; in one dimension an angle is a part of the length."""
    if dimension == 1:
        return [length * math.cos(angle)]
    return [length * math.cos(angle), length * math.sin(angle), *(0.0 for _ in range(dimension - 2))]


def score(metric: str, one: Sequence[float], other: Sequence[float]) -> float:
    """Return the distance of two vectors (`l2`, not squared), or their similarity (`cosine`, `dot`)."""
    if metric == "l2":
        return math.dist(one, other)
    product = math.fsum(a * b for a, b in zip(one, other, strict=True))
    return product / (math.hypot(*one) * math.hypot(*other)) if metric == "cosine" else product


def tolerance(metric: str, one: Sequence[float], other: Sequence[float]) -> float:
    """Return how far a score of two vectors may be off."""
    lengths = (1.0, math.hypot(*one), math.hypot(*other))
    return SCORE_TOLERANCE * (1.0 if metric == "cosine" else max(lengths) ** (2 if metric == "dot" else 1))


def belongs(metric: str, got: float, one: Sequence[float], other: Sequence[float]) -> bool:
    """Tell whether a score may be that of two vectors; of a distance its square may be it, too.

    Near to nothing a distance is far less exact than its square was.
    """
    if metric == "cosine" and not (any(one) and any(other)):
        return False
    wanted, lengths = score(metric, one, other), (1.0, math.hypot(*one), math.hypot(*other))
    if metric == "l2":
        return min(abs(got - wanted**2), abs(got**2 - wanted**2)) <= SCORE_TOLERANCE * max(lengths) ** 2
    return abs(got - wanted) <= tolerance(metric, one, other)


def ranked(metric: str, query: Sequence[float], records: Mapping[str, Sequence[float]]) -> list[tuple[str, float]]:
    """Return the ids of all records with their scores, the nearest first; equal scores in the order of the ids."""
    scored = [(key, score(metric, query, vector)) for key, vector in records.items()]
    return sorted(scored, key=lambda pair: (pair[1] if metric == "l2" else -pair[1], pair[0]))


def close(one: Iterable[float], other: Iterable[float]) -> bool:
    """Tell whether two vectors are the same within the precision of a 32-bit float."""
    left, right = list(one), list(other)
    # What is less than the smallest normal number has fewer bits.
    return len(left) == len(right) and all(
        abs(a - b) <= max(PRECISION * abs(b), 2.0**-126) for a, b in zip(left, right, strict=True)
    )
