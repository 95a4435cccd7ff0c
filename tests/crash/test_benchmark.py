"""The benchmark of the crash engine runs; how fast it finds the engine to be is for people to look at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.usefixtures("sees_all")
def test_it_runs() -> None:
    """Both tables are printed, with a line for each store."""
    command = [sys.executable, "-W", "error", "benchmarks/crash.py", "--rounds", "1", "--small"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line.split("  ")[0] for line in done.stdout.splitlines()]
    stores = ["atomic files", "log with checksums", "SQLite", "", "recovering crash states", "file", "wal", "sqlite"]
    assert lines[2:] == ["recording 10 operations", *stores]
