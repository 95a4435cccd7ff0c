"""The rows of the summary: a suite's checks counted by level and outcome, and what they did."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.report.record import counts

_NAME_WIDTH = 20
#: The same below a matrix, where names are those of suites alone.
_SUITE_WIDTH = 14
_LEAST_EVIDENCE = 20
#: Evidence that a row shows; the record has the other kinds too.
_EVIDENCE = (
    "comparisons",
    "calls",
    "examples",
    "crash states",
    "kills",
    "errors",
    "histories",
    "increments lost",
    "damaged stores",
)
#: What stands before a count of checks that did not all pass, what it means, and its colour.
MARKS = {
    "X": ("a rule is broken", "red"),
    "?": ("not judged", "red"),
    "~": ("a known gap, or a broken should", "yellow"),
}


def contract_rows(backend: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give a row for each suite of each contract."""
    yield _head("contract/suite", _NAME_WIDTH), ""
    for contract in backend["contracts"]:
        for suite in contract["suites"]:
            row, evidence, colour = _row(f"{contract['name']}/{suite['name']}", _NAME_WIDTH, suite["checks"])
            yield row + evidence, colour
        if not contract["suites"] and backend["selected"] == 0:
            yield f"  {contract['name']:<{_NAME_WIDTH}} nothing ran", "yellow"


def suite_rows(backend: Mapping[str, Any], width: int) -> Iterator[tuple[str, str]]:
    """Give a row for each suite, of all contracts together; evidence that is too long for the line goes on below."""
    yield _head("suite", _SUITE_WIDTH), ""
    for name in sorted({suite["name"] for contract in backend["contracts"] for suite in contract["suites"]}):
        row, evidence, colour = _row(name, _SUITE_WIDTH, checks_of(backend, name))
        for start, part in _folded(row, evidence, width):
            yield start + part, colour


def _folded(row: str, evidence: str, width: int) -> Iterator[tuple[str, str]]:
    joined = [part.replace(" ", "\0") for part in evidence.split(", ")]  # a number stays with what it counts
    for part in textwrap.wrap(", ".join(joined), max(_LEAST_EVIDENCE, width - len(row) - 1)):
        yield row, part.replace("\0", " ")
        row = " " * len(row)


def _head(first: str, width: int) -> str:
    return f"  {first:<{width}} {'must':>7} {'should':>7} {'gaps':>5} {'n/a':>4}   evidence"


def _row(name: str, width: int, checks: Sequence[Mapping[str, Any]]) -> tuple[str, str, str]:
    """Return a row, its evidence and its colour."""
    found = counts(checks)
    evidence: dict[str, int] = {}
    for check in checks:
        for kind, number in check["evidence"].items():
            evidence[kind] = evidence.get(kind, 0) + number
    shown = ", ".join(f"{evidence[kind]:,} {kind}" for kind in _EVIDENCE if kind in evidence)
    row = (
        f"  {name:<{width}} {share(checks, 'must'):>7} {share(checks, 'should'):>7} "
        f"{found.get('known gap', 0) or '-':>5} {found.get('not applicable', 0) or '-':>4}   "
    )
    worst = mark(checks)
    return row, shown or "none", MARKS[worst][1] if worst else "green" if found.get("pass") else "yellow"


def share(checks: Sequence[Mapping[str, Any]], level: str) -> str:
    """Return how many of the applicable checks of a level passed, as `3/4`; `-` where there are none."""
    of_level = [check for check in checks if check["level"] == level and not check["provisional"]]
    found = counts([check for check in of_level if check["outcome"] != "not applicable"])
    total = sum(found.values())
    return f"{found.get('pass', 0)}/{total}" if total else "-"


def mark(checks: Sequence[Mapping[str, Any]]) -> str:
    """Return the mark of some checks, by the worst of them; empty where none is the matter."""
    checks = [check for check in checks if not check["provisional"]]
    if any(c["outcome"] == "stale gap" or (c["outcome"] == "fail" and c["gates"]) for c in checks):
        return "X"
    if any(c["outcome"] == "inconclusive" or (c["outcome"] == "blocked" and c["gap"] is None) for c in checks):
        return "?"
    return "~" if {check["outcome"] for check in checks} & {"fail", "known gap", "blocked"} else ""


def checks_of(backend: Mapping[str, Any], suite: str = "") -> list[Mapping[str, Any]]:
    """Return the checks of a backend, or of one of its suites, of whatever contract."""
    suites = [one for contract in backend["contracts"] for one in contract["suites"]]
    return [check for one in suites if suite in ("", one["name"]) for check in one["checks"]]
