"""What a store shows on damaged files, one damage at a time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conformance.backend import Backend
from conformance.damage.damage import Damage, Splice
from conformance.damage.examine import Case, Shown, examine_alone, stored
from conformance.damage.judge import Judged
from conformance.damage.specimen import within
from tests.damage import stores
from tests.damage.conftest import Benches

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")


def examined(benches: Benches, backend: Backend, case: Case) -> Shown:
    """Return what a store shows."""
    crew, (closed, *_) = benches.of(backend)
    shown: Shown = crew.call(examine_alone, stored(crew, closed), case)
    return shown


def in_one_value(benches: Benches, backend: Backend, *, repair: bool = False) -> Case:
    """Return a case of one byte changed in a value, in which all other records are asked for."""
    _, (closed, *_) = benches.of(backend)
    name, path, offset, _ = next(within(closed, ["k1"]))
    others = tuple(other for other in closed.truth.records if other != name)
    return Case(Damage("byte changed", path, (Splice(offset + 3, 1, b"#"),)), others, repair)


@pytest.mark.parametrize(("backend", "lost"), [(stores.PATIENT, False), (stores.CHECKED, True)])
def test_what_is_whole_is_asked_for(benches: Benches, backend: Backend, *, lost: bool) -> None:
    """Also after one more write; a store that refuses to open has lost it."""
    shown = examined(benches, backend, in_one_value(benches, backend))
    assert shown.judged.kind == "detected"
    assert (shown.lost is not None) == lost


@pytest.mark.parametrize(("backend", "repairs"), [(stores.PATIENT, True), (stores.CHECKED, False)])
def test_a_repair_is_held_to_what_is_whole(benches: Benches, backend: Backend, *, repairs: bool) -> None:
    """It drops what is damaged, and says so; a store that can't be opened can't be repaired."""
    shown = examined(benches, backend, in_one_value(benches, backend, repair=True))
    assert shown.lost is None
    assert shown.repair == ("repair() says it dropped ['damaged-1']" if repairs else "")


def test_a_foreign_file_is_looked_after(benches: Benches) -> None:
    """It is as it was, or the store took it for its own: here the next write replaces it."""
    mine = Damage("foreign file", "notes", (Splice(0, 0, b"milk"),))
    taken = Damage("foreign file", "lines.new", (Splice(0, 0, b"milk"),))
    assert examined(benches, stores.LINES, Case(mine, ())).stranger == ""
    assert examined(benches, stores.LINES, Case(taken)).stranger == ""
    assert examined(benches, stores.LINES, Case(taken, ())).stranger == "it is gone"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="nobody tells here how much memory a process has")
def test_a_store_that_asks_for_very_much_memory_is_refused(benches: Benches) -> None:
    """The error is its own, before the machine has none left."""
    shown = examined(benches, stores.GREEDY, in_one_value(benches, stores.GREEDY))
    assert shown.judged == Judged("detected", got="opening raised MemoryError")
