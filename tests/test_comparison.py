"""The comparison with other kits: the page is that of the results, and the results speak about every planted bug."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.address import load
from tests.benches import bench

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "benchmarks" / "comparison"
OURS = "conformance"


def loaded() -> Any:
    """Return the program that makes the comparison."""
    spec = importlib.util.spec_from_file_location("comparison_run", FOLDER / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RUN = loaded()
FOUND = json.loads(RUN.RESULTS.read_text(encoding="utf-8"))


def test_page_is_that_of_the_results() -> None:
    """`run.py --page` has nothing to write."""
    assert RUN.PAGE.read_text(encoding="utf-8") == RUN.page(FOUND)


def test_every_kit_was_run_on_every_bug_that_can_be_planted_there() -> None:
    """No figure of the table is of another set of bugs."""
    assert {kit.name: set(kit.bugs) for kit in RUN.KITS} == {
        name: set(of_kit["bugs"]) for name, of_kit in FOUND["kits"].items()
    }


def test_this_kit_is_quiet_about_the_honest_store() -> None:
    """What it says of the planted bugs is worth nothing where it accuses the honest store too."""
    assert FOUND["kits"][OURS]["failing_on_honest"] == 0


@pytest.mark.parametrize(
    ("bug", "code"),
    [
        ("delete_keeps", "STATE-DELETE-01"),
        ("zeros_stripped", "STATE-VALUE-02"),
        ("written_in_place", "STATE-CRASH-02"),
        ("no_directory_sync", "STATE-CRASH-22"),
        ("no_checksum", "STATE-CORR-01"),
    ],
)
def test_a_planted_bug_is_caught_where_the_results_say(bug: str, code: str, tmp_path: Path) -> None:
    """The results are those of these stores: a check that they name fails on the bug and passes on the honest one."""
    from conformance.check import catalogue

    assert code in FOUND["kits"][OURS]["bugs"][bug]
    assert bench(load(f"{FOLDER / 'planted.py'}:{bug}"), tmp_path).judge(catalogue()[code]).outcome == "fail"
    honest = bench(load(f"{FOLDER / 'planted.py'}:honest"), tmp_path / "honest")
    assert honest.judge(catalogue()[code]).outcome == "pass"
