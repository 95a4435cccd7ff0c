"""The checks about tasks of runs, jobs and layers: honest async stores pass, and what can't meet is not concerned."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import Backend
from conformance.check import catalogue
from tests.benches import bench
from tests.mutants.base import Mutant
from tests.mutants.records_concurrency_base import HONEST as SYNC
from tests.mutants.records_tasks_base import HONEST
from tests.odd.jobs import ODD as ODD_JOBS
from tests.odd.layers import ODD as ODD_LAYERS
from tests.odd.records import ODD as ODD_RECORDS
from tests.odd.records_tasks import ODD as ODD_TASKS
from tests.odd.runs import ODD as ODD_RUNS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")

CODES = {
    "runs": ("RUNS-CONC-21", "RUNS-CONC-22", "RUNS-CONC-23"),
    "jobs": ("JOBS-CONC-21", "JOBS-CONC-22"),
    "layers": ("LAYERS-CONC-21",),
}
#: Async stores whose coroutines never wait.
NEVER_WAIT = [one for one in (*ODD_RUNS, *ODD_JOBS, *ODD_LAYERS, *ODD_RECORDS) if "async" in one.name]


def contract_of(backend: Backend) -> str:
    """Return the only contract of a backend."""
    return next(contract for contract in CODES if getattr(backend, contract) is not None)


@pytest.mark.parametrize("honest", [*HONEST, *ODD_TASKS], ids=lambda backend: backend.name)
def test_an_honest_async_store_passes(honest: Backend, tmp_path: Path) -> None:
    """With rounds in which calls overlapped."""
    one = bench(replace(honest, address=f"{__name__}:{honest.name.upper()}"), tmp_path)
    results = [one.judge(catalogue()[code]) for code in CODES[contract_of(honest)]]
    assert [(result.outcome, result.reason) for result in results] == [("pass", "")] * len(results)
    assert all(result.evidence["comparisons"] > 0 for result in results)


@pytest.mark.parametrize("store", NEVER_WAIT, ids=lambda backend: backend.name)
def test_a_store_whose_coroutines_never_wait_is_not_concerned(store: Backend, tmp_path: Path) -> None:
    """No task can come in between, and no call can be cancelled."""
    contract = contract_of(store)
    one = bench(replace(store, sharing="threads", address=f"{__name__}:{store.name.upper()}"), tmp_path)
    for code in CODES[contract]:
        result = one.judge(catalogue()[code])
        assert result.outcome == "not applicable", result
        assert code == "RUNS-CONC-22" or "another task run" in result.reason or "RUNS-CONC-21" in result.reason


@pytest.mark.parametrize("store", SYNC, ids=lambda mutant: mutant.name)
def test_a_store_without_coroutines_is_not_concerned(store: Mutant, tmp_path: Path) -> None:
    """It has nothing to do in tasks; that is no pass."""
    one = bench(store.backend, tmp_path)
    for code in CODES[contract_of(store.backend)]:
        result = one.judge(catalogue()[code])
        assert result.outcome == "not applicable", result
        assert result.reason


globals().update({one.name.upper(): one for one in (*HONEST, *ODD_TASKS)})
globals().update({one.name.upper(): replace(one, sharing="threads") for one in NEVER_WAIT})
