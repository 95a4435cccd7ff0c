"""Where documents part: the first place, as a path, with both values."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.replay.difference import difference


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        ({"a": 1}, {"a": 1}, ""),
        (
            {"orders": [1, 2, 3, {"total": 12}]},
            {"orders": [1, 2, 3, {"total": 13}]},
            "$.orders[3].total: 12 here, 13 there",
        ),
        (1, True, "$: 1 here, True there"),
        ([1, 1.0], [1, 1], "$[1]: 1.0 here, 1 there"),
        ({"a b": 0.0}, {"a b": -0.0}, '$["a b"]: 0.0 here, -0.0 there'),
        ({}, {"a": None}, "$.a: nothing here, None there"),
        ({"a": 1, "b": 2}, {"b": 2}, "$.a: 1 here, nothing there"),
        ([1], [1, 2], "$[1]: nothing here, 2 there"),
        ({1: "x"}, {"1": "x"}, "$[1]: 'x' here, nothing there"),
        ({1: "x"}, {True: "x"}, "$: {1: 'x'} here, {True: 'x'} there"),
        ((1, 2), [1, 2], "$: (1, 2) here, [1, 2] there"),
        ({1, 2}, {1, 3}, "$: {1, 2} here, {1, 3} there"),
    ],
)
def test_the_first_difference_is_shown(one: Any, other: Any, shown: str) -> None:
    """A path leads to the first place that differs in type or content; equal documents give no text."""
    assert difference(one, other) == shown


def test_values_are_called_as_they_are() -> None:
    """Who asks names the two, and long values are cut."""
    shown = difference("x", [0] * 100, ("read", "appended"))
    assert shown.startswith("$: 'x' read, [0, 0,")
    assert shown.endswith("appended")
    assert len(shown) < 150
