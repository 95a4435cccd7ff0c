"""What a run left out, and under which conditions it measured: as important as what it found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.report.rows import checks_of
from conformance.report.terminal import CLASSES, counts_classes
from conformance.report.text import plural


def left_out(report: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what was not tried or not measured, and how the rest was, each with its backend, a name and a text."""
    return [{"backend": b["name"], "name": name, "text": text} for b in report["backends"] for name, text in _of(b)]


def _of(backend: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if backend["selected"] < backend["of"]:
        missing = backend["of"] - backend["selected"]
        yield "checks", f"{missing:,} of {backend['of']:,} checks were not carried out, as they were not selected"
    if backend["case"]:
        what = "round" if backend.get("round") else "saved state"
        yield "search", f"only the one {what} of {backend['case']} was met: nothing else was searched"
    for promise in backend["promises"]:
        if promise["not_measured"]:
            yield f"promise {promise['name']}", f"not measured: {', '.join(promise['not_measured'])}"
    yield from _budgets(backend)
    yield from _conditions(backend)


def _budgets(backend: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    found: dict[str, dict[str, int]] = {}
    for contract in backend["contracts"]:
        for suite in contract["suites"]:
            for check in suite["checks"]:
                for kind, count in check["evidence"].items():
                    if "left out" in kind and count:
                        known = found.setdefault(kind, {})
                        known[f"{contract['name']}/{suite['name']}"] = (
                            known.get(f"{contract['name']}/{suite['name']}", 0) + count
                        )
    for kind, places in found.items():
        told = ", ".join(f"{count:,} in {place}" for place, count in places.items())
        yield kind, f"at least {told}: the budget ended first, a greater --effort tries more"


def damages(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the kinds of damage done to each backend's files, as rows of how often each ended in which class.

    Args:
        report: The record.
    """
    found: dict[tuple[str, str], dict[str, int]] = {}
    for backend in report["backends"]:
        for check in checks_of(backend, "corruption"):
            for name, text in check["conditions"].items():
                if counts_classes(text):
                    row = found.setdefault((backend["name"], name), dict.fromkeys(CLASSES, 0))
                    for part in text.split(", "):
                        count, _, kind = part.partition(" ")
                        row[kind] += int(count)
    classes = [kind for kind in CLASSES if any(row[kind] for row in found.values())]
    rows = [
        {"backend": backend, "name": name, "counts": [row[kind] for kind in classes]}
        for (backend, name), row in found.items()
    ]
    return {
        "classes": [(kind, kind.startswith("silent") or kind in ("died", "hung")) for kind in classes],
        "rows": rows,
    }


def _conditions(backend: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    found: dict[str, dict[str, int]] = {}
    for check in checks_of(backend):
        for name, text in check["conditions"].items():
            if not counts_classes(text):
                known = found.setdefault(name, {})
                known[text] = known.get(text, 0) + 1
    for name, texts in found.items():
        most = list(texts.items())[:6]
        told = "; ".join(f"{text} ({plural(count, 'check')})" for text, count in most)
        yield name, told + (f"; and {len(texts) - len(most)} more" if len(texts) > len(most) else "")
