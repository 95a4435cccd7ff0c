"""Records as `make_report` makes them, of runs that did not have to happen."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.backend import Backend
from conformance.check import Check, catalogue
from conformance.contracts import contracts
from conformance.options import settle
from conformance.profile import Profile
from conformance.recording import Call
from conformance.report.record import make_report
from conformance.result import Counterexample, Outcome, Result
from conformance.run import Run

#: One check of each outcome; the `fail` of a `should` is the eighth thing that can become of one.
EVERY_OUTCOME: Mapping[str, Outcome] = {
    "STATE-LIST-01": "fail",
    "STATE-CRASH-01": "fail",
    "STATE-FAIL-02": "fail",  # a should
    "STATE-VALUE-01": "known gap",
    "STATE-ALIAS-01": "known gap",
    "STATE-ALIAS-02": "stale gap",
    "STATE-CAS-01": "not applicable",
    "STATE-CAS-02": "not applicable",
    "STATE-TTL-01": "not applicable",
    "STATE-CRASH-33": "blocked",
    "STATE-CORR-01": "inconclusive",
}
REASONS: Mapping[str, str] = {
    "known gap": "issue 12",
    "stale gap": "listed in known-gaps (issue 13) but passes now: delete the entry",
    "not applicable": "{capability} is not offered",
    "blocked": "blocked by STATE-CRASH-01",
    "inconclusive": "the worker died",
}
EXAMPLE = Counterexample(
    what="reading a key",
    expected="KeyError to be raised",
    got="None",
    calls=(Call(1, "store = session.open()", "-> Store"), Call(2, "store['a']", "-> None")),
    frame="mystore.py:9 in __getitem__: return self.get(key)",
    note="1 of 2 cases fails: a.",
)

#: What was measured of one operation.
FIGURE: Mapping[str, Any] = {
    **dict.fromkeys(("reference", "not_the_same"), ""),
    **dict.fromkeys(("durability_claimed", "durability_observed"), "power-loss"),
    **dict.fromkeys(("rounds", "batch", "workers"), 1),
    "backend": "mystore",
    "contract": "state",
    "operation": "put",
    "unit": "s",
    "median": 2e-3,
    "q1": 1.9e-3,
    "q3": 2.1e-3,
    "limit": "write + fdatasync",
    "limits": [{"name": "write + fdatasync", "median": 1e-3, "q1": 0.9e-3, "q3": 1.1e-3, "ratio": 2.0}],
    "ratio_to_limit": 2.0,
    "ratio_to_reference": None,
    "interval": {"limit": [1.9, 2.1], "median": [1.9e-3, 2.1e-3]},
    "durability": "observed power-loss",
    "payload_bytes": 100,
    "conditions": {},
}


def record(
    outcomes: Mapping[str, Outcome] | None = None,
    *,
    of: Sequence[str] = ("state",),
    suites: Sequence[str] = (),
    only: Sequence[str] | None = None,
    examples: Mapping[str, Counterexample] | None = None,
    reasons: Mapping[str, str] | None = None,
    interrupted: bool = False,
    error: str = "",
    **backend: Any,
) -> dict[str, Any]:
    """Return the record of a run of the shipped checks on one backend.

    Args:
        outcomes: By code; the other checks passed.
        of: Its contracts.
        suites: That ran; all that one backend alone has, when empty.
        only: Codes of the checks that were selected; None for all.
        examples: By code, where it is not EXAMPLE.
        reasons: By code, where it is not the usual one.
        interrupted: The run was stopped before its end.
        error: Why the backend could not be opened; empty when it could.
        **backend: Fields of the `Backend`.
    """
    given = {"name": "mystore", "address": "mystore.py:backend", **backend}
    openers: dict[str, Any] = {name: lambda where: None for name in of}
    opened = Backend(**given, **openers)
    missing: dict[str, dict[str, tuple[str, ...]]] = {
        name: {capability.name: () for capability in contracts()[name].capabilities} for name in of
    }
    profile = Profile(opened, {} if error else missing, {}, error)
    options = settle(
        {"backend": [opened.name], "suite": list(suites)}, {}, Path(__file__).parent, datetime.date(2026, 1, 1)
    )
    run = Run(options, {opened.name: profile}, date="2026-01-02T03:04:05+00:00")
    for check in run.expected(profile):
        if only is None or check.code in only:
            outcome = (outcomes or {}).get(check.code, "inconclusive" if error else "pass")
            usual = error or REASONS.get(outcome, "").format(capability=check.capability)
            reason = (reasons or {}).get(check.code, usual)
            run.results.append(_result(check, opened.name, outcome, reason, (examples or {}).get(check.code, EXAMPLE)))
    return make_report(run, interrupted=interrupted)


def _result(check: Check, backend: str, outcome: Outcome, reason: str, example: Counterexample) -> Result:
    judged = outcome not in ("not applicable", "blocked")
    return Result(
        backend,
        check.contract,
        check.suite,
        check.code,
        check.level,
        check.sentence,
        outcome,
        reason,
        {"comparisons": 12, "calls": 40} if judged else {},
        0.25 if judged else 0.0,
        example if outcome in ("fail", "known gap") else None,
    )


def together(*records: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of one run on the backends of all `records`; its verdict is the worst of theirs."""
    worst = ["NOT CONFORMANT", "INCONCLUSIVE"]
    backends = [backend for one in records for backend in one["backends"]]
    red = [verdict for verdict in worst if any(backend["verdict"] == verdict for backend in backends)]
    gaps = sum(one["outcome"] == "known gap" for report in records for one in checks(report))
    green = f"CONFORMANT, {gaps} known gap{'s' * (gaps != 1)}" if gaps else "CONFORMANT"
    return {**records[0], "backends": backends, "verdict": red[0] if red else green}


def checks(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all checks of a record."""
    suites = [suite for backend in report["backends"] for one in backend["contracts"] for suite in one["suites"]]
    return [check for suite in suites for check in suite["checks"]]


def every_outcome() -> dict[str, Any]:
    """Return the record of a run in which each outcome came."""
    assert set(EVERY_OUTCOME) <= catalogue().keys()
    lacks = {"history": "a cache keeps the last value only", "power-loss": "the source of truth is elsewhere"}
    return record(EVERY_OUTCOME, lacks=lacks)
