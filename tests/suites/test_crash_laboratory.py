"""The laboratory of the checks of crashes: what all workloads of a store share."""

from __future__ import annotations

import math
from collections.abc import Set as AbstractSet
from pathlib import Path
from types import SimpleNamespace

import pytest

from conformance.address import load
from conformance.check import catalogue
from conformance.crash.explore import Explorer
from conformance.effort import EFFORTS
from conformance.suites.crash_recovery import laboratory as module
from tests.benches import bench

NAMES = ("puts and deletes", "overwrites growing and shrinking", "closing and reopening")


def test_the_search_for_scratch_files_has_one_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one workload has taken of it is not there for the next; each opening of a server takes long."""
    given: list[float] = []
    clock = iter(range(100))

    def searched(_explorer: Explorer, _known: AbstractSet[str], seconds: float = math.inf) -> frozenset[int]:
        given.append(seconds)
        return frozenset()

    one = bench(load("tests.odd.crash:ODD_CRASH_DOCUMENT"), tmp_path)
    trial = one.trial(catalogue()["STATE-CRASH-01"])
    module.laboratory(trial)
    monkeypatch.setattr(module, "scratch_files", searched)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    for name in NAMES:
        module.explorer_of(trial, name)
    seconds = module._SCRATCH * EFFORTS["quick"].crash_seconds
    assert given == [seconds, seconds - 1.0, seconds - 2.0]
    assert seconds < module._SCRATCH_S
