"""Vectors to test with: exact in 32 bits, and near by the definition of each metric."""

from __future__ import annotations

import math
import struct

import pytest

from conformance.values.vectors import along, belongs, close, random_vectors, ranked, score


def test_random_vectors_are_exact_in_32_bits_and_never_zero() -> None:
    """The same seed gives the same vectors; no number of them is lost in 32 bits, and none is zero."""
    vectors = random_vectors(1, 50, 7)
    assert vectors == random_vectors(1, 50, 7)
    assert vectors != random_vectors(2, 50, 7)
    for vector in vectors:
        assert list(struct.unpack("7f", struct.pack("7f", *vector))) == vector
        assert all(vector)


@pytest.mark.parametrize(("metric", "expected"), [("l2", 5.0), ("dot", 0.0), ("cosine", 0.0)])
def test_scores_are_those_of_the_definition(metric: str, expected: float) -> None:
    """Two vectors at a right angle."""
    assert score(metric, [3.0, 0.0], [0.0, 4.0]) == pytest.approx(expected)


def test_the_cosine_is_that_of_the_angle() -> None:
    """Whatever the lengths."""
    one, other = along(5, angle=0.2, length=3.0), along(5, angle=0.9)
    assert score("cosine", one, other) == pytest.approx(math.cos(0.7))


def test_the_nearest_come_first() -> None:
    """The smallest distance, or the largest similarity; equal ones in the order of their ids."""
    records = {"b": [1.0, 0.0], "a": [1.0, 0.0], "far": [9.0, 1.0]}
    assert [key for key, _ in ranked("l2", [1.0, 0.1], records)] == ["a", "b", "far"]
    assert [key for key, _ in ranked("dot", [1.0, 0.1], records)] == ["far", "a", "b"]


def test_close_is_within_32_bits() -> None:
    """What went through a 32-bit float is close; what lost more, or a number, is not."""
    vector = [1 / 3, -1e-30, 12345.678]
    assert close(struct.unpack("3f", struct.pack("3f", *vector)), vector)
    assert not close([number * (1 + 1e-6) for number in vector], vector)
    assert not close(vector[:2], vector)


@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
def test_scores_belong_to_their_vectors(metric: str) -> None:
    """The score of two vectors, of a distance its square as well, is theirs, and that of another one is not."""
    one, other, third = random_vectors(1, 3, 5)
    wanted = score(metric, one, other)
    assert belongs(metric, wanted * (1 + 1e-6), one, other)
    assert belongs(metric, wanted**2, one, other) == (metric == "l2")
    assert not belongs(metric, score(metric, one, third), one, other)
    assert not belongs("cosine", 0.0, one, [0.0] * 5)
