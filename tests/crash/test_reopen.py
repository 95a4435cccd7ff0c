"""Reopening stores in children: one may die, hang or print, and only the tree at which it did is blamed for it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from conformance.address import load
from conformance.backend import Backend
from conformance.crash.observe import Observation
from conformance.crash.reopen import Batch, observe_all, observe_batch
from conformance.crash.tree import Tree, digest
from conformance.workers import Bay, Crew
from conformance.workers.forked import Forked
from tests.crash import stores as s
from tests.crash.conftest import CrewOf


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    """Two workers of the store that does what its trap says."""
    with closing(Crew(s.TRAPPED, "state", 2)) as found:
        yield found


# Carried out in workers.


def impatient(bay: Bay, batch: Mapping[bytes, Tree]) -> dict[bytes, Observation]:
    """Observe, but give up on a store that hangs much sooner."""
    return observe_all(bay, batch, 1.0)


def impatient_batch(bay: Bay, batch: Batch) -> dict[bytes, Observation]:
    """Do the same with a batch."""
    return observe_batch(bay, batch, 1.0)


def child_of(bay: Bay) -> int:
    """Return the number of the child that observes."""
    (process,) = (child.process for child in bay.kept.values() if isinstance(child, Forked))
    return process


def leftovers(bay: Bay) -> list[int]:
    """Return the dead processes that the worker has started and not waited for; its living child is in use."""
    with suppress(ChildProcessError):
        return [process for process in [os.waitpid(-1, os.WNOHANG)[0]] if process]
    return []


def named(*trees: Tree) -> dict[bytes, Tree]:
    """Return trees by their digests."""
    return {digest(tree): tree for tree in trees}


def holding(**entries: Any) -> Observation:
    """Return the observation of a usable store."""
    return Observation("usable", {"entries": [[key, value] for key, value in entries.items()], "length": len(entries)})


def test_a_batch_is_observed(crew: Crew) -> None:
    """Each tree has its observation, by its name."""
    one, two = s.document(a=1), s.document(a=2)
    assert crew.call(observe_all, named(one, two)) == {digest(one): holding(a=1), digest(two): holding(a=2)}
    assert crew.call(observe_all, {}) == {}


@pytest.mark.parametrize(
    ("trap", "detail"),
    [
        ("exit", "the process ended itself with exit code 3"),
        ("segfault", "the process was killed by SIGSEGV"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_only_the_tree_at_which_a_store_dies_is_blamed(crew: Crew, trap: str, detail: str, place: int) -> None:
    """The others of its batch are observed all the same."""
    trees = [s.document(a=1), s.document(a=2)]
    trees.insert(place, s.document(trap))
    found = list(crew.call(observe_all, named(*trees)).values())
    assert found.pop(place) == Observation("died", detail=detail)
    assert found == [holding(a=1), holding(a=2)]
    assert crew.call(leftovers) == []


def test_every_tree_may_be_deadly(crew: Crew) -> None:
    """Each has a process of its own then."""
    trees = named(*(s.document("exit", a=number) for number in range(3)))
    assert {found.usable for found in crew.call(observe_all, trees).values()} == {"died"}


def test_a_tree_at_which_a_store_hangs_ends_its_batch(crew: Crew) -> None:
    """What came before it is observed; what comes after it is left out, since each may take as long."""
    trees = named(s.document(a=1), s.document("hang"), s.document(a=2))
    found = list(crew.call(impatient, trees).values())
    assert found == [holding(a=1), Observation("hung", detail="no answer within 1 s")]
    assert crew.call(leftovers) == []
    assert list(crew.call(observe_all, named(s.document(a=2))).values()) == [holding(a=2)]


def test_a_hang_ends_its_exploration_in_that_worker() -> None:
    """Batches of it that were at hand already are left out, each of which may take as long; others are not."""
    with closing(Crew(s.TRAPPED, "state", 1)) as crew:
        batches = [Batch(1, named(s.document("hang"))), Batch(1, named(s.document(a=1)))]
        (_, hung), (_, left_out) = crew.spread(impatient_batch, batches, ahead=1)
        assert [found.usable for found in hung.values()] == ["hung"]
        assert left_out == {}
        assert list(crew.call(observe_batch, Batch(2, named(s.document(a=1)))).values()) == [holding(a=1)]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="nobody tells what a process has open")
@pytest.mark.parametrize(("backend", "children"), [(s.TRAPPED, 1), (s.LEAVES_OPEN, 3)])
def test_a_child_is_used_until_what_it_holds_open_adds_up(backend: Backend, children: int) -> None:
    """A fork costs many openings; but a store that leaves files open would run out of them."""
    with closing(Crew(backend, "state", 1)) as crew:
        seen = []
        for number in range(3):
            trees = [s.document(a=number, b=other) for other in range(100)]
            crew.call(observe_all, named(*trees))
            seen.append(crew.call(child_of))
        assert len(set(seen)) == children


def test_nothing_that_a_store_prints_is_seen(capfd: pytest.CaptureFixture[str]) -> None:
    """Neither what goes through Python nor what goes past it."""
    with closing(Crew(s.TRAPPED, "state", 1)) as crew:
        (found,) = crew.call(observe_all, named(s.document("print"))).values()
        assert found == holding()
    assert capfd.readouterr() == ("", "")


def test_stores_of_both_contracts_are_observed(crew_of: CrewOf) -> None:
    """A crew is of one contract."""
    (found,) = crew_of(s.JOURNAL_LOG, "log").call(observe_all, {b"": {}}).values()
    assert found == Observation("usable", {"events": [], "head": 0, "checkpoint": None})
    assert load(s.JOURNAL_LOG).contracts == ("log",)
