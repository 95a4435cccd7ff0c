"""Checks about kills and about upkeep: whom they concern, that honest stores pass, and what a failure shows."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.backend import Backend
from conformance.check import catalogue
from conformance.histories.operation import NEVER, Operation
from conformance.histories.rounds.round import Round
from conformance.histories.search import Found, Searched
from conformance.histories.verdict import Verdict
from conformance.workers import WorkerError
from tests.benches import bench
from tests.mutants import concurrency_kills, concurrency_upkeep
from tests.suites.test_concurrency import Crew

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")


@pytest.mark.parametrize(
    ("backend", "code"),
    [
        (concurrency_kills.HONEST, "STATE-CONC-41"),
        (concurrency_kills.HONEST_LOG, "LOG-CONC-41"),
        (concurrency_upkeep.HONEST_MEMORY, "STATE-CONC-51"),
        (concurrency_upkeep.HONEST, "STATE-CONC-52"),
        (concurrency_upkeep.HONEST_MEMORY_LOG, "LOG-CONC-51"),
        (concurrency_upkeep.HONEST_LOG, "LOG-CONC-52"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_an_honest_store_passes(backend: Backend, code: str, tmp_path: Path) -> None:
    """With evidence."""
    result = bench(backend, tmp_path).judge(catalogue()[code])
    assert result.outcome == "pass", result
    assert result.evidence["comparisons"] > 0


@pytest.mark.parametrize(
    ("backend", "code", "reason"),
    [
        (replace(concurrency_kills.HONEST, durability="clean-close"), "STATE-CONC-41", "durability is promised at"),
        (replace(concurrency_kills.HONEST_LOG, durability="volatile"), "LOG-CONC-41", "durability is promised at"),
        (concurrency_kills.HONEST, "STATE-CONC-52", "maintenance is not offered"),
        (concurrency_kills.HONEST_LOG, "LOG-CONC-52", "compaction is not offered"),
        (concurrency_upkeep.HONEST_MEMORY, "STATE-CONC-52", "sharing is promised at"),
    ],
    ids=["clean close", "volatile", "no upkeep", "no compaction", "threads"],
)
def test_who_does_not_promise_it_is_not_asked(backend: Backend, code: str, reason: str, tmp_path: Path) -> None:
    """And the reason says so."""
    check = replace(catalogue()[code], needs=())
    result = bench(backend, tmp_path).judge(check)
    assert result.outcome == "not applicable"
    assert result.reason.startswith(reason)


def test_a_compaction_is_shown_beside_what_it_took_away(tmp_path: Path) -> None:
    """It is not judged, since it changes nothing that anybody may see; but it may be the culprit."""
    history = [
        Operation(0, 1, 1, "compact"),
        Operation(2, 4, 0, "put", "a", 1),
        Operation(3, 5, 1, "compact"),
        Operation(6, 7, 0, "get", "a"),
        Operation(8, NEVER, 1, "flush", outcome="info"),
    ]
    one = bench(replace(concurrency_upkeep.HONEST_MEMORY), tmp_path)
    found = Found(0, Round(history), Verdict("not linearizable", "something"))
    one.rooms["concurrency", "state"] = Crew(Searched(rounds=1, operations=5, overlapping=1, found=found))
    result = one.judge(replace(catalogue()["STATE-CONC-51"], needs=()))
    assert result.outcome == "fail"
    assert result.counterexample is not None
    shown = " ".join(result.counterexample.story)
    assert shown.count("compact()") == 1
    assert "flush" not in shown


def test_without_processes_nothing_is_said(tmp_path: Path) -> None:
    """The check is inconclusive."""
    one = bench(concurrency_kills.HONEST, tmp_path)
    one.rooms["concurrency", "state"] = Crew(WorkerError("no fork"))
    result = one.judge(replace(catalogue()["STATE-CONC-41"], needs=()))
    assert (result.outcome, result.reason) == ("inconclusive", "no fork")
