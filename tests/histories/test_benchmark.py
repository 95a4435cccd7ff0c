"""The benchmark of the checkers runs; how fast it finds them to be is for people to look at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_runs() -> None:
    """A line is printed for each history, and each is decided."""
    command = [sys.executable, "-W", "error", "benchmarks/histories.py", "--rounds", "1", "--small"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) > 15
    assert all("linearizable (" in line for line in lines[3:])
