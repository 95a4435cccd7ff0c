"""The suite `replay` on runs, jobs and layers: who passes it, and what it shows of who does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conformance.address import load
from conformance.check import catalogue
from tests.benches import bench
from tests.mutants.registry import BACKENDS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")

CODES = [code for code in catalogue() if code.startswith(("RUNS-REPLAY-", "JOBS-REPLAY-", "LAYERS-REPLAY-"))]


@pytest.mark.parametrize("name", ["memory", "sqlite"])
def test_reference_stores_pass(name: str, tmp_path: Path) -> None:
    """The shipped stores of records are the same everywhere; one in memory can't be read by another process."""
    one = bench(load(f"reference_backends.{name}:backend"), tmp_path)
    outcomes = {code: one.judge(catalogue()[code]).outcome for code in CODES}
    idle = {code for code in CODES if code.endswith("-REPLAY-01")} if name == "memory" else set()
    assert {code for code, outcome in outcomes.items() if outcome == "not applicable"} == idle
    assert {code for code, outcome in outcomes.items() if outcome == "pass"} == {*CODES} - idle


def test_what_of_a_world_is_enough_is_told(tmp_path: Path) -> None:
    """A listing in the order of a set differs with the hash seed, and the failure says where it was seen."""
    result = bench(BACKENDS.runs_set_order, tmp_path).judge(catalogue()["RUNS-REPLAY-01"])
    found = result.counterexample
    assert found is not None
    assert found.what == "reading, in another process"
    assert found.expected == "the same listing, in the same order"
    assert found.story[0].startswith("the process: ")


def test_what_comes_back_is_shown_as_a_path(tmp_path: Path) -> None:
    """The first field that was there before is named."""
    result = bench(BACKENDS.runs_gc_leaves_outputs, tmp_path).judge(catalogue()["RUNS-REPLAY-03"])
    assert result.counterexample is not None
    assert result.counterexample.got.startswith("$.again.steps: ")
    assert result.counterexample.got.endswith("nothing saved last")
