"""Histories of state stores: what the checks look at, and that they show what is wrong."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.address import load
from conformance.backend import Backend, Where
from conformance.check import catalogue
from conformance.replay.errands import Errand, carry_out
from conformance.replay.histories import Look, Offered, alike, live, look_again
from conformance.replay.worlds import WORLDS
from conformance.session import ManualClock, Session
from conformance.workers import Crew
from tests.benches import bench
from tests.mutants.capable_base import HONEST, CapableState, capable
from tests.mutants.registry import BACKENDS

CODES = tuple(f"STATE-REPLAY-0{number}" for number in range(1, 5))
ANY_PROCESS = "nothing that is different there is enough by itself"
ALL = Offered(cas=True, history=True, snapshots=True, compact=True, lasting=True)


def environment(backend: Backend, step: Callable[[], None]) -> tuple[int, str, str]:
    """Return what a store might depend on; runs in another process."""
    import time

    return hash("text"), time.strftime("%z"), os.getcwd()


def test_processes_elsewhere_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes have other hash seeds, time zones and directories than each other, and read the same store."""
    assert WORLDS[0].name != WORLDS[1].name
    monkeypatch.chdir(tmp_path)
    where = Where(Path(), clock=ManualClock())  # it is the same for those who have gone to another directory
    with closing(Session(HONEST, "state", where)) as session:
        session.open()["a"] = 1
    with closing(Crew(HONEST, "state", environments=[world.environment for world in WORLDS])) as crew:
        one, two = (crew.call(carry_out, Errand(environment, world), worker=n).value for n, world in enumerate(WORLDS))
        assert one[0] != two[0]
        assert {one[1], two[1]} == {"+1400", "-1100"}
        assert len({one[2], two[2], str(tmp_path)}) == 3
        errands = [Errand(look_again, world, where, (ALL, (KeyError,))) for world in WORLDS]
        looks = [outcome.value for outcome in crew.each(carry_out, errands)]
    assert [look.entries for look in looks] == [[("a", 1)]] * 2
    assert looks[0].versions["a"] == [(1, 1)]


class Locked(CapableState):
    """A store that one process may have open at a time."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.lock = path.with_name("lock")
        self.lock.touch(exist_ok=False)
        super().__init__(path, clock)

    def close(self) -> None:
        """Let the lock go."""
        if not self.closed:
            self.lock.unlink()
        super().close()


class LostElsewhere(CapableState):
    """A store that opens only in the process that made it."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        owner = path.with_name("owner")
        if not owner.exists():
            owner.write_text(str(os.getpid()))
        elif owner.read_text() != str(os.getpid()):
            raise OSError("it belongs to another process")
        super().__init__(path, clock)


def test_nobody_has_the_store_open_while_another_reads_it(tmp_path: Path) -> None:
    """A store that refuses to be open twice passes."""
    one = bench(capable("locked", Locked), tmp_path)
    assert [one.judge(catalogue()[code]).outcome for code in CODES] == ["pass"] * len(CODES)


def test_what_is_raised_elsewhere_is_a_failure(tmp_path: Path) -> None:
    """A store that does not open in another process fails; what it raised is shown, and the calls that led there."""
    result = bench(capable("lost_elsewhere", LostElsewhere), tmp_path).judge(catalogue()["STATE-REPLAY-03"])
    shown = result.counterexample
    assert shown is not None
    assert shown.what == "reading the store in another process (east, in a year)"
    assert shown.got == "OSError: it belongs to another process"
    assert shown.story[-3:-1] == ("store.close()", "the process: east, in a year")
    assert shown.story[-1].startswith(ANY_PROCESS)


@pytest.mark.parametrize(
    ("name", "world", "told"),
    [
        # Whoever reads it has another hash seed than the process that wrote.
        ("keys_by_hash", WORLDS[0].name, f"{ANY_PROCESS}; any new process gives something else than this one"),
        ("local_time_of_writing", WORLDS[1].name, "this alone is enough: TZ=WST11, or the wall clock"),
    ],
)
def test_what_of_a_world_is_enough_is_told(name: str, world: str, told: str, tmp_path: Path) -> None:
    """A store that shows something else in another world fails there, and the point that matters is named."""
    result = bench(getattr(BACKENDS, name), tmp_path).judge(catalogue()["STATE-REPLAY-01"])
    assert result.counterexample is not None
    assert result.counterexample.what == f"the keys in another process ({world})"
    assert result.counterexample.story[-2:] == (f"the process: {world}", told)
    assert result.conditions == {"wall clock": "moved"}


def test_looks_are_alike_whatever_the_order_of_keys() -> None:
    """Keys and names may be listed in any order; versions may not, and no value may differ in its type."""
    versions: dict[str, list[tuple[Any, Any]]] = {"a": [(2, "new"), (1, "old")]}
    look = Look([("a", 1), ("b", 2)], 2, {"a": 7}, versions, [("one", {}), ("two", {"a": 1})])
    assert alike(look, replace(look, entries=look.entries[::-1], snapshots=look.snapshots[::-1]))
    assert not alike(look, replace(look, entries=[("a", 1.0), ("b", 2)]))
    assert not alike(look, replace(look, length=3))
    assert not alike(look, replace(look, tokens={"a": 8}))
    assert not alike(look, replace(look, versions={"a": versions["a"][::-1]}))
    assert not alike(look, replace(look, snapshots=[("one", {}), ("two", {"a": 2})]))


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
