"""Threads that append at the same time: they try until they have met."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.address import load
from conformance.check import catalogue
from conformance.result import Result
from conformance.suites.replay import log_order
from tests.benches import bench


def judged(met_after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    """Return the result of a log in memory whose threads meet after so many tries."""
    tries = 0

    def overlaps(_: object) -> bool:
        nonlocal tries
        tries += 1
        return tries > met_after

    monkeypatch.setattr(log_order, "overlaps", overlaps)
    return bench(load("reference_backends.memory:backend"), tmp_path).judge(catalogue()["LOG-REPLAY-06"])


def test_threads_that_miss_each_other_try_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten tries in a row without a meeting, which chance gives now and then, decide nothing."""
    result = judged(40, tmp_path, monkeypatch)
    assert (result.outcome, result.evidence["meetings"]) == ("pass", 1)


def test_threads_that_never_meet_show_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all tries were in vain the check is inconclusive, and not a pass."""
    result = judged(1_000, tmp_path, monkeypatch)
    assert (result.outcome, result.reason) == ("inconclusive", "no two threads ever appended at the same time")
