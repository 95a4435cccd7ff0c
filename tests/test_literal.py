"""Values as Python source."""

from __future__ import annotations

import pytest
from hypothesis import given

from conformance.literal import literal
from conformance.values.equality import same
from conformance.values.strategies import json_values


@given(json_values())
def test_short_values_are_exact(value: object) -> None:
    """What is written out evaluates to the value."""
    source = literal(value, limit=10_000)
    if "…" not in source:
        assert same(eval(source), value)


@pytest.mark.parametrize("value", ["x" * 8_000_000, "0123456789abcdef" * 1000 + "0123", b"ab" * 5_000])
def test_long_texts_that_repeat_are_written_as_products(value: object) -> None:
    """A long text that repeats a unit is written in a few characters, exactly."""
    source = literal(value)
    assert len(source) < 80
    assert eval(source) == value


@pytest.mark.parametrize(
    "value", [list(range(100_000)), {str(n): n for n in range(10_000)}, "".join(map(chr, range(33, 5_000))), 10**4000]
)
def test_long_values_are_cut(value: object) -> None:
    """What is too long is cut, and says how long it is."""
    source = literal(value, limit=400)
    assert len(source) < 700
    assert "…" in source


def test_numbers_without_a_literal_are_calls() -> None:
    """NaN and infinities are written so that they can be run."""
    assert literal([float("nan"), float("-inf")]) == "[float('nan'), float('-inf')]"


def test_deep_values_are_cut() -> None:
    """A value nested deeper than calls may be is cut, and raises nothing."""
    value: object = 1
    for _ in range(5_000):
        value = [value]
    assert "… (deeper)" in literal(value)


def test_an_object_without_a_repr_is_named() -> None:
    """An object whose repr raises is shown by its type."""

    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    assert literal(Broken()) == "<Broken whose repr raised RuntimeError>"


def test_tuples_of_one_keep_their_comma() -> None:
    """A tuple of one is written as one."""
    assert literal((1,)) == "(1,)"
    assert literal(()) == "()"
