"""Rounds about opening: honest stores come through, who is refused is told, and who hangs after a kill is found."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance import Backend, Where
from conformance.backend import PROMISES
from conformance.histories.kinds import judged
from conformance.histories.operation import NEVER, Operation
from conformance.histories.perform import Raised
from conformance.histories.plans import state
from conformance.histories.rounds import openers, stopped, stopping
from conformance.histories.rounds.openers import bears_kills, second_opening
from conformance.histories.rounds.round import Round
from conformance.histories.rounds.stopped import Phase, Stage
from conformance.histories.rounds.visits import Visit, round_of
from conformance.histories.rounds.ways import WAYS, Way
from conformance.histories.search import Order, search
from conformance.workers import Bay
from tests.mutants.concurrency_openers import HONEST, MUTANTS, LeftBehindLock
from tests.mutants.concurrency_processes import HONEST as DOCUMENT
from tests.mutants.concurrency_processes import Document

if sys.platform != "win32":
    import fcntl

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")
ORDER = Order("distinct keys", "openers", seed=1, workers=2, length=3, age=2, rounds=6, seconds=60.0)
NEW_WAYS: Sequence[Way] = ("handles", "openers", "opener stopped", "stopped", "holder killed")


@pytest.mark.parametrize("way", NEW_WAYS)
@pytest.mark.parametrize(("backend", "plan"), [(DOCUMENT, "distinct keys"), (HONEST["tail_under_lock"], "appends")])
def test_an_honest_store_comes_through(backend: Backend, plan: str, way: Way, tmp_path: Path) -> None:
    """However its users meet, and whoever is stopped or killed."""
    found = search(backend, backend.contracts[0], tmp_path, replace(ORDER, plan=plan, way=way))
    assert found.found is None
    assert (found.rounds, found.unknown, found.raised) == (6, 0, 0)
    assert found.operations > 10
    assert list(tmp_path.iterdir()) == []


class Busy(Document):
    """A document, and a thread that looks at the folder again and again, from the opening to the end."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._over = False
        self._busy = threading.Thread(target=self._look)
        self._busy.start()

    def _look(self) -> None:
        while not self._over:
            os.stat(self.path.parent)

    def close(self) -> None:
        """Wait for the thread, which nobody else may end."""
        assert self._busy.is_alive()
        self._over = True
        self._busy.join()


@pytest.mark.parametrize("way", ["opener stopped", "stopped"])
def test_a_store_may_have_threads_of_its_own(way: Way, tmp_path: Path) -> None:
    """They may be at work before the first call, and after the last, and are not in the way of what stops a process."""
    backend = Backend("busy", state=lambda where: Busy(where.path / "store.json"))
    found = search(backend, "state", tmp_path, replace(ORDER, way=way, rounds=30))
    assert found.found is None
    assert found.rounds == 30


def test_calls_of_a_stopped_process_overlap_with_others(tmp_path: Path) -> None:
    """While it is stopped in the midst of one, the others make theirs."""
    found = search(HONEST["schema_made_once"], "state", tmp_path, replace(ORDER, way="stopped"))
    assert found.overlapping > 0


@pytest.mark.parametrize(
    ("name", "plan", "way"),
    [
        ("created_when_missing", "distinct keys", "opener stopped"),
        ("tail_cut_by_openers", "appends", "opener stopped"),
        ("log_lock_of_the_process", "appends", "handles"),
        ("no_fencing", "registers", "stopped"),
    ],
)
def test_a_broken_store_is_found(name: str, plan: str, way: Way, tmp_path: Path) -> None:
    """The verdict tells why it can't be."""
    backend = next(one.backend for one in MUTANTS if one.name == name)
    order = replace(ORDER, plan=plan, way=way, rounds=400)
    found = search(backend, backend.contracts[0], tmp_path, order).found
    assert found is not None
    assert found.verdict.broken
    assert found.verdict.why


def rounds(backend: Backend, way: Way, folder: Path, number: int) -> list[Round]:
    """Return some rounds."""
    with WAYS[way](backend, "state", 2) as carry_out:
        found = []
        for seed in range(number):
            place = folder / str(seed)
            place.mkdir()
            found.append(carry_out(place, state.distinct_keys(seed, 2, 3, 2), seed))
        return found


def test_an_opening_may_be_refused_where_one_process_is_promised(tmp_path: Path) -> None:
    """It stands in the history as a look that was refused; where several are promised it must not be."""
    backend = HONEST["owned_by_lock"]
    (tmp_path / "one").mkdir()
    found = rounds(backend, "opener stopped", tmp_path / "one", 6)
    assert all(judged("distinct keys", one).holds for one in found)
    refused = [each for one in found for each in one.history if each.outcome == "fail"]
    assert {each.verb for each in refused} == {"get"}
    (tmp_path / "many").mkdir()
    found = rounds(replace(backend, sharing="processes"), "opener stopped", tmp_path / "many", 6)
    assert any(one.stuck.startswith("an opening raised BlockingIOError") for one in found)


def test_the_call_in_which_a_process_is_killed_may_have_taken_effect(tmp_path: Path) -> None:
    """It never ends; what the process did before is kept."""
    lost = [
        each for one in rounds(DOCUMENT, "holder killed", tmp_path, 6) for each in one.history if each.outcome == "info"
    ]
    assert lost
    assert {(each.worker, each.end) for each in lost} == {(0, NEVER)}


def test_who_hangs_after_a_kill_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that is left behind keeps the others waiting."""
    for module in (openers, stopped, stopping):
        monkeypatch.setattr(module, "LIMIT_S", 1.0)
    monkeypatch.setattr("tests.mutants.concurrency_openers.PATIENCE_S", 3600.0)
    found = search(Backend("left", state=open_left), "state", tmp_path, replace(ORDER, way="holder killed", rounds=50))
    assert found.found is not None
    assert found.found.verdict.why == "no answer within 1 s"


def open_left(where: Where) -> Document:
    """Open a store with a lock that a kill leaves behind."""
    store = Document(where.path / "store.json")
    store.lock = LeftBehindLock(where.path / "held")  # type: ignore[assignment]
    return store


def test_a_stop_that_lasted_too_long_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others may have given up waiting, and the machine is to blame."""
    monkeypatch.setattr(stopped, "_STOP_S_MAX", 0.0)
    found = rounds(DOCUMENT, "stopped", tmp_path, 3)
    assert Round([]) in found


def test_all_calls_have_their_turn() -> None:
    """Whoever stops does so at each of them, sooner or later."""
    asking, opening = Phase("asking", there=True), Phase("opening", there=False)
    stage = Stage("stopped", None, None, {}, {asking: 20, opening: 1})  # type: ignore[arg-type]
    assert {*range(1, 21)} <= {stage.next_call(asking) for _ in range(40)}
    assert {stage.next_call(opening) for _ in range(40)} <= {1, 2}


def test_a_file_that_is_taken_away_is_no_refusal() -> None:
    """Other errors of a write may be: then nobody knows what came of it."""
    put = Operation(1, NEVER, 0, "put", "a", 1, outcome="info")
    gone = round_of([Visit([put], [Raised(0, "put", "FileNotFoundError: x.tmp")])], DOCUMENT)
    assert gone.stuck == "a put raised FileNotFoundError: x.tmp while others opened the store"
    assert round_of([Visit([put], [Raised(0, "put", "TimeoutError: busy")])], DOCUMENT).stuck == ""


def test_who_is_killed_must_promise_to_bear_it() -> None:
    """The first levels do."""
    borne = [level for level in PROMISES["durability"] if bears_kills(replace(DOCUMENT, durability=level))]
    assert borne == ["power-loss", "prefix", "process-crash"]


def test_what_becomes_of_a_second_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused, let in, or waits."""
    assert second_opening(Bay(HONEST["owned_by_lock"], "state", tmp_path)) == "refused"
    assert second_opening(Bay(DOCUMENT, "state", tmp_path)) == "let in"
    monkeypatch.setattr(openers, "_WAIT_S", 0.1)
    assert second_opening(Bay(Backend("waits", state=Waits), "state", tmp_path)) == "waits"


class Waits(dict[str, Any]):
    """Opens when nobody else has it open."""

    def __init__(self, where: Where) -> None:
        self.file = (where.path / "lock").open("a")
        fcntl.flock(self.file, fcntl.LOCK_EX)
