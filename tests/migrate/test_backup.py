"""The backup of a target."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import Backend, RedisServer, Where
from conformance.migrate import Side, Stopped, Unfit
from conformance.migrate.backup import export
from reference_backends import sqlite
from tests.migrate.sides import content, contents, database, files, fill, move


def served(path: Path) -> Side:
    """Return a side that says that it is in a server; it never asks for one."""
    path.mkdir()
    return Side(
        replace(sqlite.backend, name="served", server=RedisServer()),
        Where(path, "apart", url="redis://me:secret@there:1"),
    )


def test_a_server_is_backed_up_as_lines(tmp_path: Path) -> None:
    """The records of a target in a server are written to a file beside the journal, before anything is replaced."""
    source, target = fill(files(tmp_path / "a"), 4), served(tmp_path / "b")
    fill(Side(sqlite.backend, target.where), 4)
    before = contents(database(tmp_path / "b"))
    report = move(source, target, journal=tmp_path / "journal.json")
    assert report.equal
    assert Path(report.backup).parent == tmp_path
    lines = [json.loads(line) for line in Path(report.backup).read_text().splitlines()]
    assert [line["contract"] for line in lines] == [name for name in before for _ in range(4)]
    assert {line["name"][0]: line["value"] for line in lines if line["contract"] == "state"} == before["state"]
    assert [line["value"] for line in lines if line["contract"] == "log"] == [event for _, event in before["log"]]
    assert "secret" not in str(target)
    assert str(target) == "served at there:1, apart"


def test_an_empty_server_needs_no_backup(tmp_path: Path) -> None:
    """Where there is nothing, nothing is written down."""
    report = move(fill(files(tmp_path / "a"), 1), served(tmp_path / "b"), journal=tmp_path / "journal.json")
    assert not report.backup


def test_what_is_no_json_stops_the_backup(tmp_path: Path) -> None:
    """A record that can't be written down is not left out."""
    of = Side(Backend("bytes", state=lambda _: {"a": b"1"}), Where(tmp_path))
    with pytest.raises(Stopped, match=r"the backup of bytes .* failed: .*bytes"):
        export(of, ["state"], (), tmp_path / "backup")


def test_nothing_is_replaced_by_a_backup(tmp_path: Path) -> None:
    """A backup goes where nothing is yet."""
    source, target = fill(files(tmp_path / "a"), 1), fill(database(tmp_path / "b"), 1)
    (tmp_path / "backup").mkdir()
    with pytest.raises(Unfit, match="backup exists: name another place"):
        move(source, target, backup=tmp_path / "backup")
    report = move(source, target, backup=tmp_path / "other")
    assert content(database(Path(report.backup)), "state") == content(source, "state")
