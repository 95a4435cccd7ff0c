"""The one result record that every output is made from, and the verdict."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from typing import Any

from conformance import editions
from conformance.backend import PROMISES
from conformance.baseline import baseline_record
from conformance.check import BENCHMARK
from conformance.profile import Profile
from conformance.report.benchmark import measured_of, with_durability
from conformance.report.promises import concerns, levels_about, promise_record
from conformance.report.required import required_records, unmet
from conformance.result import Result
from conformance.run import Run
from conformance.versions import backend_version, kit_version

#: Raised when a field changes its meaning or goes away.
SCHEMA = 1

CONFORMANT, GAPS = "CONFORMANT", "CONFORMANT, {} known gap{}"
NOT_CONFORMANT, INCONCLUSIVE = "NOT CONFORMANT", "INCONCLUSIVE"
#: Of a run that only measured: no rule was tested, none was asked for, and nothing went wrong.
NOT_JUDGED = "NOT JUDGED"
_WORST_FIRST = (NOT_CONFORMANT, INCONCLUSIVE, NOT_JUDGED)
#: What `_conformant` makes.
_PASSED = re.compile(r"CONFORMANT(, [1-9][0-9]* known gaps?)?( \(shard [1-9][0-9]*/[1-9][0-9]*\))?")


def make_report(run: Run, *, interrupted: bool) -> dict[str, Any]:
    """Return the record of a run as plain dicts and lists.

    Args:
        run: With its results.
        interrupted: The run was stopped before its end, so what is missing was not left out on purpose.
    """
    gate = run.options.gate
    head = {
        "schema": SCHEMA,
        "kit": {"name": "pytest-backend-conformance", "version": kit_version()},
        "edition": gate.edition,
        "suites": _named_suites(run),
        "require": list(gate.require),
        "strict": gate.strict,
        "effort": run.options.effort,
        "seed": run.options.seed,
        "date": run.date,
        "machine": {
            "python": platform.python_version(),
            "implementation": platform.python_implementation(),
            "system": platform.system(),
            "release": platform.release(),
            "architecture": platform.machine(),
            **run.machine,
        },
        "benchmarks": run.benchmarks,
        "shard": str(run.options.shard or ""),
        "interrupted": interrupted,
    }
    backends = []
    for profile in run.profiles.values():
        results = [result for result in run.results if result.backend == profile.backend.name]
        backends.append((_facts(run, profile), [_check(result) for result in results]))
    record = concluded(head, backends)
    told = None
    if gate.baseline is not None:
        told = baseline_record(gate.baseline, record["backends"], updates=gate.updates, interrupted=interrupted)
    return record | {"baseline": told}


def concluded(
    head: Mapping[str, Any],
    backends: Sequence[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]],
    missing: Sequence[str] = (),
) -> dict[str, Any]:
    """Return a record, with all that follows from the checks that were judged.

    It is made of plain data alone, so that the parts of a run that were judged apart come to what the run would have.

    Args:
        head: Its fields up to the backends.
        backends: The facts of each, which are known before anything is judged, and its checks, each with contract and
            suite.
        missing: Shards without which those that were judged are no whole run.
    """
    made = [_backend(facts, checks, head, missing) for facts, checks in backends]
    verdicts = [backend["verdict"] for backend in made]
    worst = [verdict for verdict in _WORST_FIRST if verdict in verdicts]
    gaps = sum(check["outcome"] == "known gap" for _, checks in backends for check in checks)
    partial = any(backend["selected"] < backend["of"] for backend in made)
    return {
        **head,
        "benchmarks": with_durability(head.get("benchmarks", ()), made),
        "backends": made,
        "verdict": worst[0] if worst else _conformant(gaps, head["shard"] if partial else ""),
    }


def is_verdict(text: str) -> bool:
    """Tell whether a text is a verdict that this module makes."""
    return text in _WORST_FIRST or _PASSED.fullmatch(text) is not None


def is_red(verdict: str) -> bool:
    """Tell whether a verdict fails a run: one that only measured does not, and is no pass either.

    What is no verdict fails it too: nobody knows what it means.
    """
    return verdict != NOT_JUDGED and _PASSED.fullmatch(verdict) is None


def counts(checks: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many checks came to each outcome."""
    found: dict[str, int] = {}
    for check in checks:
        found[check["outcome"]] = found.get(check["outcome"], 0) + 1
    return found


#: What follows from the checks.
_FOLLOWS = ("required", "selected", "of", "verdict", "why")


def facts_of(backend: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a record says of a backend that does not follow from the checks that were judged."""
    facts = {name: value for name, value in backend.items() if name not in _FOLLOWS}
    return {
        **facts,
        "contracts": [{**contract, "suites": []} for contract in backend["contracts"]],
        "promises": [{name: promise[name] for name in ("name", "claimed", "about")} for promise in backend["promises"]],
    }


def _facts(run: Run, profile: Profile) -> dict[str, Any]:
    backend = profile.backend
    expected = run.expected(profile)
    edition = run.options.gate.edition
    gating = [check for check in expected if not editions.is_newer(check.since, edition)]
    return {
        "name": backend.name,
        "address": backend.address,
        "version": backend_version(backend.address),
        "server": profile.server,
        "lacks": dict(backend.lacks),
        "contradictions": profile.contradictions(),
        "contracts": [
            {"name": contract, "capabilities": profile.offered(contract), "suites": []}
            for contract in dict.fromkeys(check.contract for check in expected)
        ],
        "promises": [
            {"name": name, "claimed": getattr(backend, name), "about": levels_about(name, profile, gating)}
            for name in PROMISES
            if concerns(name, profile)
        ],
        "edition": edition,
        "expected": [check.code for check in expected],
        "case": run.case.code if run.case is not None else "",
        "round": run.options.round,
    }


def _backend(
    facts: Mapping[str, Any], checks: Sequence[Mapping[str, Any]], head: Mapping[str, Any], missing: Sequence[str]
) -> dict[str, Any]:
    order = {code: place for place, code in enumerate(facts["expected"])}
    checks = sorted(checks, key=lambda check: order.get(check["code"], 0))
    promises = [promise_record(**promise, checks=checks, whole=not facts["case"]) for promise in facts["promises"]]
    required = required_records(head["require"], facts, promises, checks)
    benchmarks = [one for one in head.get("benchmarks", ()) if one["backend"] == facts["name"]]
    verdict, why = _verdict(checks, len(order), required, head, missing, benchmarks)
    return {
        **facts,
        "contracts": [
            {**contract, "suites": _suites([c for c in checks if c["contract"] == contract["name"]])}
            for contract in facts["contracts"]
        ],
        "promises": promises,
        "required": required,
        "selected": len(checks),
        "of": len(order),
        "verdict": verdict,
        "why": why,
    }


def _suites(checks: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    names = dict.fromkeys(check["suite"] for check in checks)
    return [{"name": name, "checks": [_placed(c) for c in checks if c["suite"] == name]} for name in names]


def _placed(check: Mapping[str, Any]) -> dict[str, Any]:
    """Return a check without what its place in the record says."""
    return {name: value for name, value in check.items() if name not in ("contract", "suite")}


def _check(result: Result) -> dict[str, Any]:
    record = result.to_dict()
    del record["backend"], record["strict"]  # what `gates` needs to know
    record["duration_s"] = round(record["duration_s"], 4)
    return record


def _verdict(
    checks: Sequence[Mapping[str, Any]],
    expected: int,
    required: Sequence[Mapping[str, Any]],
    head: Mapping[str, Any],
    missing: Sequence[str],
    benchmarks: Sequence[Mapping[str, Any]],
) -> tuple[str, str]:
    """Return the verdict on a backend and, where it is neither plain conformance nor plain failure, why.

    Args:
        checks: That were judged.
        expected: How many a full run judges.
        required: What became of what is required.
        head: Of the record.
        missing: Shards without which those that were judged are no whole run.
        benchmarks: What was measured of the backend.
    """
    judged = len(checks)
    checks = [check for check in checks if not check["provisional"]]
    broken = [c for c in checks if c["outcome"] == "fail" and c["gates"]]
    stale = [c for c in checks if c["outcome"] == "stale gap"]
    refuted = unmet(required, met=False)
    if broken or stale or refuted:
        parts = [_count(len(broken), "new failure"), _count(len(stale), "stale gap"), *refuted]
        return NOT_CONFORMANT, ", ".join(part for part in parts if part)
    accepted = [c for c in checks if is_accepted(c)]
    unclear = [c for c in checks if c["outcome"] in ("inconclusive", "blocked") and not is_accepted(c)]
    if unclear:
        return INCONCLUSIVE, f"{_count(len(unclear), 'check')} could not be carried out"
    measured, tried, failed = measured_of(benchmarks)
    if failed:
        return INCONCLUSIVE, f"{_count(failed, 'operation')} could not be measured"
    if head["interrupted"]:
        return INCONCLUSIVE, f"the run was stopped after {judged} of {expected} checks"
    if missing:
        there = f"{judged} of {expected} checks were judged"
        return INCONCLUSIVE, f"{there}: {_count(len(missing), 'shard')} missing, {', '.join(missing)}"
    # What failed here is a `should`, and was tested too.
    if not any(c["outcome"] in ("pass", "known gap", "fail") and c["suite"] != "open" for c in checks):
        if (measured or tried) and all(c["suite"] == "open" for c in checks) and not unmet(required, met=None):
            done = (
                f"{_count(measured, 'operation')} measured"
                if measured
                else f"{_count(tried, 'operation')} carried out once"
            )
            return NOT_JUDGED, f"{done}, no rule tested"
        return INCONCLUSIVE, "nothing was tested"
    if accepted and not any(c["outcome"] == "pass" and c["suite"] != "open" for c in checks):
        return INCONCLUSIVE, f"nothing passed: known gaps block {_count(len(accepted), 'check')}"
    partial = judged < expected
    untested = [] if partial else _untested(head.get("suites", ()), checks)
    if untested:
        return INCONCLUSIVE, f"nothing of {', '.join(untested)} was tested, and it was asked for by name"
    # What one shard does not measure another one may: whoever merges them is told.
    if (unmeasured := unmet(required, met=None)) and not (partial and head["shard"]):
        return INCONCLUSIVE, ", ".join(unmeasured)
    gaps = sum(c["outcome"] == "known gap" for c in checks)
    return _conformant(gaps, head["shard"] if partial else ""), ""


def _named_suites(run: Run) -> list[str]:
    """Return the suites that were asked for by name; empty where all run because none was."""
    if run.options.origins["suite"] == "default" or run.case is not None:
        return []
    return [name for name in run.options.suites if name not in ("open", BENCHMARK)]


def _untested(named: Sequence[str], checks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the suites of which nothing applied."""
    tested = {check["suite"] for check in checks if check["outcome"] != "not applicable"}
    return [name for name in named if name not in tested]


def is_accepted(check: Mapping[str, Any]) -> bool:
    """Tell whether a check was not carried out because a known gap makes it meaningless."""
    return check["outcome"] == "blocked" and check["gap"] is not None


def _conformant(gaps: int, shard: str) -> str:
    """Return the verdict of a run without failures; where it is one part of several, it says which."""
    verdict = GAPS.format(gaps, "" if gaps == 1 else "s") if gaps else CONFORMANT
    return f"{verdict} (shard {shard})" if shard else verdict


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}" if number else ""
