"""The probe tells which put first waits; rounds are aged shortly before it, and honest stores come through."""

from __future__ import annotations

import asyncio
import itertools
import time
from pathlib import Path
from typing import Any

import pytest

from conformance.histories.plans.plan import Ask, Plan
from conformance.histories.plans.state import registers
from conformance.histories.rounds import ageing
from conformance.histories.rounds.ageing import MOST, YOUNG, Ageing, first_wait
from conformance.histories.search import Order, search
from tests.mutants.concurrency_tasks import HONEST, HONEST_SELDOM, SELDOM, Memory, backend

LONG_S = 600.0
PLAN = registers(1, 3, 4, 6)


class Waits(Memory):
    """A put does what the list says of it: waits, hangs, or raises."""

    def __init__(self, at: dict[int, str]) -> None:
        super().__init__()
        self.at, self.puts = at, itertools.count(1)

    async def __setitem__(self, key: str, value: Any) -> None:
        match self.at.get(next(self.puts)):
            case "waits":
                await asyncio.sleep(0)
            case "hangs":
                await asyncio.get_running_loop().create_future()
            case "raises":
                raise OSError("full")
            case "is cancelled":
                raise asyncio.CancelledError
            case "leaves work":
                self.work = asyncio.ensure_future(asyncio.sleep(0))


@pytest.mark.parametrize(
    ("at", "first"),
    [
        ({}, 0),
        ({1: "waits"}, 1),
        ({777: "waits", 778: "waits"}, 777),
        ({MOST: "waits"}, MOST),
        ({MOST + 1: "waits"}, 0),
        ({777: "hangs"}, 777),
        ({776: "raises", 777: "waits"}, 0),
        ({776: "is cancelled", 777: "waits"}, 0),
        ({7: "leaves work", 777: "waits"}, 0),
    ],
)
def test_the_probe_tells_the_first_put_that_waits(at: dict[int, str], first: int, tmp_path: Path) -> None:
    """Exactly; 0 where none does, or it can't tell."""
    assert first_wait(backend("waits", lambda: Waits(at)), tmp_path, LONG_S) == first


def test_a_probe_without_time_tells_nothing(tmp_path: Path) -> None:
    """It raises; the next one gets a folder of its own."""
    for _ in range(2):
        with pytest.raises(TimeoutError, match="no put waited"):
            first_wait(backend("never", lambda: Waits({})), tmp_path, 0.0)


def test_a_store_that_can_not_be_opened_is_not_probed(tmp_path: Path) -> None:
    """That is for other checks."""

    def refused() -> Any:
        raise OSError("no")

    assert first_wait(backend("refused", refused), tmp_path, LONG_S) == 0


def test_every_second_round_is_aged(tmp_path: Path) -> None:
    """The first wait falls into the first half of what is written."""
    rounds = Ageing(HONEST_SELDOM, "state", SELDOM)
    puts = [rounds.puts(tmp_path, PLAN, seed) for seed in range(200)]
    assert set(puts[1::2]) == {0}
    writes = sum(ask.verb != "get" for asks in PLAN.workers for ask in asks)
    assert {SELDOM - len(PLAN.before) - one for one in puts[::2]} == set(range(1, writes // 2 + 1))


@pytest.mark.parametrize("first", [0, 1, YOUNG])
def test_a_store_that_waits_early_or_never_stays_young(first: int, tmp_path: Path) -> None:
    """Rounds are as they were."""
    rounds = Ageing(HONEST, "state", first)
    assert {rounds.puts(tmp_path, PLAN, seed) for seed in range(4)} == {0}


@pytest.mark.parametrize(
    "plan",
    [
        Plan([], [[Ask("list")]], []),
        Plan([], [[]], [Ask("transaction", steps=(("get", "a", None), ("scan", None, None)))]),
    ],
)
def test_where_all_keys_are_seen_nothing_is_put(plan: Plan, tmp_path: Path) -> None:
    """The key of the puts would be seen too."""
    assert Ageing(HONEST_SELDOM, "state", SELDOM).puts(tmp_path, plan, 1) == 0


def test_a_log_is_not_aged(tmp_path: Path) -> None:
    """Whatever is appended to it is seen."""
    assert Ageing(HONEST_SELDOM, "log", SELDOM).puts(tmp_path, PLAN, 1) == 0


def test_as_long_as_nobody_knows_stores_stay_young(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe is not made again at once: it gets a share of the time."""
    probes = []

    def in_vain(*_: object) -> int:
        probes.append(1)
        raise TimeoutError

    monkeypatch.setattr(ageing, "first_wait", in_vain)
    rounds = Ageing(HONEST_SELDOM, "state", _begin=time.monotonic() + LONG_S)
    assert {rounds.puts(tmp_path, PLAN, seed) for seed in range(4)} == {0}
    assert len(probes) == 1


def test_tasks_meet_on_an_aged_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they do not otherwise; a store with a lock comes through."""
    monkeypatch.setattr(ageing, "first_wait", lambda *_: SELDOM)
    order = Order("registers", "tasks", 1, 3, 4, 6, rounds=20, seconds=LONG_S)
    found = search(HONEST_SELDOM, "state", tmp_path, order)
    assert found.found is None
    assert 0 < found.overlapping <= 10
