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


def matrix_cells(backend: Mapping[str, Any]) -> tuple[list[str], dict[str, list[Span]]]:
    """Return the names of the suites, and for each contract a cell for each of them.

    Args:
        backend: Its part of the record.
    """
    contracts = sorted(contracts_run(backend), key=lambda contract: CONTRACTS.index(contract["name"]))
    names = sorted({suite["name"] for contract in contracts for suite in contract["suites"]} - {_WHOLE})
    return names, {contract["name"]: _cells(contract, names) for contract in contracts}


def matrix_lines(backend: Mapping[str, Any], width: int) -> Iterator[Line]:
    """Give the matrix of one backend: how many of the applicable `must` checks passed, by contract and suite.

    Args:
        backend: Its part of the record.
        width: Of the terminal, in columns; where it is too narrow, the names of suites stand in two lines.
    """
    names, cells = matrix_cells(backend)
    first = max(map(len, ("must", *cells)))
    heads = [list(names)]
    columns = _columns(heads, cells)
    if len(_GAP) * (1 + len(columns)) + first + sum(columns) > width:
        parts = [name.rpartition("-") for name in names]
        heads = [[before + dash for before, dash, _ in parts], [last for _, _, last in parts]]
        columns = _columns(heads, cells)
    for place, head in enumerate(heads):
        label = "must" if place == len(heads) - 1 else ""
        shown_heads = (f"{_GAP}{name:>{column}}" for name, column in zip(head, columns, strict=True))
        yield ((f"{_GAP}{label:<{first}}{''.join(shown_heads)}", ""),)
    for contract, row in cells.items():
        shown = ((f"{_GAP}{text:>{column}}", colour) for (text, colour), column in zip(row, columns, strict=True))
        yield (f"{_GAP}{contract:<{first}}", ""), *shown
    seen = {sign for row in cells.values() for text, _ in row for sign in text}
    meant = tuple((f"{_GAP}{sign} {meaning}", colour) for sign, (meaning, colour) in MARKS.items() if sign in seen)
    if "(" in seen:
        meant += ((f"{_GAP}( ) of should checks, as there are no must", ""),)
    if meant:
        yield meant


def _columns(heads: Sequence[Sequence[str]], cells: Mapping[str, Sequence[Span]]) -> list[int]:
    """Return the width of each column."""
    texts = [*heads, *([text for text, _ in row] for row in cells.values())]
    return [max(map(len, column)) for column in zip(*texts, strict=True)]


def _cells(contract: Mapping[str, Any], names: Sequence[str]) -> list[Span]:
    suites = {suite["name"]: suite["checks"] for suite in contract["suites"]}
    return [_cell(suites.get(name, ())) for name in names]


def _cell(checks: Sequence[Mapping[str, Any]]) -> Span:
    if not checks:
        return "-", ""
    if all(check["outcome"] == "not applicable" for check in checks):
        return "n/a", ""
    passed = share(checks, "must")
    if passed == "-":
        passed = f"({share(checks, 'should')})"
    worst = mark(checks)
    return (f"{worst} {passed}", MARKS[worst][1]) if worst else (passed, "green")
