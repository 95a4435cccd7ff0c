"""The sweep on real files: each store is of the class that it should be, and a finding is found again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from conformance.backend import Backend
from conformance.damage.damage import Damage, Operator, Splice
from conformance.damage.judge import SILENT
from conformance.damage.operators import damages
from conformance.damage.specimen import Specimen, specimens
from conformance.damage.sweep import Broken, Budget, Case, Shown, Swept, sweep, within
from conformance.workers import Crew
from tests.damage import stores

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")
BUDGET = Budget(60, 60.0)


class Benches:
    """Crews and specimens of stores, made when first asked for."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.known: dict[str, tuple[Crew, list[Specimen]]] = {}

    def of(self, backend: Backend) -> tuple[Crew, list[Specimen]]:
        """Return those of a store."""
        if backend.name not in self.known:
            crew = self.stack.enter_context(closing(Crew(backend, "state", 1)))
            self.known[backend.name] = (crew, specimens(crew, 0, "json"))
        return self.known[backend.name]


@pytest.fixture(scope="module")
def benches() -> Iterator[Benches]:
    """Crews and specimens for the tests of this module."""
    with ExitStack() as stack:
        yield Benches(stack)


def silent(shown: Shown) -> Broken | None:
    """Return what is served as truth."""
    return Broken("silent", shown.judged) if shown.judged.kind in SILENT else None


def loses(shown: Shown) -> Broken | None:
    """Return what is lost that was whole."""
    return None if shown.lost is None else Broken("lost", shown.lost)


def swept(benches: Benches, backend: Backend, *operators: Operator, budget: Budget = BUDGET) -> Swept:
    """Return what a sweep of a closed store finds that is silent."""
    crew, (closed, *_) = benches.of(backend)
    cases = (Case(damage) for damage in damages(closed.tree, operators, older=closed.older, seed=2))
    return sweep(crew, closed, cases, budget, silent)


def test_a_specimen_knows_its_past(benches: Benches) -> None:
    """Earlier versions of its files, newest first, and where its values stand."""
    _, (closed, recovered, killed) = benches.of(stores.LINES)
    (line,) = (line for line in (closed.tree["lines"] or b"").splitlines() if b'"k5"' in line)
    assert len(line) > 5_000
    assert [name for name, _ in closed.older][:2] == ["after call 10 of 10", "after call 9 of 10"]
    assert closed.older[0][1] == closed.tree
    assert (closed.older[1][1]["lines"] or b"").count(b"\n") == 8
    assert recovered.tree == closed.tree == killed.tree
    assert sorted(closed.truth.records) == sorted(name for name, places in closed.regions.items() if len(places) == 1)
    for name, value in closed.truth.records.items():
        ((path, offset, length),) = closed.regions[name]
        assert (closed.tree[path] or b"")[offset : offset + length].decode() == value
    first = list(within(closed, list(closed.truth.records)))
    assert [name for name, *_ in first] == list(closed.truth.records)


def test_a_store_without_a_check_serves_what_is_there(benches: Benches) -> None:
    """The finding is the smallest of those that were met, and says what was read."""
    found = swept(benches, stores.LINES, "bit flipped")
    assert found.finding is not None
    assert found.finding.shown.judged.kind in SILENT
    assert found.finding.case.damage.length == 1
    assert found.finding.shown.judged.expected != found.finding.shown.judged.got


@pytest.mark.parametrize("backend", [stores.CHECKED, stores.PATIENT], ids=lambda backend: backend.name)
def test_a_checksum_shows_flips(benches: Benches, backend: Backend) -> None:
    """As an error, or in a report."""
    found = swept(benches, backend, "bit flipped", "byte changed")
    assert found.finding is None
    assert found.tried == 60
    # The end of a line may be another end of a line.
    assert sum(count for (_, kind), count in found.classes.items() if kind == "detected") > 50
    assert found.left == 1_000


def test_a_checksum_shows_no_lost_end(benches: Benches) -> None:
    """Cut between two lines, all that is left is sound."""
    found = swept(benches, stores.CHECKED, "cut short", budget=Budget(500, 60.0))
    assert found.finding is not None
    assert found.finding.shown.judged.kind == "silent missing"


def test_a_process_that_dies_is_told(benches: Benches) -> None:
    """And the others are judged all the same."""
    crew, (closed, *_) = benches.of(stores.DEADLY)
    size = len(closed.tree["lines"] or b"")
    flips = [Damage("bit flipped", "lines", (Splice(at, 1, b"#"),)) for at in (100, size - 3)]
    whole = Damage("junk appended", "other", (Splice(0, 0, b"#"),))
    found = sweep(crew, closed, map(Case, [flips[0], whole, flips[1]]), BUDGET, lambda _: None)
    assert dict(found.classes) == {("bit flipped", "died"): 2, ("junk appended", "harmless"): 1}


def test_who_is_wrongly_suspected_ends_nothing(benches: Benches) -> None:
    """What can't be seen again in a process of its own is no finding, and the sweep goes on."""
    crew, (closed, *_) = benches.of(stores.CHECKED)
    asked: list[str] = []

    def first_time(shown: Shown) -> Broken | None:
        asked.append(shown.judged.kind)
        return Broken("once", shown.judged) if len(asked) == 1 else None

    cases = (Case(damage) for damage in damages(closed.tree, ["bit flipped"], seed=2))
    found = sweep(crew, closed, cases, BUDGET, first_time)
    assert found.finding is None
    assert found.tried == 60


def test_what_is_whole_is_asked_for(benches: Benches) -> None:
    """Also after one more write; a store that refuses to open has lost it."""
    for backend, lost in ((stores.PATIENT, False), (stores.CHECKED, True)):
        crew, (closed, *_) = benches.of(backend)
        name, path, offset, _ = next(within(closed, ["k1"]))
        damage = Damage("byte changed", path, (Splice(offset + 3, 1, b"#"),))
        others = tuple(other for other in closed.truth.records if other != name)
        found = sweep(crew, closed, [Case(damage, others)], BUDGET, loses)
        assert (found.finding is not None) == lost


def test_a_repair_is_held_to_what_is_whole(benches: Benches) -> None:
    """It drops what is damaged, and says so; a store that can't be opened can't be repaired."""
    for backend, repairs in ((stores.PATIENT, 1), (stores.CHECKED, 0)):
        crew, (closed, *_) = benches.of(backend)
        name, path, offset, _ = next(within(closed, ["k1"]))
        damage = Damage("byte changed", path, (Splice(offset + 3, 1, b"#"),))
        others = tuple(other for other in closed.truth.records if other != name)
        found = sweep(crew, closed, [Case(damage, others, repair=True)], BUDGET, loses)
        assert found.finding is None
        assert found.repairs == repairs


def test_nothing_is_begun_after_the_time(benches: Benches) -> None:
    """What is left out is counted."""
    found = swept(benches, stores.CHECKED, "bit flipped", budget=Budget(100, 0.0))
    assert found.tried == 0
    assert found.left > 100
