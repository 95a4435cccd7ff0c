"""Migrations that are killed, by a real signal, and go on."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.migrate import Side
from reference_backends import sqlite
from tests.migrate import killed
from tests.migrate.sides import content, contents, database, files, fill, journal_of, only

if sys.platform == "win32":  # pragma: no cover
    pytest.skip("nothing is killed by a signal there", allow_module_level=True)

ADAPTER = """
from dataclasses import replace
from reference_backends import file, sqlite, wal

files = replace(file.backend, name="files", log=wal.backend.log)
database = sqlite.backend
"""
KILLS = 6


def arguments(folder: Path, source: Side, target: Side) -> list[str]:
    """Return the arguments of the command."""
    (folder / "adapter.py").write_text(ADAPTER, encoding="utf-8")
    sides: list[str] = []
    for name, side in (("from", source), ("to", target)):
        what = "database" if side.backend is sqlite.backend else "files"
        sides += [f"--{name}", f"{folder / 'adapter.py'}:{what}", f"--{name}-path", str(side.where.path)]
    return ["migrate", *sides, "--unproven", "--report", str(folder / "report.json")]


def run(folder: Path, at: int, given: list[str]) -> tuple[subprocess.CompletedProcess[str], int]:
    """Run the command in a process that is killed at a step, and return how it ended, and the number of steps."""
    told = folder / "steps"
    told.unlink(missing_ok=True)
    # Without -B, a module that is compiled for the first time is a file that is renamed, and so a step.
    command = [sys.executable, "-B", killed.__file__, str(at), str(told), *given]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return ended, int(told.read_text()) if told.exists() else 0


def steps_of(folder: Path, source: Side) -> int:
    """Return how many steps a migration has that is not killed."""
    ended, steps = run(folder, 0, arguments(folder, source, database(folder / "trial" / "b")))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return steps


@pytest.mark.parametrize(("seed", "before"), [(1, 0), (2, 5)], ids=["empty target", "backup first"])
def test_a_killed_migration_goes_on(tmp_path: Path, seed: int, before: int) -> None:
    """Killed at seeded moments, each time anew, and started again, it ends with equal digests and the same records."""
    source, target = fill(files(tmp_path / "a"), 40), database(tmp_path / "b")
    if before:
        fill(only(target, "state"), before)
    steps = steps_of(tmp_path, source)
    chosen, kills = random.Random(seed), 0
    given = arguments(tmp_path, source, target)
    for _ in range(10 * KILLS):
        # So that on average all of it is done in KILLS attempts.
        ended, _ = run(tmp_path, chosen.randint(1, 2 * steps // KILLS), given)
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stdout + ended.stderr
        kills += 1
    assert ended.returncode == 0
    assert kills >= 3
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["equal"]
    assert [one["records"] for one in report["contracts"]] == [40] * 5
    assert contents(target) == contents(source)
    assert not journal_of(target).exists()
    if before:
        assert len(content(database(Path(report["backup"])), "state")) == before


@pytest.mark.parametrize("at", range(1, 9))
def test_killed_over_the_backup_it_is_made_again(tmp_path: Path, at: int) -> None:
    """Killed while the target is copied, the next attempt copies it again before it writes to it."""
    source, target = fill(files(tmp_path / "a"), 2), database(tmp_path / "b")
    fill(only(target, "state"), 1)
    before = content(target, "state")
    given = [*arguments(tmp_path, source, target), "--contract", "state"]
    ended, _ = run(tmp_path, at, given)
    assert ended.returncode == -signal.SIGKILL
    ended, _ = run(tmp_path, 0, given)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["was_resumed"] == (at > 1)
    assert content(database(Path(report["backup"])), "state") == before
    assert content(target, "state") == content(source, "state")
