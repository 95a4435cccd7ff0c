"""What an earlier release wrote is read by this one: the golden files."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from conformance.address import load
from conformance.backend import Backend, Where
from conformance.session import ManualClock
from conformance.values.equality import same
from tests.golden.make import VALUES
from tests.golden.read import GOLDEN, read_log, read_state

KEPT = sorted(path for path in GOLDEN.glob("*-v*") if path.is_dir())
#: The formats that have been released.
RELEASED = {"file-state-v1", "sqlite-state-v1", "sqlite-log-v1", "wal-state-v1", "wal-log-v1"}
EACH = pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.name)


def opened(kept: Path, folder: Path) -> tuple[Backend, str, Any]:
    """Open a copy of a golden store; gives its backend and its contract too."""
    name, contract, _ = kept.name.rsplit("-", 2)
    backend = load(f"reference_backends.{name}:backend")
    if not folder.exists():
        copytree(kept, folder)
    return backend, contract, getattr(backend, contract)(Where(folder, clock=ManualClock()))


@EACH
def test_all_is_read_as_it_was_written(kept: Path, tmp_path: Path) -> None:
    """Values, versions, snapshots and expiries of a state, and events, positions and checkpoint of a log, are there."""
    expected = json.loads(kept.with_suffix(".json").read_text(encoding="utf-8"))
    _, contract, store = opened(kept, tmp_path / "copy")
    found = (read_state if contract == "state" else read_log)(store)
    store.close()
    assert found.keys() == expected.keys()
    for part, content in expected.items():
        assert same(found[part], content), part


@EACH
def test_it_is_sound_and_goes_on(kept: Path, tmp_path: Path) -> None:
    """Nothing is taken for damaged, and what is written now is there after reopening, beside what was."""
    _, contract, store = opened(kept, tmp_path / "copy")
    report = store.verify()
    assert list(report["damaged"] if isinstance(report, dict) else report.damaged) == []
    before = len(store) if contract == "state" else store.head
    if contract == "state":
        store["new"] = 1
        store["overwritten"] = "again"
    else:
        assert store.append("new") == before + 1
    store.close()
    _, _, store = opened(kept, tmp_path / "copy")
    if contract == "state":
        assert (store["new"], store["overwritten"], len(store)) == (1, "again", before + 1)
    else:
        assert list(store.read(before + 1)) == [(before + 1, "new")]
    store.close()


def test_every_format_is_kept() -> None:
    """There is a golden store for each reference that has files, and for each release; none was taken away."""
    assert {path.name for path in KEPT} == RELEASED


@pytest.mark.parametrize("name", sorted(name for name in RELEASED if "-state-" in name))
def test_the_content_is_what_the_script_says(name: str) -> None:
    """The kept content of a state is what the script writes, so that it was right when it was kept."""
    content = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    later = {"overwritten", "in a transaction", "expires", "written last"}
    assert {key for key in content["entries"] if key not in later} == set(VALUES)
    for key, value in VALUES.items():
        assert same(content["entries"][key], value), key
