"""The measurement of what the concurrency suite finds runs, and tells by its exit status whether all is well."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("cas_check_then_set", ["cas_check_then_set STATE-CONC-04 1/1"]),
        ("one_line_put", ["one_line_put STATE-CONC-01 1/1", "one_line_put_locked 2 {'pass': 2}"]),
    ],
)
def test_it_runs(name: str, lines: list[str]) -> None:
    """A mutant is found, and its repaired twin is not accused."""
    command = [sys.executable, "-W", "error", "benchmarks/detection.py", "--seeds", "1", "--runs", "2", "-k", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    printed = " ".join(done.stdout.split())
    assert all(line in printed for line in lines), done.stdout
