"""Transactions, sessions and increments by hand in the suite `concurrency`: what is asked at which promise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance import Backend
from conformance.check import catalogue
from conformance.histories.search import Searched
from conformance.result import Result
from tests.benches import LONG_ENOUGH, bench
from tests.mutants.concurrency_sessions import Cached, open_plain
from tests.mutants.concurrency_transactions import HONEST, Optimistic, Snapshots, in_file, in_memory
from tests.mutants.registry import BACKENDS
from tests.suites.test_concurrency import Crew

EACH_LEVEL = pytest.mark.parametrize("level", list(HONEST))
EACH_PLACE = pytest.mark.parametrize(("opens", "tens"), [(in_memory, 6), (in_file, 7)], ids=["threads", "processes"])
Opens = Callable[..., Backend]


def judged(backend: Backend, code: str, tmp_path: Path) -> Result:
    """Return the result of a check at the lowest effort."""
    return bench(backend, tmp_path).judge(catalogue()[code])


@EACH_PLACE
@EACH_LEVEL
def test_an_honest_store_keeps_its_level(level: str, opens: Opens, tens: int, tmp_path: Path) -> None:
    """What it does not promise is not asked."""
    backend = opens("honest", HONEST[level], isolation=level)
    assert judged(backend, f"STATE-CONC-{tens}1", tmp_path).outcome == "pass"
    if level == "read-committed":
        for place in (2, 3):
            result = judged(backend, f"STATE-CONC-{tens}{place}", tmp_path)
            assert result.outcome == "not applicable"
            assert result.reason.startswith("isolation is promised at 'read-committed' only")


def test_the_level_that_holds_is_told(tmp_path: Path) -> None:
    """With the anomaly, and with the transactions that show it and no others."""
    # Who promises one order of all may be found to break the order of time before a write is skewed.
    backend = replace(BACKENDS.write_skew_by_threads, consistency="sessions")
    result = bench(backend, tmp_path, effort=LONG_ENOUGH).judge(catalogue()["STATE-CONC-61"])
    assert result.counterexample is not None
    assert result.counterexample.expected == "serializable isolation"
    assert result.counterexample.got.endswith("so it is not serializable; what holds is snapshot isolation")
    assert all("transaction(" in line for line in result.counterexample.story if line.startswith("w"))


@pytest.mark.parametrize(
    ("consistency", "kind"), [("linearizable", "strict serializable"), ("sessions", "serializable")]
)
def test_real_time_is_asked_of_who_promises_one_order(consistency: str, kind: str, tmp_path: Path) -> None:
    """A store of sessions may let a transaction see an older state."""
    crew: Any = Crew(Searched(rounds=1, operations=8, overlapping=1))
    one = bench(in_memory("mine", Optimistic, consistency=consistency), tmp_path)
    one.rooms["concurrency", "state"] = crew
    assert one.judge(catalogue()["STATE-CONC-61"]).outcome == "pass"
    assert {order.plan for order in crew.orders} == {f"{kind} transactions"}


@pytest.mark.parametrize(
    ("opens", "codes"), [(in_memory, ("81", "02")), (in_file, ("82", "12", "13"))], ids=["threads", "processes"]
)
def test_an_honest_cache_keeps_its_sessions(opens: Opens, codes: tuple[str, ...], tmp_path: Path) -> None:
    """And whole values; and all keys are there for a new handle, when all are done."""
    backend = opens("cached", Cached, consistency="sessions")
    for code in codes:
        assert judged(backend, f"STATE-CONC-{code}", tmp_path / code).outcome == "pass"


def test_sessions_and_one_order_are_not_asked_together(tmp_path: Path) -> None:
    """Who promises sessions only is not asked for one order, and who promises one order not for less."""
    weak = judged(in_memory("cached", Cached, consistency="sessions"), "STATE-CONC-01", tmp_path)
    assert (weak.outcome, weak.reason) == (
        "not applicable",
        "consistency is promised at 'sessions' only; the check is about 'linearizable'",
    )
    strong = judged(in_memory("strong", Snapshots), "STATE-CONC-81", tmp_path)
    assert strong.outcome == "not applicable"
    assert "STATE-CONC-01" in strong.reason


def test_increments_by_hand_are_counted_and_pass(tmp_path: Path) -> None:
    """What is lost is told, and is no failure."""
    backend = Backend("plain", state=open_plain, sharing="threads")
    effort = replace(LONG_ENOUGH, round_seconds=1.0)
    result = bench(backend, tmp_path, effort=effort).judge(catalogue()["STATE-CONC-91"])
    assert (result.outcome, result.level) == ("pass", "should")
    assert result.evidence["increments lost"] > 0


def test_a_store_with_transactions_needs_no_increments_by_hand(tmp_path: Path) -> None:
    """The reason names what it offers."""
    result = judged(in_memory("mine", Optimistic), "STATE-CONC-91", tmp_path)
    assert result.outcome == "not applicable"
    assert "transactions count without a loss" in result.reason
