"""The checks of logs in `replay`: who passes them, and whom they blame in which words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.address import load
from conformance.backend import Backend
from conformance.check import Check, catalogue
from conformance.result import Counterexample, Result
from conformance.suites.replay import elsewhere, log_order
from tests.benches import bench
from tests.mutants.log_base import HONEST, PlainLog
from tests.mutants.log_base import backend as backend_of
from tests.mutants.registry import BACKENDS

ADDRESSED = replace(HONEST, address="tests.mutants.log_base:HONEST")
#: Those of one log and its fold.
CODES = [f"LOG-REPLAY-{number:02}" for number in (*range(1, 9), 11, 12, 21, 22)]
CHECKS = [catalogue()[code] for code in CODES]


def judged(backend: Backend, root: Path, checks: list[Check] = CHECKS) -> dict[str, Result]:
    """Carry out checks."""
    one = bench(backend, root)
    return {check.code: one.judge(check) for check in checks}


def failure(name: str, code: str, root: Path) -> Counterexample:
    """Return what a check shows of a mutant."""
    result = judged(getattr(BACKENDS, name), root, [catalogue()[code]])[code]
    assert result.counterexample is not None, result
    return result.counterexample


def test_the_honest_log_is_judged_by_every_check(tmp_path: Path) -> None:
    """No check is left out on a log that offers everything and promises everything; each tells what it has done."""
    results = judged(ADDRESSED, tmp_path)
    assert [result for result in results.values() if result.outcome != "pass"] == []
    evidence = {code: result.evidence for code, result in results.items()}
    assert evidence["LOG-REPLAY-03"]["processes"] == 2
    assert evidence["LOG-REPLAY-08"]["kills in an append"] == 3
    assert results["LOG-REPLAY-01"].conditions["fold"] == "the kit's"
    assert results["LOG-REPLAY-03"].conditions["wall clock"] == "moved"


@pytest.mark.parametrize("name", ["memory", "sqlite", "wal"])
def test_reference_logs_pass(name: str, tmp_path: Path) -> None:
    """The shipped logs fail no check."""
    results = judged(load(f"reference_backends.{name}:backend"), tmp_path)
    assert [result for result in results.values() if result.outcome not in ("pass", "not applicable")] == []


def test_a_fold_that_uses_the_clock_is_blamed_and_not_the_log(tmp_path: Path) -> None:
    """The state is shown as a path with both values, and who is to blame; the checks of the log are blocked."""
    results = judged(BACKENDS.replay_wall_clock, tmp_path, CHECKS[:3])
    shown = results["LOG-REPLAY-01"].counterexample
    assert shown is not None
    assert shown.what.endswith(": the fold gives another state; the events are the same")
    assert shown.got.startswith("another one, first at position 1: $.seen: ")
    assert [results[code].outcome for code in CODES[:3]] == ["fail", "blocked", "blocked"]


def test_what_of_another_process_is_enough_is_named(tmp_path: Path) -> None:
    """A set in a fold is found by its hash seed, a log that drops what is old by its clock."""
    for name, code, enough in (
        ("replay_set_order", "LOG-REPLAY-01", "PYTHONHASHSEED=1"),
        ("replay_retention", "LOG-REPLAY-03", "the wall clock"),
    ):
        shown = failure(name, code, tmp_path / name)
        assert shown.story == ("the process: east, in a year", f"this alone is enough: {enough}")


def test_a_log_that_gives_other_events_is_blamed(tmp_path: Path) -> None:
    """A log of another order shows the first position, in the shortest log that was tried."""
    shown = failure("replay_index_of_a_set", "LOG-REPLAY-02", tmp_path)
    assert shown.what == "replaying the log after it was closed and opened: the log gives other events"
    assert shown.got.startswith("first at position ")
    assert len(shown.calls) < 60


def test_a_checkpoint_that_lost_an_event_is_blamed(tmp_path: Path) -> None:
    """The state of the checkpoint is compared with what its events fold to."""
    shown = failure("replay_checkpoint_loses", "LOG-REPLAY-11", tmp_path)
    assert shown.what.endswith("the checkpoint at 2 gives another state; the events are the same")
    assert shown.got == "another one, first at position 2: $.count: 1 read, 2 appended"


def test_a_kill_shows_the_lives(tmp_path: Path) -> None:
    """What each process was told, and in which append it was killed, is shown."""
    shown = failure("replay_in_pairs", "LOG-REPLAY-08", tmp_path)
    assert shown.story[0].startswith("process 1: acknowledged {'n': 0")
    assert "killed at call 1 of the append of {'n': 1" in shown.story[0]


def deaf(state: Any, event: Any) -> Any:
    """Take no event."""
    return state or {}


def demanding(state: Any, event: Any) -> Any:
    """Take events of its own program only."""
    return {"total": event["price"]}


DEAF, DEMANDING = (backend_of(fold.__name__, PlainLog, fold=fold) for fold in (deaf, demanding))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("DEAF", "the fold gives the same state whatever happens"),
        ("DEMANDING", "the fold raised KeyError: 'price'"),
    ],
)
def test_a_fold_that_can_not_be_used_tells_nothing(name: str, reason: str, tmp_path: Path) -> None:
    """A fold that makes nothing of the kit's events, or raises, is inconclusive, and the log is not judged."""
    backend = replace(globals()[name], address=f"{__name__}:{name}")
    results = judged(backend, tmp_path, CHECKS[:2])
    assert results["LOG-REPLAY-01"].outcome == "inconclusive"
    assert results["LOG-REPLAY-01"].reason.startswith(reason)
    assert results["LOG-REPLAY-02"].outcome == "blocked"


def test_without_the_library_the_clock_is_not_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check about stepping clocks does not apply, and the others say that the clock was the true one."""
    for module in (elsewhere, log_order):
        monkeypatch.setattr(module, "can_travel", lambda: False)
    results = judged(ADDRESSED, tmp_path, [catalogue()["LOG-REPLAY-03"], catalogue()["LOG-REPLAY-05"]])
    assert results["LOG-REPLAY-05"].outcome == "not applicable"
    assert "extra `clock`" in results["LOG-REPLAY-05"].reason
    assert results["LOG-REPLAY-03"].conditions["wall clock"] == "not moved: time-machine is not installed"
