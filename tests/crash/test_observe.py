"""What a store shows after a crash: how far it can be used, and what it holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.address import load
from conformance.crash.observe import Observation, observe
from conformance.crash.tree import read_tree, write_tree
from tests.crash import stores as s

CONTENT = {"entries": [["a", 1]], "length": 1}

OUTCOMES = {
    "": Observation("usable", CONTENT),
    "open": Observation("cannot open", None, "OSError: the store is damaged"),
    "read": Observation("cannot read", None, "ValueError: a page is missing"),
    "write": Observation("breaks after one more write", CONTENT, "OSError: the store is full"),
    "forget": Observation(
        "breaks after one more write", CONTENT, "after one more write, closing and reopening: 1 missing"
    ),
    "swap": Observation(
        "breaks after one more write",
        CONTENT,
        "after one more write, closing and reopening: 1 missing and 1 not written",
    ),
    "double": Observation(
        "breaks after one more write",
        {"entries": [["a", 1], ["a", 1]], "length": 1},
        "after one more write, closing and reopening: another order or another length",
    ),
}


@pytest.mark.parametrize("trap", OUTCOMES)
def test_outcomes(trap: str, tmp_path: Path) -> None:
    """Each step that may go wrong has an outcome of its own, and what was read before it is kept."""
    entries = {"k0": 0, "a": 1} if trap == "swap" else {"a": 1}
    write_tree(s.document(trap, **entries), tmp_path / "place")
    found = observe(s.TRAPPED, "state", tmp_path / "place")
    expected = OUTCOMES[trap]
    assert (found.usable, found.detail) == (expected.usable, expected.detail)
    if trap != "swap":
        assert found.content == expected.content
    raised = trap in ("open", "read", "write")
    assert ("stores.py:" in found.frame) == raised


def test_one_more_write_is_made(tmp_path: Path) -> None:
    """The store is left with the probe in it, and closed."""
    write_tree(s.document(a=1), tmp_path / "place")
    observe(s.TRAPPED, "state", tmp_path / "place")
    assert read_tree(tmp_path / "place") == s.document(a=1, **{"written-after-recovery": "written after recovery"})


@pytest.mark.parametrize("address", [s.DOCUMENT, s.ASYNC_FILES, s.GROUP_COMMIT, s.JOURNAL, s.SQLITE_WAL])
def test_an_empty_place_is_an_empty_store(address: str, tmp_path: Path) -> None:
    """Sync or async, flushed or not: what was never written to is usable, and holds nothing."""
    (tmp_path / "place").mkdir()
    found = observe(load(address), "state", tmp_path / "place")
    assert found == Observation("usable", {"entries": [], "length": 0})


def test_logs(tmp_path: Path) -> None:
    """A log is observed by its events, its head and its checkpoint."""
    found = observe(load(s.JOURNAL_LOG), "log", tmp_path)
    assert found == Observation("usable", {"events": [], "head": 0, "checkpoint": None})


def test_a_store_that_is_never_synced_is_not_forgiven(tmp_path: Path) -> None:
    """The frame names the line of the store's own code."""
    write_tree({"store": b"{torn"}, tmp_path / "place")
    found = observe(load(s.DOCUMENT), "state", tmp_path / "place")
    assert found.usable == "cannot open"
    assert found.detail.startswith("JSONDecodeError: ")
    assert "in load" in found.frame
