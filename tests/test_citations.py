"""What the checks cite: a mutant is one that there is, or a bug of the catalogue on the page of sources."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conformance.check import Check, catalogue
from tests.mutants.registry import mutants

_SOURCES = Path(__file__).parents[1] / "docs" / "sources.md"


def cited(sources: str) -> list[str]:
    """Return the mutants that a check names among its sources: `mutant a`, `mutants a, b`."""
    found = []
    for part in sources.split(";"):
        lead, word, names = part.partition("mutant")
        if word and not lead.strip():
            found += [name.strip() for name in re.split(r",|\band\b", names.removeprefix("s"))]
    return found


def test_citations_are_read() -> None:
    """Of one mutant, of several, and of none."""
    assert cited("KV-09; mutants a_b, c; langchain 36890; mutant d") == ["a_b", "c", "d"]
    assert cited("the mutants of others; KV-01") == []


CITING = [check for check in catalogue().values() if cited(check.sources)]


@pytest.mark.parametrize("check", CITING, ids=lambda check: check.code)
def test_a_cited_mutant_exists(check: Check) -> None:
    """A reader can look it up."""
    known = {mutant.name for mutant in mutants()}
    known |= set(re.findall(r"^\| ([a-z0-9_]+)", _SOURCES.read_text(encoding="utf-8").replace("\\", ""), re.MULTILINE))
    assert [name for name in cited(check.sources) if name not in known] == []
