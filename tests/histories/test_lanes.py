"""Lanes: a picture of a history in text, and as data."""

from __future__ import annotations

import json
import random

from conformance.histories.lanes import COLUMNS_MAX, lane_data, lanes
from conformance.histories.operation import NEVER, Operation

HISTORY = [
    Operation(10, 20, 7, "put", 0, 178),
    Operation(30, 40, 9, "put", 0, 182),
    Operation(35, NEVER, 7, "put", 0, 183, outcome="info"),
    Operation(50, 60, 9, "get", 0, answer=178),
]


def test_one_line_for_each_operation() -> None:
    """By worker, then by call; witnesses are marked, and what never returned has no end."""
    text = lanes(HISTORY, [HISTORY[0], HISTORY[3]])
    assert [line.split()[0] for line in text] == ["w1", "w1", "w2", "w2"]
    assert [line.endswith(" ◀") for line in text] == [True, False, False, True]
    assert [line.count("├") for line in text] == [1, 1, 1, 1]
    assert [line.count("┤") for line in text] == [1, 0, 1, 1]
    assert "…" in text[1]
    assert text[1].endswith("put(0, 183) ?")


def test_bars_overlap_as_the_operations_do() -> None:
    """A bar begins behind the end of another just if the operation was called after the other returned."""
    text = lanes(HISTORY)
    first, crashed, second, last = text
    assert first.index("┤") < second.index("├") < crashed.index("├") < second.index("┤") < last.index("├")


def test_operations_that_touch_overlap() -> None:
    """At the same time calls come first."""
    first, second = lanes([Operation(0, 5, 1, "put", 0, 1), Operation(5, 9, 2, "put", 0, 2)])
    assert second.index("├") < first.index("┤")


def test_no_line_is_too_long() -> None:
    """Long words are cut, and a long axis is squeezed."""
    draw = random.Random(12)
    for size in (1, 3, 30, 300):
        history = [
            Operation(call, call + draw.randint(0, 20), call % 120, "put", "k" * draw.randint(1, 90), call)
            for call in range(size)
        ]
        text = lanes(history, history)
        assert len(text) == size
        assert all(len(line) <= COLUMNS_MAX for line in text)
        assert len({line.rindex("◀") for line in text}) == 1


def test_no_operations_no_lines() -> None:
    """An empty history has an empty picture."""
    assert lanes([]) == []


def test_data_are_plain() -> None:
    """A drawing needs nothing but what JSON can hold, whatever the keys and values."""
    odd = Operation(0, 1, 0, "put", ("a", b"\xff"), frozenset({1}))
    data = lane_data([odd, *HISTORY], [odd])
    assert json.loads(json.dumps(data)) == data
    assert data["workers"] == ["w1", "w2", "w3"]
    assert data["ranks"] == 9
    assert [one["witness"] for one in data["operations"]] == [True, False, False, False, False]
    assert [one["end"] is None for one in data["operations"]] == [False, False, True, False, False]
    assert data["stops"] is None
    assert lane_data(HISTORY, stops=HISTORY[0])["stops"] == lane_data(HISTORY)["operations"][0]["end"]
    assert data["operations"][0]["label"] == "put(('a', b'\\xff'), frozenset({1}))"
