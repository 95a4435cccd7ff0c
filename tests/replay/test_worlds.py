"""Worlds: what is different in them, one by one, and processes that live there."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.backend import Backend, Where
from conformance.replay import worlds
from conformance.replay.errands import Errand, Start, append_again, carry_out, fold_again, replay_again, restore_again
from conformance.replay.killed import Life, calls_of_an_append, live
from conformance.replay.replay import replayed
from conformance.replay.worlds import PLAIN, WORLDS, World, inside, parts
from conformance.session import ManualClock, Session
from conformance.values.canonical import canonical
from conformance.workers import Bay, Crew
from tests.mutants.log_base import HONEST

ADDRESSED = replace(HONEST, address="tests.mutants.log_base:HONEST")


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    """A worker in each world."""
    with closing(Crew(ADDRESSED, "log", environments=[world.environment for world in WORLDS])) as found:
        yield found


@pytest.fixture
def where(tmp_path: Path) -> Where:
    """A place for a log."""
    return Where(tmp_path, clock=ManualClock())


# Carried out in processes of other worlds.


def tell(backend: Backend, step: Callable[[], None]) -> Any:
    """Tell of everything that is different here, before and after the clock stepped."""
    before = time.time()
    step()
    flags = (sys.flags.hash_randomization, sys.flags.utf8_mode)
    return {
        "hash": hash("text"),
        "flags": flags,
        "zone": time.localtime(0).tm_hour,
        "folder": os.getcwd(),
        "pid": os.getpid(),
        "random": random.random(),
        "clock": before,
        "step": time.time() - before,
    }


def refuse(session: Session, step: Callable[[], None]) -> Any:
    """Raise as a store would."""
    raise OSError("no such log")


def test_worlds_differ_in_everything(crew: Crew) -> None:
    """Hashes, zones, encodings, working directories, processes, seeds and clocks are others in each world."""
    told = [crew.call(carry_out, Errand(tell, world), worker=number).value for number, world in enumerate(WORLDS)]
    here = tell(ADDRESSED, lambda: None)
    for name in ("hash", "zone", "folder", "pid", "random"):
        assert len({one[name] for one in (*told, here)}) == 3, name
    # In each world the clock is years, or a year, away from here, and steps back there.
    assert [round((one["clock"] - here["clock"]) / 86_400) for one in told] == [400, -3_650]
    assert [round(one["step"] / 60) for one in told] == [-60, -1]
    again = crew.call(carry_out, Errand(tell, WORLDS[0])).value
    assert (again["random"], again["hash"]) == (told[0]["random"], told[0]["hash"])
    assert again["pid"] != told[0]["pid"]


def test_each_part_of_a_world_is_one_difference() -> None:
    """All that is different in a world is different in one of its parts, and nothing else."""
    for world in WORLDS:
        found = parts(world)
        assert len({one.name for one in found}) == len(found) == 6
        variables = {name: value for one in found for name, value in one.environment.items() if one != PLAIN}
        assert variables.keys() == {*world.environment, "PYTHONHASHSEED"}
        for one in found:
            points = (one.environment != PLAIN.environment, one.shift is not None, one.seed is not None, one.moved)
            assert sum(points) == 1, one


def test_a_clock_that_can_not_be_moved_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the library the time is the true one, and a step does nothing."""
    monkeypatch.setattr(worlds, "can_travel", lambda: False)
    with inside(World("in a year", shift=1e7), tmp_path) as step:
        before = time.time()
        step()
        assert abs(time.time() - before) < 1e6


def test_processes_of_other_worlds_append_replay_and_restore(
    crew: Crew, where: Where, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A log is appended to in one world, and replayed and restored in the other."""
    events: list[dict[str, int]] = [{"n": number} for number in range(6)]
    start = Start(tmp_path_factory.mktemp("start"), 1)
    done = crew.call(carry_out, Errand(append_again, WORLDS[1], where, (events, start, 2)), worker=1).value
    assert [(one.value, one.answer) for one in done] == [(canonical(event), event["n"] + 1) for event in events]
    assert all(one.call < one.end for one in done)
    found = crew.call(carry_out, Errand(replay_again, WORLDS[0], where)).value
    assert found.entries == list(enumerate(events, 1))
    session = Session(HONEST, "log", where)
    session.open().checkpoint("a state that no fold gives", 4)
    session.close()
    restored = crew.call(carry_out, Errand(restore_again, WORLDS[0], where))
    assert restored.fold_error.startswith("the fold raised TypeError")
    folded = crew.call(carry_out, Errand(fold_again, WORLDS[0], None, (events,))).value
    assert folded.digests == found.digests == replayed(found.entries, fold_of_the_kit()).digests


def fold_of_the_kit() -> Any:
    """Return the default fold."""
    from conformance.replay.folds import fold_events

    return fold_events


def test_what_a_store_raises_elsewhere_is_told(crew: Crew, where: Where) -> None:
    """An exception of a log is the outcome, not an error of the worker; and the worker goes on."""
    assert crew.call(carry_out, Errand(refuse, WORLDS[0], where)).error == "OSError: no such log"
    assert crew.call(carry_out, Errand(tell, WORLDS[0])).error == ""


def test_a_process_is_killed_in_the_midst_of_an_append(crew: Crew, where: Where, tmp_path: Path) -> None:
    """Which appends returned before the kill is known, and which was in flight."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    events = [{"n": number} for number in range(3)]
    calls = crew.call(calls_of_an_append, replace(where, path=scratch), events)
    assert calls > 3
    report = crew.call(live, Life(where, events, 2))
    assert (report.begun, report.acknowledged) == (events, 2)
    assert (report.in_flight, report.error) == (True, "")
    late = crew.call(live, Life(where, events, 10 * calls))
    assert (late.begun, late.acknowledged) == (events, 3)
    assert not late.in_flight


def test_a_log_that_does_not_open_is_told(crew: Crew, where: Where) -> None:
    """An exception before the kill is told."""
    assert crew.call(live, Life(replace(where, path=where.path / "missing"), [1], 1)).error.startswith(
        "OperationalError"
    )


# Workers with variables of their own.


def variable(bay: Bay, name: str) -> str | None:
    """Return a variable of the worker."""
    if name == "raise":
        raise ValueError(name)
    return os.environ.get(name)


def test_workers_have_their_own_environments(crew: Crew) -> None:
    """Each worker has its variables, and is asked by its number or with the others."""
    assert crew.call(variable, "TZ", worker=1) == "WST11"
    assert crew.each(variable, ["TZ", "LANG"]) == ["EST-14", "C"]
    with pytest.raises(Exception, match="ValueError: raise"):
        crew.each(variable, ["raise", "TZ"])
    assert crew.each(variable, ["LANG", "TZ"]) == ["tr_TR.UTF-8", "WST11"]
