"""`conformance migrate`."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main
from conformance.migrate.progress import ProgressLine, line
from conformance.project import read_toml
from reference_backends import file
from tests.migrate.sides import content, database, fill, side

ROOT = Path(__file__).resolve().parents[2]


def filled(folder: Path, count: int = 3) -> list[str]:
    """Fill a source, and return the arguments of a migration of it."""
    fill(side(file.backend, folder / "a"), count)
    return [
        "migrate",
        "--from",
        "file",
        "--from-path",
        str(folder / "a"),
        "--to",
        "sqlite",
        "--to-path",
        str(folder / "b"),
    ]


def test_a_migration_ends_with_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts and digests for each contract are printed, and written as JSON; the exit code is 0."""
    report = tmp_path / "report.json"
    assert main([*filled(tmp_path), "--unproven", "--report", str(report)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Moved file at {tmp_path / 'a'} to sqlite at {tmp_path / 'b'}"
    assert lines[-1] == "Equal: every record and the whole have the same digests on both sides."
    record = json.loads(report.read_text())
    assert record["equal"]
    assert [(one["contract"], one["records"]) for one in record["contracts"]] == [
        ("state", 3),
        ("runs", 3),
        ("jobs", 3),
        ("layers", 3),
    ]
    for one in record["contracts"]:
        assert one["source"] == one["target"]
        assert any(one["contract"] in text and one["source"][:16] in text for text in lines)
    assert record["contracts"][1]["views"] == {"summary": 3, "incident report": 3, "trace": 3}


def test_nothing_is_shown_where_nobody_looks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal there is no progress."""
    main([*filled(tmp_path), "--unproven"])
    assert not capsys.readouterr().err


def test_on_a_terminal_progress_is_one_line() -> None:
    """A bar is written over and over, and wiped in the end."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    shown = ProgressLine(terminal, 60)
    shown.show("state", 50, 100)
    shown.show("state", 100, 100)
    shown.erase()
    parts = terminal.getvalue().split("\r")
    assert parts[1].rstrip() == "state          [############            ] 50 of 100"
    assert parts[2].rstrip() == "state          [########################] 100 of 100"
    assert parts[3].strip() == ""
    assert all(len(part) < 60 for part in parts)
    assert line("backup", 0, 0) == "backup ..."


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"--to": "sqlit"}, "unknown backend 'sqlit'. Did you mean 'sqlite'?"),
        ({"--to": "redis"}, "redis keeps its data in a server: give its address with --to-url=URL."),
        ({"--from-path": None}, "give the directory of file with --from-path=DIR."),
        ({"--from-path": "absent"}, "absent: nothing to move."),
        ({"--to-path": "a"}, "are one place, or one is in the other: give places apart."),
        ({"--to-path": "a-file"}, "a-file is no directory."),
        ({"--report": "absent/report"}, "absent for report."),
        ({"--contract": "log"}, "file has no log; it has state, runs, jobs, layers."),
        ({"--unproven": None}, "nothing shows that sqlite keeps what it is given."),
        ({"--unproven": None, "--proof": "absent"}, "absent: No such file or directory."),
    ],
)
def test_what_can_not_be_done_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Any],
    told: str,
) -> None:
    """An error says what is wrong and what to write; the exit code is 2, and nothing was written."""
    monkeypatch.chdir(tmp_path)
    filled(tmp_path)
    (tmp_path / "a-file").touch()
    given = {"--from": "file", "--from-path": "a", "--to": "sqlite", "--to-path": "b", "--unproven": "", **change}
    words = [word for name, value in given.items() if value is not None for word in (name, value) if word]
    assert main(["migrate", *words]) == 2
    printed = capsys.readouterr().out
    assert told in printed
    assert printed.startswith("conformance migrate: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a-file"]


def test_a_store_that_fails_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A store that raises on the way ends in a sentence and exit code 1, and the way on."""
    given = filled(tmp_path)
    damaged = next(path for path in (tmp_path / "a").rglob("*.json") if "key" in path.name)
    damaged.write_text("damaged")
    assert main([*given, "--unproven"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert "CorruptDocument" in told[0]
    assert "Traceback" not in "".join(told)


def test_what_differs_is_told_and_copied_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A target that keeps something else ends in exit code 1, with the record; the next attempt copies it again."""
    adapter = """
from reference_backends.sqlite import SqliteState
from conformance import Backend
import os

class Losing(SqliteState):
    def __setitem__(self, key, value):
        if key == "key/1" and "LOSING" in os.environ:
            value = {**value, "n": None}
        super().__setitem__(key, value)

backend = Backend("losing", state=lambda where: Losing(where.path / "state.sqlite3", clock=where.clock))
"""
    (tmp_path / "adapter.py").write_text(adapter)
    given = [*filled(tmp_path), "--to", str(tmp_path / "adapter.py:backend"), "--contract", "state", "--unproven"]
    monkeypatch.setenv("LOSING", "1")
    assert main(given) == 1
    told = capsys.readouterr().out
    assert "1 differ. 'key/1': the source has {'big': " in told or "1 differ. 'key/1': the source has {'n': 1" in told
    assert "NOT EQUAL: do not use the target." in told
    monkeypatch.delenv("LOSING")
    assert main(given) == 0
    assert content(database(tmp_path / "b"), "state") == content(side(file.backend, tmp_path / "a"), "state")


def test_names_of_the_project_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A backend may be named in the pyproject.toml of the working directory."""
    monkeypatch.chdir(tmp_path)
    table = '[tool.conformance.backends]\nmine = "reference_backends.sqlite:backend"\n'
    (tmp_path / "pyproject.toml").write_text(table)
    assert "mine" in read_toml(tmp_path / "pyproject.toml")["tool"]["conformance"]["backends"]
    assert main([*filled(tmp_path), "--to", "mine", "--unproven"]) == 0
    assert "to mine at" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("[tool]\nconformance = 5", "conformance = 5 is no table. Write [tool.conformance]"),
        ('[tool.conformance]\nbackends = ["a"]', "backends = ['a'] is no table. Write [tool.conformance.backends]"),
    ],
)
def test_a_project_that_can_not_be_used_ends_the_command(
    table: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is opened, with exit code 2."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(table)
    assert main([*filled(tmp_path), "--unproven"]) == 2
    assert told in capsys.readouterr().out


def test_a_dry_run_only_looks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--dry-run` tells the counts, and leaves nothing behind."""
    assert main([*filled(tmp_path), "--unproven", "--dry-run"]) == 0
    assert "Dry run: nothing was written." in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_source_with_nothing_to_move_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Vectors alone are not moved: exit code 2, and no word of equality."""
    (tmp_path / "near.py").write_text(
        "from conformance import Backend\nbackend = Backend('near', vectors=lambda where: None)\n"
    )
    (tmp_path / "a").mkdir()
    given = ["--from", str(tmp_path / "near.py:backend"), "--from-path", str(tmp_path / "a"), "--to", "file"]
    assert main(["migrate", *given, "--to-path", str(tmp_path / "b"), "--unproven"]) == 2
    told = capsys.readouterr().out
    assert told.startswith("conformance migrate: near opens vectors alone")
    assert "Equal" not in told
    assert not (tmp_path / "b").exists()


def test_an_odd_journal_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends in a sentence and exit code 2, and is left alone."""
    (tmp_path / "b.migration.json").write_text('{"schema": 1, "of": {}}')
    assert main([*filled(tmp_path), "--unproven"]) == 2
    told = capsys.readouterr().out
    assert "`of` is {}, which names no source and target" in told
    assert (tmp_path / "b.migration.json").exists()
