"""Growth: what is measured, when it is clear, and an agent that is killed for a short time."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.address import load
from conformance.check import catalogue
from conformance.effort import EFFORTS
from conformance.replay.growth import CONSTANT, FACTOR, Bound, Reading, in_memory, on_disk, open_files, rested
from conformance.replay.lifetimes import FEW, Count
from conformance.replay.meters import descriptors, disk_of, memory, threads
from tests.benches import bench
from tests.mutants.log_base import HONEST, PlainLog, backend
from tests.mutants.registry import BACKENDS

FIRST = Reading(operations=10, written=10_000, live=100, disk=5_000, memory=70_000, files=9)


def later(**changes: int) -> Reading:
    """Return a later reading."""
    return replace(FIRST, operations=1_000, written=80_000_000, **changes)


def test_a_bound_is_decided_when_little_or_too_much_is_left() -> None:
    """Up to an eighth of what was written is little; more than the constant is too much; between, more is written."""
    live = FACTOR * FIRST.live
    assert on_disk(FIRST, later(disk=5_000)) == Bound(0, live + 10_000_000, live + CONSTANT)
    assert on_disk(FIRST, later(disk=10_005_400)).decided
    assert not on_disk(FIRST, later(disk=10_005_401)).decided
    assert on_disk(FIRST, later(disk=CONSTANT + 5_401)).decided


def test_files_that_are_too_large_are_looked_at_again() -> None:
    """A store may end in the background what it does there; what is still too much after the rest counts."""
    large, small = later(disk=CONSTANT + 5_401), later(disk=5_000)
    several = iter([large, large, small, large])
    assert rested([FIRST], lambda: next(several)) == small
    assert rested([FIRST], lambda: large, 0.1) == large
    assert rested([], lambda: large) == large  # the first one is what the others are compared with


class RewritingLog(PlainLog):
    """A log that, once, has more than the constant on the disk until a thread has ended."""

    compactions = 0

    def compact(self, upto: int) -> None:
        """Drop events, and take up much room for a moment."""
        super().compact(upto)
        self.compactions += 1
        if self.compactions == 2:
            copy = self.path.with_name("copy")
            with copy.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, CONSTANT + (1 << 20))
            threading.Timer(0.3, copy.unlink, (True,)).start()  # the place may be gone by then


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="a large file takes long to write")
def test_a_compaction_in_the_background_may_end(tmp_path: Path) -> None:
    """A server that rewrites its file has both for a time; that is no growth."""
    result = bench(backend("rewriting", RewritingLog), tmp_path).judge(catalogue()["LOG-REPLAY-51"])
    assert result.outcome == "pass", result


def test_what_nobody_tells_has_no_bound() -> None:
    """Where memory and descriptors can't be counted, nothing is said of them."""
    blind = replace(FIRST, memory=None, files=None)
    assert in_memory(blind, blind) is None
    assert open_files(blind, blind) is None


def test_counts_are_compared_with_the_first() -> None:
    """A process may have a few descriptors and threads more, and no more than those."""
    first = Count(10, 9, 1)
    assert not Count(20, 9 + FEW, 1 + FEW).leaks(first)
    assert Count(20, 10 + FEW, 1).leaks(first)
    assert Count(20, 9, 2 + FEW).leaks(first)


def test_meters_count(tmp_path: Path) -> None:
    """Files, memory, descriptors and threads are counted, or it is said that nobody can."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(b"x" * 10_000)
    before = descriptors()
    with (tmp_path / "folder" / "file").open("rb"):
        assert before is None or descriptors() == before + 1
    assert 10_000 <= disk_of(tmp_path) < 100_000
    assert memory() is None or memory() > 1_000_000  # type: ignore[operator]
    assert threads() >= 1


@pytest.mark.parametrize("address", ["reference_backends.wal:backend", "reference_backends.sqlite:backend"])
def test_an_agent_goes_on_where_it_was(address: str, tmp_path: Path) -> None:
    """An agent that is killed for a short time finds what was acknowledged; kills land inside calls."""
    one = bench(load(address), tmp_path, effort=replace(EFFORTS["quick"], agent_seconds=0.5))
    result = one.judge(catalogue()["LOG-REPLAY-61"])
    assert result.outcome == "pass", result
    assert min(result.evidence[kind] for kind in ("lives", "kills inside a call", "appends", "checkpoints")) > 0


def test_an_agent_is_simulated_at_thorough_only(tmp_path: Path) -> None:
    """At the other efforts the check does not apply, and says why."""
    result = bench(HONEST, tmp_path).judge(catalogue()["LOG-REPLAY-61"])
    assert (result.outcome, result.reason) == (
        "not applicable",
        "an agent is simulated at the effort 'thorough' only: it takes a minute",
    )


def test_a_failure_shows_the_readings(tmp_path: Path) -> None:
    """Growth is shown as what was measured, at several times."""
    result = bench(BACKENDS.segments_stay_open, tmp_path).judge(catalogue()["LOG-REPLAY-52"])
    assert result.counterexample is not None
    assert "open files" in result.counterexample.what
    assert len(result.counterexample.story) >= 5
    assert all("on disk" in line for line in result.counterexample.story)


def test_a_store_with_history_is_left_out(tmp_path: Path) -> None:
    """Its contract wants that it keeps every version, so that its size follows the writes."""
    one = bench(load("reference_backends.sqlite:backend"), tmp_path)
    results = [one.judge(catalogue()[f"STATE-REPLAY-5{number}"]) for number in (1, 2, 3)]
    assert [result.outcome for result in results] == ["not applicable", "not applicable", "pass"]
