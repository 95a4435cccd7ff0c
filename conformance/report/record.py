"""The one result record that every output is made from, and the verdict."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.backend import PROMISES
from conformance.check import Check
from conformance.profile import Profile
from conformance.report.promises import concerns, promise_record
from conformance.result import Result
from conformance.run import Run
from conformance.versions import backend_version, kit_version

#: Raised when a field changes its meaning or goes away.
SCHEMA = 1

CONFORMANT, GAPS = "CONFORMANT", "CONFORMANT, {} known gap{}"
NOT_CONFORMANT, INCONCLUSIVE = "NOT CONFORMANT", "INCONCLUSIVE"
_WORST_FIRST = (NOT_CONFORMANT, INCONCLUSIVE)


def make_report(run: Run, *, interrupted: bool) -> dict[str, Any]:
    """Return the record of a run as plain dicts and lists.

    Args:
        run: With its results.
        interrupted: The run was stopped before its end, so what is missing was not left out on purpose.
    """
    backends = [_backend(run, profile, interrupted=interrupted) for profile in run.profiles.values()]
    verdicts = [backend["verdict"] for backend in backends]
    worst = [verdict for verdict in _WORST_FIRST if verdict in verdicts]
    gaps = sum(result.outcome == "known gap" for result in run.results)
    return {
        "schema": SCHEMA,
        "kit": {"name": "pytest-backend-conformance", "version": kit_version()},
        "effort": run.options.effort,
        "seed": run.options.seed,
        "machine": {
            "python": platform.python_version(),
            "implementation": platform.python_implementation(),
            "system": platform.system(),
            "release": platform.release(),
            "architecture": platform.machine(),
        },
        "backends": backends,
        "verdict": worst[0] if worst else _conformant(gaps),
    }


def counts(checks: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many checks came to each outcome."""
    found: dict[str, int] = {}
    for check in checks:
        found[check["outcome"]] = found.get(check["outcome"], 0) + 1
    return found


def _backend(run: Run, profile: Profile, *, interrupted: bool) -> dict[str, Any]:
    backend = profile.backend
    expected = run.expected(profile)
    order = {check.code: place for place, check in enumerate(expected)}
    results = sorted((r for r in run.results if r.backend == backend.name), key=lambda r: order.get(r.code, 0))
    verdict, why = _verdict(results, expected, interrupted=interrupted)
    return {
        "name": backend.name,
        "address": backend.address,
        "version": backend_version(backend.address),
        "server": profile.server,
        "lacks": dict(backend.lacks),
        "contradictions": profile.contradictions(),
        "contracts": [
            {
                "name": contract,
                "capabilities": profile.offered(contract),
                "suites": _suites([r for r in results if r.contract == contract]),
            }
            for contract in dict.fromkeys(check.contract for check in expected)
        ],
        "promises": [
            promise_record(name, profile, results, expected, whole=run.case is None)
            for name in PROMISES
            if concerns(name, profile)
        ],
        "selected": len(results),
        "of": len(expected),
        "case": run.case.code if run.case is not None else "",
        "round": run.options.round,
        "verdict": verdict,
        "why": why,
    }


def _suites(results: list[Result]) -> list[dict[str, Any]]:
    names = dict.fromkeys(result.suite for result in results)
    return [{"name": name, "checks": [_check(r) for r in results if r.suite == name]} for name in names]


def _check(result: Result) -> dict[str, Any]:
    record = result.to_dict()
    for name in ("backend", "contract", "suite"):  # where it stands in the record says it
        del record[name]
    record["duration_s"] = round(record["duration_s"], 4)
    return record


def _verdict(results: list[Result], expected: list[Check], *, interrupted: bool) -> tuple[str, str]:
    """Return the verdict on a backend and, where it is neither plain conformance nor plain failure, why."""
    broken = [r for r in results if r.outcome == "fail" and r.level == "must"]
    stale = [r for r in results if r.outcome == "stale gap"]
    if broken or stale:
        parts = [_count(len(broken), "new failure"), _count(len(stale), "stale gap")]
        return NOT_CONFORMANT, ", ".join(part for part in parts if part)
    unclear = [r for r in results if r.outcome in ("inconclusive", "blocked")]
    if unclear:
        return INCONCLUSIVE, f"{len(unclear)} checks could not be carried out"
    if interrupted:
        return INCONCLUSIVE, f"the run was stopped after {len(results)} of {len(expected)} checks"
    # What failed here is a `should`, and was tested too.
    if not any(r.outcome in ("pass", "known gap", "fail") and r.suite != "open" for r in results):
        return INCONCLUSIVE, "nothing was tested"
    gaps = sum(r.outcome == "known gap" for r in results)
    return _conformant(gaps), ""


def _conformant(gaps: int) -> str:
    return GAPS.format(gaps, "" if gaps == 1 else "s") if gaps else CONFORMANT


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}" if number else ""
