"""Histories of state stores: what the checks look at, and that they show what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.address import load
from conformance.backend import Where
from conformance.check import catalogue
from conformance.replay.histories import Offered, live
from conformance.replay.strange import in_strange_processes
from conformance.session import ManualClock, Session
from tests.benches import bench
from tests.mutants.capable_base import HONEST
from tests.mutants.registry import BACKENDS

CODES = tuple(f"STATE-REPLAY-0{number}" for number in range(1, 5))
ALL = Offered(cas=True, history=True, snapshots=True, compact=True, lasting=True)


def environment(elsewhere: Path) -> tuple[int, str, bool]:
    """Return what a store might depend on; runs in another process."""
    import time

    return hash("text"), time.strftime("%z"), elsewhere.is_dir()


def test_processes_elsewhere_differ() -> None:
    """The processes have other hash seeds and time zones than each other, and a directory to go to."""
    (first, one), (second, two) = in_strange_processes(environment)
    assert first != second
    assert one[0] != two[0]
    assert {one[1], two[1]} == {"+1400", "-0330"}
    assert one[2]
    assert two[2]


def test_the_honest_store_is_judged_by_every_check(tmp_path: Path) -> None:
    """A store with history, snapshots and versions passes all checks, and each looks at all of it, everywhere."""
    one = bench(HONEST, tmp_path)
    results = [one.judge(catalogue()[code]) for code in CODES]
    assert [result.outcome for result in results] == ["pass"] * len(CODES)
    assert {result.evidence["looks"] for result in results} == {11}


def test_a_life_is_the_same_for_a_seed(tmp_path: Path) -> None:
    """One seed gives one script; it deletes, compacts, keeps snapshots and reopens, whatever is drawn."""
    lives = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        session = Session(HONEST, "state", Where(tmp_path / name, clock=ManualClock()))
        lives.append(live(session, ALL, (KeyError,), 20, seed=7))
        session.close()
    assert lives[0].calls == lives[1].calls
    for part in ("del store['a']", "compact()", "save_snapshot", "session.open()"):
        assert any(part in call for call in lives[0].calls), part


def test_a_failure_shows_the_calls(tmp_path: Path) -> None:
    """A failure says when and where something was read, and which calls had been made by then."""
    result = bench(BACKENDS.compaction_merges_versions, tmp_path).judge(catalogue()["STATE-REPLAY-02"])
    assert result.counterexample is not None
    assert result.counterexample.what.startswith("the value of version 1 of 'a'")
    assert result.counterexample.story[-1] == "store.compact()"


@pytest.mark.parametrize("name", ["memory", "wal"])
def test_what_is_not_offered_is_left_out(name: str, tmp_path: Path) -> None:
    """A volatile store is not asked from elsewhere, one without history not for versions; no check is inconclusive."""
    one = bench(load(f"reference_backends.{name}:backend"), tmp_path)
    outcomes = {code: one.judge(catalogue()[code]).outcome for code in CODES}
    absent = {"memory": {"STATE-REPLAY-01"}, "wal": {"STATE-REPLAY-02", "STATE-REPLAY-03"}}[name]
    assert {code for code, outcome in outcomes.items() if outcome == "not applicable"} == absent
    assert {outcome for code, outcome in outcomes.items() if code not in absent} == {"pass"}
