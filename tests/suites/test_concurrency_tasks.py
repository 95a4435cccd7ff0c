"""The checks about tasks: they concern async stores that let others run, and no others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance import Backend
from conformance.check import catalogue
from tests.benches import bench
from tests.mutants import concurrency_threads
from tests.mutants.concurrency_tasks import HONEST, HONEST_LOG
from tests.odd.log import ODD as ODD_LOGS

CODES = ["STATE-CONC-21", "STATE-CONC-22", "STATE-CONC-23", "STATE-CONC-24", "STATE-CONC-25"]
NEVER_WAITS = next(one for one in ODD_LOGS if one.name == "odd_log_async")


def result_of(backend: Backend, code: str, tmp_path: Path) -> Any:
    """Judge a backend by one check."""
    return bench(backend, tmp_path).judge(catalogue()[code])


def test_an_honest_async_store_passes(tmp_path: Path) -> None:
    """With histories in which calls overlapped."""
    one = bench(HONEST, tmp_path)
    results = [one.judge(catalogue()[code]) for code in CODES]
    assert [(result.outcome, result.reason) for result in results] == [("pass", "")] * len(CODES)
    assert all(result.evidence["comparisons"] > 0 for result in results)
    assert result_of(HONEST_LOG, "LOG-CONC-21", tmp_path / "log").outcome == "pass"


@pytest.mark.parametrize("code", CODES)
def test_a_store_without_coroutines_is_not_concerned(code: str, tmp_path: Path) -> None:
    """It has nothing to do in tasks; that is no pass."""
    result = result_of(concurrency_threads.HONEST, code, tmp_path)
    assert result.outcome == "not applicable"
    assert result.reason


def test_a_store_whose_coroutines_never_wait_is_not_concerned(tmp_path: Path) -> None:
    """No task can come in between."""
    result = result_of(replace(NEVER_WAITS, sharing="threads"), "LOG-CONC-21", tmp_path)
    assert (result.outcome, result.reason) == ("not applicable", "no call of the store ever let another task run")
