"""The suite `corruption` on stores of records: what it shows of a broken one; that each check is carried out."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.backend import Backend
from conformance.check import catalogue
from conformance.effort import EFFORTS
from tests.benches import bench
from tests.mutants.registry import BACKENDS
from tests.odd.records import ODD

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")

#: Enough to see that honest stores notice; how many are tried is no part of it.
FEW = replace(EFFORTS["quick"], damages=24, crash_seconds=60.0)


@pytest.mark.parametrize(
    "backend", [one for one in ODD if one.corruption == "complete"], ids=lambda backend: backend.name
)
def test_who_promises_all_is_judged_by_all(backend: Backend, tmp_path: Path) -> None:
    """No check is left out on a store that notices every damage, and none accuses it."""
    one = bench(backend, tmp_path, effort=FEW)
    codes = [code for code in catalogue() if code.startswith(f"{backend.contracts[0].upper()}-CORR-")]
    assert len(codes) == 12
    assert {code: one.judge(catalogue()[code]).outcome for code in codes} == dict.fromkeys(codes, "pass")


def test_a_run_that_the_listing_passes_over_is_shown(tmp_path: Path) -> None:
    """The finding names the file, the run, and what its reader was given."""
    result = bench(BACKENDS.runs_parse_error_is_empty, tmp_path, effort=FEW).judge(catalogue()["RUNS-CORR-02"])
    assert result.counterexample is not None
    assert result.counterexample.what.endswith("silent missing")
    assert ".rec" in result.counterexample.what
    assert result.counterexample.got.endswith("nothing, and no error")
