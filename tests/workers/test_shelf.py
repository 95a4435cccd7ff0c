"""Shelves: what both sides have travels as a number, and everything else as it is."""

from __future__ import annotations

import pickle
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conformance.address import load
from conformance.crash.reopen import observe_all
from conformance.hosting import furnished, hosted
from conformance.workers import Bay, Crew, WorkerError
from conformance.workers.forked import Forked, alone, each
from conformance.workers.shelf import LEAST_BYTES, Shelf
from tests.crash import stores as s

LONG, OTHER = b"a" * 100_000, b"b" * 100_000
SHORT = b"c" * (LEAST_BYTES - 1)


def given(shelf: Shelf) -> Shelf:
    """Return the shelf of another process."""
    copy: Shelf = pickle.loads(pickle.dumps(shelf))
    return copy


def test_what_is_on_the_shelf_travels_as_a_number() -> None:
    """However often it is there; what comes out is the content of the shelf itself."""
    here = Shelf([LONG, SHORT, OTHER, LONG])
    there = given(here)
    thing = {"tree": {"one": bytes(bytearray(LONG)), "two": LONG, "short": SHORT, "none": None}, "number": 1}
    data = here.dumps(thing)
    assert len(data) < 2 * len(SHORT)
    found = there.loads(data)
    assert found == thing
    assert found["tree"]["one"] is found["tree"]["two"]
    assert found["tree"]["one"] is there.loads(there.dumps(LONG))


def test_everything_else_travels_as_it_is() -> None:
    """Contents that are not on the shelf, and bytes that only look like one."""
    here = Shelf([LONG])
    there = given(here)
    for thing in (OTHER, LONG[1:], LONG + b"a", bytearray(LONG), SHORT, b"", [LONG, OTHER, (1, "text")], None):
        found = there.loads(here.dumps(thing))
        assert found == thing
        assert type(found) is type(thing)


def test_short_contents_have_no_place() -> None:
    """The number and what is around it is as long."""
    assert len(Shelf([SHORT, b""])) == 0
    assert len(Shelf([SHORT, SHORT + b"c", LONG, LONG])) == 2


def test_an_empty_shelf() -> None:
    """It changes nothing."""
    assert Shelf().loads(Shelf().dumps([LONG, 1])) == [LONG, 1]
    assert Shelf().dumps([LONG, 1]) == pickle.dumps([LONG, 1])


# Carried out in workers.


def shelved(bay: Bay) -> int:
    """Return how many contents a worker has."""
    return len(bay.shelf)


def told(bay: Bay, thing: Any) -> tuple[bool, Any]:
    """Return a thing, and whether it came from the shelf."""
    return any(thing is content for content in bay.shelf._contents), thing


def through_children(bay: Bay, things: list[Any]) -> list[Any]:
    """Return what children of a worker say of things."""
    return [*each(bay, told, things), alone(bay, told, things[0])]


def test_the_crew_of_a_hosted_store_has_what_its_server_begins_with(tmp_path: Path) -> None:
    """So have the workers and their children; what they are told of it, and what they answer, is not sent."""
    backend = hosted(load("reference_backends.postgres:backend"))
    furnished(backend, "state", tmp_path)
    contents = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    content = max(contents, key=len)
    with closing(Crew(backend, "state", 2)) as crew:
        sizes = [crew.call(shelved, worker=worker) for worker in range(2)]
        assert sizes == [len({one for one in contents if len(one) >= LEAST_BYTES})] * 2
        assert crew.call(through_children, [content, OTHER]) == [(True, content), (False, OTHER), (True, content)]


def test_the_crew_of_any_other_store_has_nothing() -> None:
    """Its trees are small, and they differ."""
    with closing(Crew(s.TRAPPED, "state", 1)) as crew:
        assert crew.call(shelved) == 0
        tree = s.document(a=1)
        assert crew.call(observe_all, {b"": tree})[b""].usable == "usable"


def test_a_server_that_can_not_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker could open the store, so it is said at once."""
    monkeypatch.setenv("CONFORMANCE_SERVERS", "url")
    with pytest.raises(WorkerError, match="no postgres server could be had"):
        Crew(hosted(load("reference_backends.postgres:backend")), "state", 1)


def test_a_child_that_is_given_a_shelf(tmp_path: Path) -> None:
    """It has the shelf of the bay that it was forked for."""
    bay = Bay(s.TRAPPED, "state", tmp_path, shelf=Shelf([LONG]))
    child = Forked(bay, told)
    assert child.told([bytes(bytearray(LONG)), 1], 30.0) == ([(True, LONG), (False, 1)], None)
    child.close()
