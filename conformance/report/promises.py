"""What the results say about the promises of a backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.backend import PROMISES
from conformance.check import Check
from conformance.profile import Profile

#: The suite whose checks can show that a level holds. Checks of other suites can only show that it does not: two
#: handles that see each other's writes in turn say nothing yet about two processes that write at once.
_MEASURED_BY = {
    "power-loss": "crash-recovery",
    "prefix": "crash-recovery",
    "process-crash": "crash-recovery",
    "clean-close": "round-trip",
    "processes": "concurrency",
    "threads": "concurrency",
    "complete": "corruption",
    "isolates": "corruption",
    "detects": "corruption",
    **dict.fromkeys(PROMISES["values"], "round-trip"),
    **dict.fromkeys((*PROMISES["consistency"], *PROMISES["isolation"]), "concurrency"),
}
#: Of these only the level that is claimed is judged, by whatever is asked at that level.
_AS_CLAIMED = ("values", "consistency", "isolation")


#: Outcomes that say nothing about a rule: the check was not carried out, or not to its end.
_UNCLEAR = ("blocked", "inconclusive")
_HELD = ("pass", "stale gap")


def concerns(name: str, profile: Profile) -> bool:
    """Return whether a promise is about anything that the backend offers."""
    match name:
        case "consistency":
            return "state" in profile.missing
        case "isolation":
            return "transactions" in profile.offered("state")
        case _:
            return True


def levels_about(name: str, profile: Profile, expected: Sequence[Check]) -> list[dict[str, Any]]:
    """Return each level that a promise is judged at, with the codes of the `must` checks about it.

    Args:
        name: The promise.
        profile: The backend.
        expected: What a full run judges.
    """
    claimed = getattr(profile.backend, name)
    found: dict[str, list[str]] = {}
    for check in expected:
        if check.level == "must" and name in check.promises:
            level = claimed if name in _AS_CLAIMED else check.promises[name] or claimed
            found.setdefault(level, []).append(check.code)
    return [{"level": level, "codes": codes} for level, codes in found.items()]


def promise_record(
    name: str,
    claimed: str,
    about: Sequence[Mapping[str, Any]],
    checks: Sequence[Mapping[str, Any]],
    *,
    whole: bool,
) -> dict[str, Any]:
    """Return what was claimed and what was observed of one promise.

    A level is broken when a `must` about it failed, in whatever suite. It is measured when every `must` about it was
    carried out and passed, at least one of them of the suite that measures it. Observed is the strictest measured
    level below which nothing is broken: a stricter level includes the weaker ones. Levels that promise nothing are
    left out. Nothing of a `should` is part of a promise.

    Args:
        name: The promise.
        claimed: The level that the backend claims.
        about: As `levels_about` returns it.
        checks: Those that were judged, each with suite, code and outcome.
        whole: The checks were carried out; else what was met is a saved case, which can break a level, but not show
            that it holds.
    """
    level_of = {code: one["level"] for one in about for code in one["codes"]}
    found: dict[str, list[tuple[str, str]]] = {}
    for check in checks:
        if check["code"] in level_of and check["outcome"] != "not applicable":
            found.setdefault(level_of[check["code"]], []).append((check["suite"], check["outcome"]))
    levels = PROMISES[name]
    included = [claimed] if name in _AS_CLAIMED else levels[levels.index(claimed) :]
    held = [level for level in included if level in _MEASURED_BY]
    judged = {check["code"] for check in checks}
    # A selection of the checks (-k) can break a level, but not show that it holds.
    partial = {level for code, level in level_of.items() if code not in judged or not whole}
    partial |= {level for level, outcomes in found.items() if any(outcome in _UNCLEAR for _, outcome in outcomes)}
    broken = [level for level in held if any(end not in (*_HELD, *_UNCLEAR) for _, end in found.get(level, ()))]
    measured = [
        level
        for level in held
        if level not in broken
        and level not in partial
        and any(suite == _MEASURED_BY[level] and outcome in _HELD for suite, outcome in found.get(level, ()))
    ]
    weakest_broken = max((held.index(level) for level in broken), default=-1)
    observed = [level for level in measured if held.index(level) > weakest_broken]
    return {
        "name": name,
        "claimed": claimed,
        "observed": observed[0] if observed else "",
        "broken": broken,
        "not_measured": [level for level in held if level not in broken and level not in measured],
        "about": [dict(one) for one in about],
    }
