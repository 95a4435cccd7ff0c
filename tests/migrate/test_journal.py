"""The journal of a migration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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


WHOLE = {"schema": 1, "of": OF, "backup": "", "is_backed_up": False, "cursors": {}, "done": []}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"of": {"target": "b"}}, "`of` is {'target': 'b'}, which names no source and target"),
        (
            {"of": {"source": 1, "target": "b"}},
            "`of` is {'source': 1, 'target': 'b'}, which names no source and target",
        ),
        ({"of": 3}, "`of` is 3, which names no source and target"),
        ({"of": ["source", "target"]}, "which names no source and target"),
        ({"backup": None}, "`backup` is None, which is no path"),
        ({"is_backed_up": "no"}, "`is_backed_up` is 'no', which is neither true nor false"),
        ({"cursors": []}, "`cursors` is [], which is no list of texts by contract"),
        ({"cursors": {"state": "key"}}, "`cursors` is {'state': 'key'}, which is no list of texts by contract"),
        ({"cursors": {"state": [1]}}, "which is no list of texts by contract"),
        ({"done": "state"}, "`done` is 'state', which is no list of contracts"),
        ({"done": [1]}, "`done` is [1], which is no list of contracts"),
    ],
)
def test_an_odd_journal_is_refused(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    """Each field is looked at before any is used; the file is left alone."""
    text = json.dumps({**WHOLE, **change})
    (tmp_path / "j").write_text(text)
    with pytest.raises(Unfit) as refused:
        Journal.at(tmp_path / "j", OF)
    assert f"{tmp_path / 'j'} is no journal of a migration: " in str(refused.value)
    assert told in str(refused.value)
    assert "name another file with --journal" in str(refused.value)
    assert (tmp_path / "j").read_text() == text


@pytest.mark.parametrize("name", ["of", "backup", "is_backed_up", "cursors", "done"])
def test_a_journal_that_lacks_a_field_is_refused(tmp_path: Path, name: str) -> None:
    """And the field is named."""
    (tmp_path / "j").write_text(json.dumps({field: value for field, value in WHOLE.items() if field != name}))
    with pytest.raises(Unfit, match=f"is no journal of a migration: it has no `{name}`"):
        Journal.at(tmp_path / "j", OF)


def test_a_file_that_is_nested_too_deep_is_refused(tmp_path: Path) -> None:
    """The reader of JSON gives up on it."""
    (tmp_path / "j").write_text("[" * 200_000)
    with pytest.raises(Unfit, match="is no journal of a migration"):
        Journal.at(tmp_path / "j", OF)


def test_the_journal_of_another_version_is_refused(tmp_path: Path) -> None:
    """It is not said to be of another migration, and its fields are not looked at."""
    (tmp_path / "j").write_text(json.dumps({"schema": 2, "of": OF}))
    with pytest.raises(Unfit, match=r"is a journal with the schema 2; this version of the kit writes 1\. Finish"):
        Journal.at(tmp_path / "j", OF)
