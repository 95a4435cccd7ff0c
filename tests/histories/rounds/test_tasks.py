"""Rounds of tasks: honest async stores come through, also when calls are cancelled; what can't go on is told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from conformance import Backend
from conformance.histories.kinds import judged
from conformance.histories.rounds.tasks import TaskWay
from conformance.histories.search import Order, search
from tests.mutants.concurrency_cancelled import MUTANTS, REPAIRED
from tests.mutants.concurrency_tasks import HONEST, HONEST_LOG, Memory, backend
from tests.mutants.records_tasks_base import HONEST as HONEST_RECORDS
from tests.mutants.records_tasks_base import Runs
from tests.mutants.records_tasks_base import backend as records

RUNS, _, LAYERS = HONEST_RECORDS
KINDS = {"state": ("registers", "distinct keys", "swaps", "updates", "cancelled transfers"), "log": ("appends",)}
CASES = [(one, "state", kind) for one in (HONEST, *REPAIRED[1:]) for kind in KINDS["state"]]


@pytest.mark.parametrize("way", ["tasks", "cancelled"])
@pytest.mark.parametrize(
    ("store", "contract", "kind"),
    [
        *CASES,
        (REPAIRED[0], "state", "registers"),
        (HONEST_LOG, "log", "appends"),
        (RUNS, "runs", "saves"),
        (RUNS, "runs", "new runs"),
        (RUNS, "runs", "events of a run"),
        (LAYERS, "layers", "registers"),
    ],
)
def test_an_honest_store_comes_through(store: Backend, contract: str, kind: str, way: TaskWay, tmp_path: Path) -> None:
    """Whatever is asked of it; and calls did overlap."""
    found = search(store, contract, tmp_path, Order(kind, way, 1, 3, 5, 6, rounds=4, seconds=60.0))
    assert found.found is None
    assert (found.rounds, found.overlapping, found.unknown) == (4, 4, 0)


def test_the_same_seed_is_the_same_round(tmp_path: Path) -> None:
    """Its history is the same again."""
    order = Order("registers", "cancelled", 7, 3, 5, 6, rounds=500, seconds=60.0)
    leaks = MUTANTS[0].backend
    first, *more = (search(leaks, "state", tmp_path / str(number), order) for number in range(3))
    assert first.found is not None
    assert all(again == first for again in more)


class Spreads(Memory):
    """A call ends as if it were cancelled."""

    async def __getitem__(self, key: str) -> Any:
        raise asyncio.CancelledError


def test_a_cancellation_that_nobody_asked_for_is_told(tmp_path: Path) -> None:
    """It is no answer."""
    order = Order("registers", "cancelled", 7, 3, 5, 6, rounds=20, seconds=60.0)
    found = search(backend("spreads", Spreads), "state", tmp_path, order).found
    assert found is not None
    assert judged("registers", found.round).why == "a get ended as if it were cancelled, and nobody cancelled its task"


class Entered(Runs):
    """A store that can be entered, and does not have to be."""

    async def __aenter__(self) -> None:
        raise AssertionError("it is open")

    async def __aexit__(self, *_: object) -> None:
        """Do nothing."""


def test_an_open_store_of_runs_is_not_entered(tmp_path: Path) -> None:
    """As by whoever opens it elsewhere."""
    order = Order("saves", "tasks", 1, 3, 5, 6, rounds=1, seconds=60.0)
    assert search(records("entered", "runs", Entered), "runs", tmp_path, order).found is None
