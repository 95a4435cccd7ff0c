"""The sweep on real files: each store is of the class that it should be, and a finding is found again."""

from __future__ import annotations

import os

import pytest

from conformance.backend import Backend
from conformance.damage.damage import Damage, Operator, Splice
from conformance.damage.examine import Case, Shown
from conformance.damage.judge import SILENT
from conformance.damage.operators import damages
from conformance.damage.sweep import Broken, Budget, Swept, sweep
from tests.damage import stores
from tests.damage.conftest import Benches

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")
BUDGET = Budget(60, 60.0)


def silent(shown: Shown) -> Broken | None:
    """Return what is served as truth."""
    return Broken("silent", shown.judged) if shown.judged.kind in SILENT else None


def swept(benches: Benches, backend: Backend, *operators: Operator, budget: Budget = BUDGET) -> Swept:
    """Return what a sweep of a closed store finds that is silent."""
    crew, (closed, *_) = benches.of(backend)
    cases = (Case(damage) for damage in damages(closed.tree, operators, older=closed.older, seed=2))
    return sweep(crew, closed, cases, budget, silent)


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


def test_repairs_are_counted(benches: Benches) -> None:
    """Only where the store could be opened to repair itself."""
    for backend, repairs in ((stores.PATIENT, 1), (stores.CHECKED, 0)):
        crew, (closed, *_) = benches.of(backend)
        damage = Damage("byte changed", "lines", (Splice(20, 1, b"#"),))
        found = sweep(crew, closed, [Case(damage, (), repair=True)], BUDGET, lambda _: None)
        assert (found.tried, found.repairs) == (1, repairs)


def test_nothing_is_begun_after_the_time(benches: Benches) -> None:
    """What is left out is counted."""
    found = swept(benches, stores.CHECKED, "bit flipped", budget=Budget(100, 0.0))
    assert found.tried == 0
    assert found.left > 100
