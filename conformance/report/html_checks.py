"""The tables of the page: contracts by suites, all checks by suite, and where backends differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.backend import CONTRACTS
from conformance.report.rows import MARKS, checks_of, mark, share
from conformance.report.tally import word

#: The suite that is about the backend as a whole, and has no column.
_WHOLE = "open"
#: Evidence of which a cell of the matrix shows the first that there is.
_HEADLINE = ("crash states", "histories", "damaged stores", "comparisons", "calls")
_TONES = {"red": "bad", "yellow": "warn", "green": "good", "": "none"}
#: The signs of the page for those of the terminal.
_SIGNS = {"X": "✗", "?": "?", "~": "~"}

#: What a check came to in the tables: sign and class.
OUTCOMES = {
    "pass": ("✓", "good"),
    "new failure": ("✗", "bad"),
    "stale gap": ("✗", "bad"),
    "inconclusive": ("?", "bad"),
    "known gap": ("~", "warn"),
    "broken should": ("~", "warn"),
    "provisional": ("~", "warn"),
    "blocked": ("-", "none"),
    "not applicable": ("-", "none"),
}


def anchors(report: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Return the anchor of each check that did not pass, by backend and code: the code, where it is the only one."""
    found: dict[tuple[str, str], str] = {}
    used: set[str] = set()
    several = len(report["backends"]) > 1
    for backend in report["backends"]:
        tail = f".{_slug(backend['name'])}" if several else ""
        for check in checks_of(backend):
            if word(check) in ("pass", "not applicable", "blocked"):
                continue
            name = base = f"{_slug(check['code'])}{tail}"
            number = 1
            while name in used:
                number += 1
                name = f"{base}-{number}"
            used.add(name)
            found[backend["name"], check["code"]] = name
    return found


def _slug(text: str) -> str:
    return re.sub(r"[^\w-]+", "-", text, flags=re.ASCII).strip("-") or "check"


def evidence_told(evidence: Mapping[str, int]) -> str:
    """Return evidence in a line."""
    return ", ".join(f"{count:,} {kind}" for kind, count in evidence.items()) or "none"


def matrix(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the matrix of all backends: a row for each contract of each, a column for each suite."""
    ran = {suite["name"] for b in report["backends"] for c in b["contracts"] for suite in c["suites"]}
    columns = sorted(ran - {_WHOLE})
    rows: list[dict[str, Any]] = []
    for contract in CONTRACTS:
        for backend in report["backends"]:
            found = [c for c in backend["contracts"] if c["name"] == contract]
            if not found:
                continue
            suites = {suite["name"]: suite["checks"] for suite in found[0]["suites"]}
            cells = [_cell(contract, name, suites.get(name, ())) for name in columns]
            rows.append({"contract": contract, "backend": backend["name"], "cells": cells})
    for place, row in enumerate(rows):
        row["first"] = place == 0 or rows[place - 1]["contract"] != row["contract"]
        row["span"] = sum(other["contract"] == row["contract"] for other in rows)
    signs = {cell["sign"] for row in rows for cell in row["cells"]}
    meant = [(_SIGNS[sign], meaning) for sign, (meaning, _) in MARKS.items() if _SIGNS[sign] in signs]
    return {"columns": columns, "rows": rows, "meant": meant}


def _cell(contract: str, suite: str, checks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    applicable = [check for check in checks if check["outcome"] != "not applicable"]
    if not applicable:
        return {"text": "n/a" if checks else "-", "tone": "none", "sign": "", "evidence": "", "target": ""}
    level = "must" if share(checks, "must") != "-" else "should"
    worst = mark(checks)
    tone = _TONES[MARKS[worst][1]] if worst else "good"
    total = evidence_of(applicable)
    shown = next((f"{total[kind]:,} {kind}" for kind in _HEADLINE if total.get(kind)), "")
    return {
        "text": share(checks, level),
        "level": level,
        "tone": tone,
        "sign": _SIGNS.get(worst, "✓"),
        "evidence": shown or "no evidence",
        "target": f"suite-{contract}-{suite}",
    }


def evidence_of(checks: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return the evidence of several checks, added up."""
    total: dict[str, int] = {}
    for check in checks:
        for kind, count in check["evidence"].items():
            total[kind] = total.get(kind, 0) + count
    return total


def suites(report: Mapping[str, Any], names: Mapping[tuple[str, str], str]) -> list[dict[str, Any]]:
    """Return the suites of each contract, with a row for each check that passed on one of the backends.

    Args:
        report: The record.
        names: The anchors.
    """
    found = []
    for contract, suite in _places(report):
        by_backend = [_checks_at(backend, contract, suite) for backend in report["backends"]]
        rows = []
        for code in dict.fromkeys(code for checks in by_backend for code in checks):
            met = [checks.get(code) for checks in by_backend]
            if not any(check is not None and word(check) == "pass" for check in met):
                continue
            one = next(check for check in met if check is not None)
            rows.append(
                {
                    "code": code,
                    "sentence": one["sentence"],
                    "should": one["level"] == "should",
                    "cells": [
                        _outcome(check, names.get((backend["name"], code), ""))
                        for backend, check in zip(report["backends"], met, strict=True)
                    ],
                }
            )
        every = [check for checks in by_backend for check in checks.values()]
        found.append(
            {
                "id": f"suite-{contract}-{suite}",
                "contract": contract,
                "suite": suite,
                "rows": rows,
                "passed": sum(word(check) == "pass" for check in every),
                "of": sum(check["outcome"] != "not applicable" for check in every),
                "evidence": evidence_told(evidence_of(every)),
                "seconds": sum(check["duration_s"] for check in every),
            }
        )
    return found


def differing(report: Mapping[str, Any], names: Mapping[tuple[str, str], str]) -> dict[str, list[dict[str, Any]]]:
    """Return the checks that came to another word on one backend than on another.

    Under `judged` are those that differ where they were judged, under `offered` those that only do not concern all.
    """
    found: dict[str, list[dict[str, Any]]] = {"judged": [], "offered": []}
    for contract, suite in _places(report):
        by_backend = [_checks_at(backend, contract, suite) for backend in report["backends"]]
        for code in dict.fromkeys(code for checks in by_backend for code in checks):
            met = [checks.get(code) for checks in by_backend]
            if len({word(check) if check is not None else "" for check in met}) > 1:
                one = next(check for check in met if check is not None)
                cells = [
                    _outcome(check, names.get((backend["name"], code), ""), evidence=False)
                    for backend, check in zip(report["backends"], met, strict=True)
                ]
                words = {word(check) if check is not None else "not applicable" for check in met}
                kind = "judged" if words - {"pass", "not applicable"} else "offered"
                found[kind].append({"code": code, "sentence": one["sentence"], "cells": cells})
    return found


def _outcome(check: Mapping[str, Any] | None, anchor: str, *, evidence: bool = True) -> dict[str, str]:
    if check is None:
        return {"sign": "", "tone": "none", "text": "not judged", "anchor": ""}
    told = word(check)
    sign, tone = OUTCOMES[told]
    passed = told == "pass"
    text = evidence_told(check["evidence"]) if passed and evidence else "passed" if passed else told
    return {"sign": sign, "tone": tone, "text": text, "anchor": anchor}


def _places(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give each contract and suite that anything was judged of, in the order of the matrix."""
    order = {name: place for place, name in enumerate(("backend", *CONTRACTS))}
    found = dict.fromkeys(
        (contract["name"], suite["name"])
        for backend in report["backends"]
        for contract in backend["contracts"]
        for suite in contract["suites"]
    )
    yield from sorted(found, key=lambda one: (order[one[0]], one[1]))


def _checks_at(backend: Mapping[str, Any], contract: str, suite: str) -> dict[str, Mapping[str, Any]]:
    return {
        check["code"]: check
        for one in backend["contracts"]
        if one["name"] == contract
        for two in one["suites"]
        if two["name"] == suite
        for check in two["checks"]
    }
