"""The matrix of the summary: a row for each contract, a column for each suite, and in a cell what was asked of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.backend import CONTRACTS
from conformance.report.rows import MARKS, mark, share

#: A part of a line and its colour, one of "", red, yellow, green; a line is made of parts.
Span = tuple[str, str]
Line = tuple[Span, ...]

#: The suite that is about the backend as a whole, and has no column.
_WHOLE = "open"
_GAP = "  "


def contracts_run(backend: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the contracts of which checks ran, without what is about the backend as a whole."""
    return [c for c in backend["contracts"] if any(suite["name"] != _WHOLE for suite in c["suites"])]


def matrix_lines(backend: Mapping[str, Any]) -> Iterator[Line]:
    """Give the matrix of one backend: how many of the applicable `must` checks passed, by contract and suite."""
    contracts = sorted(contracts_run(backend), key=lambda contract: CONTRACTS.index(contract["name"]))
    names = sorted({suite["name"] for contract in contracts for suite in contract["suites"]} - {_WHOLE})
    cells = {contract["name"]: _cells(contract, names) for contract in contracts}
    widths = [max(len(name), *(len(row[place][0]) for row in cells.values())) for place, name in enumerate(names)]
    first = max(map(len, ("must", *cells)))
    heads = (f"{_GAP}{name:>{width}}" for name, width in zip(names, widths, strict=True))
    yield ((f"  {'must':<{first}}{''.join(heads)}", ""),)
    for contract, row in cells.items():
        shown = ((f"{_GAP}{text:>{width}}", colour) for (text, colour), width in zip(row, widths, strict=True))
        yield (f"  {contract:<{first}}", ""), *shown
    seen = {text[0] for row in cells.values() for text, _ in row}
    meant = tuple((f"{_GAP}{sign} {meaning}", colour) for sign, (meaning, colour) in MARKS.items() if sign in seen)
    if meant:
        yield meant


def _cells(contract: Mapping[str, Any], names: Sequence[str]) -> list[Span]:
    suites = {suite["name"]: suite["checks"] for suite in contract["suites"]}
    return [_cell(suites.get(name, ())) for name in names]


def _cell(checks: Sequence[Mapping[str, Any]]) -> Span:
    if not checks:
        return "-", ""
    if all(check["outcome"] == "not applicable" for check in checks):
        return "n/a", ""
    passed = share(checks, "must")
    worst = mark(checks)
    return (f"{worst} {passed}", MARKS[worst][1]) if worst else (passed, "green")
