"""The checks about opening: whom they concern, and what they say."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import Backend
from conformance.check import catalogue
from conformance.result import Result
from conformance.suites.concurrency import opening
from conformance.workers import WorkerError
from tests.benches import LONG_ENOUGH, bench
from tests.mutants.concurrency_openers import HONEST
from tests.mutants.concurrency_processes import HONEST as DOCUMENT
from tests.mutants.registry import mutants

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")


def test_an_exclusive_store_passes(tmp_path: Path) -> None:
    """A store for one process that refuses the second one, and is let go of by a kill."""
    result = bench(HONEST["owned_by_lock"], tmp_path).judge(catalogue()["STATE-CONC-34"])
    assert (result.outcome, result.level) == ("pass", "should"), result
    assert result.evidence["comparisons"] > 0


@pytest.mark.parametrize(
    ("backend", "code", "reason"),
    [
        (DOCUMENT, "STATE-CONC-34", "sharing is promised at 'processes'; the check is about 'threads'"),
        (
            replace(DOCUMENT, sharing="threads"),
            "STATE-CONC-34",
            "a second process is let in, and nothing is promised to it",
        ),
        (
            replace(DOCUMENT, durability="clean-close"),
            "STATE-CONC-32",
            "durability is promised at 'clean-close' only; the check is about 'process-crash'",
        ),
    ],
    ids=["for processes", "lets others in", "bears no kill"],
)
def test_whom_it_does_not_concern(backend: Backend, code: str, reason: str, tmp_path: Path) -> None:
    """The reason is told."""
    result = bench(backend, tmp_path).judge(catalogue()[code])
    assert (result.outcome, result.reason) == ("not applicable", reason)


def test_a_second_opening_that_waits_is_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be lost then."""
    assert _with_crew("waits", tmp_path, monkeypatch).outcome == "not applicable"


def test_without_workers_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check is inconclusive, with the reason."""
    result = _with_crew(WorkerError("no fork"), tmp_path, monkeypatch)
    assert (result.outcome, result.reason) == ("inconclusive", "no fork")


class Crew:
    """Answers each call with the same."""

    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer

    def call(self, _function: object) -> str:
        """Answer."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def _with_crew(answer: str | Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setattr(opening, "crew_of", lambda _: Crew(answer))
    return bench(HONEST["owned_by_lock"], tmp_path).judge(catalogue()["STATE-CONC-34"])


@pytest.mark.parametrize(
    ("name", "code", "who"),
    [("log_lock_of_the_process", "LOG-CONC-33", "threads"), ("tail_cut_by_openers", "LOG-CONC-31", "processes")],
)
def test_who_met_is_told(name: str, code: str, who: str, tmp_path: Path) -> None:
    """Handles are those of threads."""
    backend = next(one.backend for one in mutants() if one.name == name)
    found = bench(backend, tmp_path, effort=LONG_ENOUGH).judge(catalogue()[code]).counterexample
    assert found is not None
    assert found.what.startswith(f"appends, by 2 {who}; ")
