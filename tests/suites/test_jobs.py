"""Every honest and odd job store passes the checks of the jobs contract, alone and among others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.address import load
from conformance.backend import Backend
from conformance.check import Check, catalogue
from conformance.effort import EFFORTS
from conformance.result import Result
from tests.benches import bench
from tests.mutants.jobs_base import HONEST
from tests.odd.jobs import ODD

CHECKS = [check for check in catalogue().values() if (check.contract, check.suite) == ("jobs", "round-trip")]
AMONG_OTHERS = [check for check in catalogue().values() if (check.contract, check.suite) == ("jobs", "concurrency")]
REFERENCES = [
    "reference_backends.memory:backend",
    "reference_backends.file:backend",
    "reference_backends.sqlite:backend",
    "reference_backends.wal:backend",
]
#: Honest stores get more rounds than a run at quick effort gives them.
MORE_ROUNDS = replace(EFFORTS["quick"], round_seconds=0.5)


def judged(backend: Backend, root: Path, checks: list[Check]) -> dict[str, Result]:
    """Carry out checks."""
    one = bench(backend, root, effort=MORE_ROUNDS)
    return {check.code: one.judge(check) for check in checks}


@pytest.mark.parametrize("backend", ODD, ids=lambda backend: backend.name)
def test_odd_job_stores_pass(backend: Backend, tmp_path: Path) -> None:
    """A job store that obeys the contract in its own way fails no check, those of concurrency included."""
    results = judged(backend, tmp_path, CHECKS + AMONG_OTHERS)
    assert [result for result in results.values() if result.outcome not in ("pass", "not applicable")] == []


def test_the_honest_job_store_is_judged_by_every_check(tmp_path: Path) -> None:
    """No check is left out on a job store that offers everything and promises everything, but those about tasks."""
    addressed = replace(HONEST, address="tests.mutants.jobs_base:HONEST")
    results = judged(addressed, tmp_path, CHECKS + AMONG_OTHERS)
    others = [result for result in results.values() if result.outcome != "pass"]
    assert [result.code for result in others if "no async verbs" not in result.reason] == []


@pytest.mark.parametrize("address", REFERENCES)
def test_reference_job_stores_pass(address: str, tmp_path: Path) -> None:
    """The shipped job stores fail no check."""
    results = judged(load(address), tmp_path, CHECKS + AMONG_OTHERS)
    assert [result for result in results.values() if result.outcome not in ("pass", "not applicable")] == []


def test_jobs_without_claims_are_still_judged(tmp_path: Path) -> None:
    """A store that keeps records of jobs, and no more, is judged by the checks of records; the others do not apply."""
    records = next(backend for backend in ODD if backend.name == "odd_jobs_in_memory")
    results = judged(records, tmp_path, CHECKS)
    assert results["JOBS-RECORD-01"].outcome == "pass"
    assert "claims is not offered" in results["JOBS-DUE-01"].reason
    assert "status is not offered" in results["JOBS-STATUS-01"].reason
    assert "delete_job is not offered" in results["JOBS-DELETE-01"].reason


def test_a_race_is_told_call_by_call(tmp_path: Path) -> None:
    """A job that two workers were given is shown with the calls that gave it, and the order of these."""
    from tests.mutants.registry import BACKENDS

    result = bench(BACKENDS.jobs_read_all_write_all, tmp_path).judge(catalogue()["JOBS-CONC-11"])
    assert result.counterexample is not None
    assert "at the same time" in result.counterexample.got
    assert all("  worker " in line and "claim 'job-" in line for line in result.counterexample.story)
    assert len(result.counterexample.story) > 1
