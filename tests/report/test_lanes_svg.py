"""A history as SVG: whole, by itself, and true to the calls."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from conformance.histories.lanes import lane_data
from conformance.histories.operation import NEVER, Operation
from conformance.report.lanes_svg import lanes_svg

SVG = "{http://www.w3.org/2000/svg}"
PUT = Operation(0, 3, 0, "put", "a", 1)
OPEN = Operation(1, NEVER, 1, "put", "a", 2, outcome="info")
READ = Operation(4, 5, 0, "get", "a", answer=None)


def drawn(*history: Operation, witness: tuple[Operation, ...] = (), stops: Operation | None = None) -> Any:
    """Return the drawing, as a tree."""
    return ElementTree.fromstring(lanes_svg(lane_data(history, witness, stops=stops)))


def test_a_bar_for_each_call() -> None:
    """With its words; a call that never returned is dashed and has no right edge."""
    tree = drawn(PUT, OPEN, READ)
    assert len(tree.findall(f".//{SVG}rect")) == 2
    (path,) = tree.findall(f".//{SVG}path")
    assert path.get("stroke-dasharray")
    assert not path.get("d").endswith("Z")
    assert [one.text for one in tree.findall(f"{SVG}g/{SVG}text")] == [
        "put('a', 1)",
        "get('a') -> missing",
        "put('a', 2) ?",
    ]


def test_bars_lie_as_the_calls_do() -> None:
    """One ends left of the other's begin just if it returned before the other was called; ranks are equally wide."""
    first, second = drawn(PUT, READ).findall(f".//{SVG}rect")
    assert float(first.get("x")) + float(first.get("width")) < float(second.get("x"))
    assert first.get("width") == second.get("width")
    one, other = drawn(PUT, Operation(2, 9, 1, "get", "a")).findall(f".//{SVG}rect")
    assert float(other.get("x")) < float(one.get("x")) + float(one.get("width"))


def test_a_witness_is_outlined() -> None:
    """In another colour, and wider."""
    first, second = drawn(PUT, READ, witness=(READ,)).findall(f".//{SVG}rect")
    assert first.get("stroke") != second.get("stroke")
    assert float(first.get("stroke-width")) < float(second.get("stroke-width"))


def test_words_do_not_cover_each_other() -> None:
    """Calls of one worker that are close to each other get rows of their own; the lane has one name."""
    tree = drawn(PUT, READ, Operation(6, 7, 0, "get", "a" * 30, answer=1), Operation(8, 9, 0, "get", "a", answer=1))
    rows = [one.get("y") for one in tree.findall(f".//{SVG}rect")]
    assert len(set(rows)) > 1
    assert [one.text for one in tree.findall(f"{SVG}text") if one.text] == ["w1"]


def test_a_line_where_it_is_broken() -> None:
    """At the right end of the call whose return broke it, with words; without one there is neither."""
    tree = drawn(PUT, READ, stops=READ)
    last = tree.findall(f".//{SVG}rect")[-1]
    (line,) = tree.findall(f"{SVG}line")
    assert float(line.get("x1")) == float(line.get("x2")) == float(last.get("x")) + float(last.get("width"))
    assert "no order" in tree.findall(f"{SVG}text")[0].text
    assert drawn(PUT, READ).findall(f"{SVG}line") == []


def test_nothing_is_outside_of_it() -> None:
    """Neither bars nor words, whose letters are as wide as those of wide fonts."""
    tree = drawn(PUT, OPEN, READ, stops=READ)
    width, height = (float(tree.get(name)) for name in ("width", "height"))
    for one in tree.iter(f"{SVG}text"):
        assert float(one.get("x")) + 7.3 * len(one.text or "") <= width
        assert 0 < float(one.get("y")) <= height


def test_any_text_may_stand_in_it() -> None:
    """Keys are shown as they are, whatever signs they have."""
    tree = drawn(Operation(0, 1, 0, "put", "<&>\"'", 1))
    assert tree.find(f"{SVG}g/{SVG}text").text == "put('<&>\"\\'', 1)"


def test_no_calls() -> None:
    """An empty history has an empty drawing."""
    assert drawn().findall(f".//{SVG}rect") == []
