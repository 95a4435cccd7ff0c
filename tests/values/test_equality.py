"""Equality in type and content."""

from __future__ import annotations

import math

import pytest
from hypothesis import given

from conformance.values.equality import same
from conformance.values.strategies import json_values


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        ([1], (1,)),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({1: "a"}, {True: "a"}),
        ({1: "a"}, {"1": "a"}),
        (math.nan, 0.0),
        ([[[0.0]]], [[[-0.0]]]),
        (b"a", bytearray(b"a")),
        ("\u00e9", "e\u0301"),
    ],
)
def test_values_that_python_or_a_store_confuses_are_not_the_same(left: object, right: object) -> None:
    """Values of other types or with other signs differ, at any depth, either way round."""
    assert not same(left, right)
    assert not same(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (math.nan, math.nan),
        ([math.nan], [float("nan")]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (-0.0, -0.0),
        ((1, [2]), (1, [2])),
        (2**100, 2**100),
    ],
)
def test_equal_values_are_the_same(left: object, right: object) -> None:
    """NaN equals NaN, and the order of keys does not count."""
    assert same(left, right)


def test_depth_is_no_limit() -> None:
    """Values nested deeper than Python allows calls to be are compared."""
    left: list[object] = []
    right: list[object] = []
    for _ in range(100_000):
        left, right = [left], [right]
    assert same(left, right)


@given(json_values())
def test_every_value_is_the_same_as_itself(value: object) -> None:
    """Equality is reflexive for whatever the strategies make."""
    assert same(value, value)
