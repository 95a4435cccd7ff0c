"""The journal of a migration."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.migrate import Unfit
from conformance.migrate.journal import Journal

OF = {"source": "a", "target": "b", "contracts": ["state"]}


def test_what_was_saved_is_found_again(tmp_path: Path) -> None:
    """A journal that was saved is read with all that it says; its names may be any text."""
    kept = Journal.at(tmp_path / "j", OF)
    assert not kept.resumed
    kept.backup, kept.is_backed_up, kept.cursors, kept.done = "there", True, {"layers": ["", "\ud800", "ä"]}, ["state"]
    kept.save()
    found = Journal.at(tmp_path / "j", OF)
    assert found.resumed
    assert (found.backup, found.is_backed_up, found.cursors, found.done) == ("there", True, kept.cursors, ["state"])
    assert [path.name for path in tmp_path.iterdir()] == ["j"]
    found.remove()
    assert not list(tmp_path.iterdir())


def test_the_journal_of_another_migration_is_refused(tmp_path: Path) -> None:
    """A journal tells whose it is."""
    Journal.at(tmp_path / "j", OF).save()
    with pytest.raises(Unfit, match="is the journal of another migration, a to b"):
        Journal.at(tmp_path / "j", {**OF, "target": "c"})


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"of": 1}', "\x00"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    """A file that is no journal is left alone."""
    (tmp_path / "j").write_text(text)
    with pytest.raises(Unfit, match="is no journal of a migration"):
        Journal.at(tmp_path / "j", OF)
    assert (tmp_path / "j").read_text() == text
