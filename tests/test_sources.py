"""docs/sources.md: each bug of the catalogue is one that a mutant has, under a name that stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.mutants.registry import mutants

PAGE = Path(__file__).parent.parent / "docs" / "sources.md"
#: Bugs that no mutant has, and why. What is near one stands behind *near it*.
WITHOUT = {"wal_reset_race": "a race inside of SQLite, between two connections of which one checkpoints"}
#: What stands behind a name: the mutants that have the bug, or that have one like it.
BRACKETS = re.compile(r"\((here|here also|near it): ([^)]*)\)")


def rows(page: str) -> list[str]:
    """Return the first cells of the tables of the catalogue, without escapes."""
    catalogue = page.partition("\n## The catalogue of bugs\n")[2].partition("\n## ")[0]
    cells = [line.split(" | ")[0].removeprefix("| ") for line in catalogue.splitlines() if line.startswith("| ")]
    return [cell.replace("\\", "") for cell in cells if cell != "name"]


def names(cell: str) -> tuple[list[str], list[str]]:
    """Return the names that a cell gives a bug, and those that stand in brackets behind them."""
    found = BRACKETS.search(cell)
    return BRACKETS.sub("", cell).strip().split(" / "), re.findall(r"`(\w+)`", found[2]) if found else []


ROWS = rows(PAGE.read_text(encoding="utf-8"))
THERE = {mutant.name for mutant in mutants()}


def test_the_catalogue_is_found() -> None:
    """Its tables are read, each bug once."""
    assert len(ROWS) > 70
    assert len(ROWS) == len(set(ROWS))


@pytest.mark.parametrize("cell", ROWS)
def test_a_mutant_has_the_bug(cell: str) -> None:
    """A mutant has the name of the bug, or a name in brackets; only bugs without a mutant are near one."""
    own, others = names(cell)
    assert set(others) <= THERE
    assert ("near it" in cell) == bool(WITHOUT.keys() & set(own))
    assert others or THERE & set(own)


def test_a_name_in_brackets_is_needed() -> None:
    """Where a mutant has the name of the bug, none stands in brackets but beside it, and no exception is left over."""
    for cell in ROWS:
        own, others = names(cell)
        assert not (THERE & set(own) and others) or "here also" in cell
    assert WITHOUT.keys() <= {name for cell in ROWS for name in names(cell)[0]} - THERE
