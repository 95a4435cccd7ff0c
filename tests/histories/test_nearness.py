"""What of the calls of workers on one vector store can't be, decided on calls that are written by hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import pytest

from conformance.histories.claims import Deed, Kind
from conformance.histories.claims_rounds import Order, search
from conformance.histories.nearness import judged, vector_of
from conformance.values.vectors import score
from tests.mutants.vectors_base import HONEST


def add(key: str, number: int, at: int, end: int = 0, **of: Any) -> Deed:
    """Return a call that added a record."""
    return Deed(at, end or at + 1, 1, "add", ((key, number),), **of)


def delete(key: str, at: int) -> Deed:
    """Return a call that deleted one."""
    return Deed(at, at + 1, 1, "delete", ((key, 0),))


def found(at: int, end: int, **numbers: int) -> Deed:
    """Return a search that gave ids with the scores of these vectors."""
    return Deed(at, end, 2, "search", tuple(scored(numbers)))


def scored(numbers: dict[str, int]) -> list[tuple[str, float]]:
    """Return ids with the scores of vectors."""
    return [(key, score("l2", vector_of(0, 3), vector_of(number, 3))) for key, number in numbers.items()]


def why(*deeds: Deed, **end: int) -> str:
    """Return what can't be of calls after which there are these records."""
    left = {"dimension": 3, "metric": "l2", "got": end, "found": scored(end)}
    finding = judged("searches", [], deeds, left)
    return finding.why if finding else ""


def test_what_was_there_meanwhile_may_be_found() -> None:
    """A vector of before, one that is being added, and none: each may be, as long as it may."""
    deeds = [add("a", 1, 10), add("a", 2, 20, 30), delete("a", 40)]
    for one in (found(15, 25, a=1), found(15, 25, a=2), found(25, 28), found(32, 35, a=2), found(45, 50)):
        assert why(*deeds, one) == ""


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (found(32, 35, a=1), "the score"),
        (found(45, 50, a=2), "gives 'a', which is not there"),
        (found(32, 35), "does not give 'a', which is there all the time"),
        (found(1, 5, a=1), "gives 'a', which is not there"),
        (found(32, 35, a=2, ghost=7), "gives 'ghost', which is not there"),
        (found(32, 35, a=2)._replace(told=(*scored({"a": 2}), *scored({"a": 2}))), "gives 'a' twice"),
        (found(32, 35)._replace(outcome="info", error="OSError: busy"), "a search raised OSError: busy"),
    ],
)
def test_what_was_not_there_is_no_answer(one: Deed, expected: str) -> None:
    """An old vector, a deleted record, one that comes later, a stranger, one twice, none, and an exception."""
    assert expected in why(add("a", 1, 10), add("a", 2, 20, 30), delete("a", 40), one)


def test_of_a_write_that_raised_nobody_knows() -> None:
    """Both may be there at the end; what was refused did nothing; what returned counts."""
    unsure = add("a", 2, 20, outcome="info", error="OSError: busy")
    assert why(add("a", 1, 10), unsure, a=1) == why(add("a", 1, 10), unsure, a=2) == ""
    refused = add("a", 2, 20, outcome="fail", error="Conflict")
    assert "has the vector of 2 at the end" in why(add("a", 1, 10), refused, a=2)
    assert "'a' is not there at the end; it must have that of 1" in why(add("a", 1, 10))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")
@pytest.mark.parametrize("kind", ["additions", "searches"])
@pytest.mark.parametrize("by", ["processes", "threads"])
def test_an_honest_store_is_not_accused(kind: Kind, by: Literal["processes", "threads"], tmp_path: Path) -> None:
    """Workers get along on a store that keeps its promises, with pauses and without."""
    met = search(HONEST, tmp_path, Order(kind, by, 0, rounds=4, seconds=20.0))
    assert met.found is None
    assert met.rounds == 4
