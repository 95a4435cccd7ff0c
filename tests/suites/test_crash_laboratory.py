"""The laboratory of the checks of crashes: what all workloads of a store share."""

from __future__ import annotations

import math
from collections.abc import Set as AbstractSet
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.address import load
from conformance.check import catalogue
from conformance.crash.explore import Explorer, Finding
from conformance.crash.history import Moment, Verdict
from conformance.crash.observe import Observation
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


@pytest.mark.parametrize(
    ("alone", "found"),
    [("torn", "torn"), ("lost", "lost"), ("cannot open", None), ("fine", None)],
    ids=["the same", "broken in another way", "not the concern of the rule", "nothing"],
)
def test_what_a_process_shows_alone_counts(alone: Verdict, found: Verdict | None) -> None:
    """A finding that another tree had a part in is judged anew; what is still broken by the rule is shown as it is."""
    state, moment = SimpleNamespace(kept=(), point=1), Moment(1, 1, running=False)
    finding = Finding("torn", "ext4", state, moment, Observation("usable"))  # type: ignore[arg-type]
    explorer: Any = SimpleNamespace(
        disk=lambda _: SimpleNamespace(tree=lambda _: {}),
        observe_alone=lambda _: Observation("usable", detail="alone"),
        recorded=SimpleNamespace(history=SimpleNamespace(judge=lambda *_: alone)),
    )
    sure = module.confirmed(explorer, [finding], lambda one: one.verdict in ("torn", "lost"))
    assert (sure and sure.verdict) == found
    assert sure is None or sure.observation.detail == "alone"
