"""Every honest and odd vector store passes the checks of the vectors contract."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conformance.address import load
from conformance.backend import Backend
from conformance.check import Check, catalogue
from conformance.result import Result
from tests.benches import bench
from tests.mutants import vectors_crash
from tests.mutants.vectors_base import HONEST
from tests.odd.vectors import ODD

CHECKS = [check for check in catalogue().values() if (check.contract, check.suite) == ("vectors", "round-trip")]
CRASHES = [check for check in catalogue().values() if (check.contract, check.suite) == ("vectors", "crash-recovery")]

TOGETHER = [check for check in catalogue().values() if (check.contract, check.suite) == ("vectors", "concurrency")]
DAMAGED = [check for check in catalogue().values() if (check.contract, check.suite) == ("vectors", "corruption")]
EVERYWHERE = [check for check in catalogue().values() if (check.contract, check.suite) == ("vectors", "replay")]


def judged(backend: Backend, root: Path, checks: list[Check]) -> dict[str, Result]:
    """Carry out the round-trip checks of the vectors contract."""
    one = bench(backend, root)
    return {check.code: one.judge(check) for check in checks}


@pytest.mark.parametrize("backend", ODD, ids=lambda backend: backend.name)
def test_odd_stores_pass(backend: Backend, tmp_path: Path) -> None:
    """A vector store that obeys the contract in its own way fails no check."""
    results = judged(backend, tmp_path, CHECKS)
    assert [result for result in results.values() if result.outcome not in ("pass", "not applicable")] == []


def test_the_honest_store_is_judged_by_every_check(tmp_path: Path) -> None:
    """No check but that of approximate stores is left out on a store that offers everything."""
    results = judged(HONEST, tmp_path, CHECKS)
    assert [code for code, result in results.items() if result.outcome != "pass"] == ["VECTORS-RECALL-01"]


def test_the_reference_passes(tmp_path: Path) -> None:
    """The shipped vector store, which is exact, fails no check, and all but one apply to it."""
    pytest.importorskip("faiss")
    results = judged(load("reference_backends.vectors:backend"), tmp_path, CHECKS)
    assert [code for code, result in results.items() if result.outcome != "pass"] == ["VECTORS-RECALL-01"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")
@pytest.mark.parametrize("backend", ODD, ids=lambda backend: backend.name)
def test_workers_of_odd_stores_get_along(backend: Backend, tmp_path: Path) -> None:
    """A vector store that several may use in a way of its own is accused of nothing when they do."""
    outcomes = {code: result.outcome for code, result in judged(backend, tmp_path, TOGETHER).items()}
    alone = {"VECTORS-CONC-01", "VECTORS-CONC-02"} if backend.sharing == "threads" else set()
    assert outcomes == {code: "not applicable" if code in alone else "pass" for code in outcomes}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")
@pytest.mark.parametrize("backend", ODD, ids=lambda backend: backend.name)
def test_odd_stores_are_the_same_everywhere(backend: Backend, tmp_path: Path) -> None:
    """A vector store that has an order of its own, and keeps to it, is not accused; nor is one that lasts no longer."""
    results = judged(backend, tmp_path, EVERYWHERE)
    assert {code: result.outcome for code, result in results.items()} == {"VECTORS-REPLAY-01": "pass"}


def test_a_store_that_replaces_its_file_survives_every_crash(tmp_path: Path) -> None:
    """The honest store of the crash mutants passes all checks of crashes."""
    results = judged(vectors_crash.HONEST, tmp_path, CRASHES)
    assert [code for code, result in results.items() if result.outcome != "pass"] == []


def test_the_reference_survives_every_crash(tmp_path: Path) -> None:
    """Records and index of the shipped store agree after every crash that is tried."""
    pytest.importorskip("faiss")
    results = judged(load("reference_backends.vectors:backend"), tmp_path, CRASHES)
    assert [code for code, result in results.items() if result.outcome != "pass"] == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")
def test_the_reference_is_sound_together_everywhere_and_on_damaged_files(tmp_path: Path) -> None:
    """The shipped store passes the other suites, but for checks of damage that it does not promise to withstand."""
    pytest.importorskip("faiss")
    results = judged(load("reference_backends.vectors:backend"), tmp_path, [*TOGETHER, *EVERYWHERE, *DAMAGED])
    beyond = [f"VECTORS-CORR-{number}" for number in (11, 12, 21, 22)]
    assert [code for code, result in results.items() if result.outcome == "not applicable"] == beyond
    assert {result.outcome for code, result in results.items() if code not in beyond} == {"pass"}
