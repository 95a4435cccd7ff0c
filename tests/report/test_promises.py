"""What is said of a promise follows from the results of its `must` checks, and from nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.backend import Backend
from conformance.check import Check, catalogue
from conformance.profile import Profile
from conformance.report.promises import concerns, levels_about, promise_record
from conformance.result import Outcome, Result

LEVELS = ("power-loss", "prefix", "process-crash", "clean-close")


def checks_of() -> list[Check]:
    """Return one check about each level of durability, of the suite that measures it."""
    return [one_check(name, "round-trip" if name == "clean-close" else "crash-recovery") for name in LEVELS]


def one_check(level: str, suite: str = "crash-recovery", strength: Any = "must") -> Check:
    """Return a check about a level of durability; its code is the level."""
    some = catalogue()["STATE-BASIC-01"]
    code = level if strength == "must" else f"{level} should"
    return replace(some, code=code, suite=suite, level=strength, promise=f"durability:{level}")


def ended(check: Check, outcome: Outcome = "pass") -> Result:
    """Return a result of a check."""
    return Result("b", "state", check.suite, check.code, check.level, "A rule.", outcome)


def said(
    outcomes: dict[str, Outcome], *more: tuple[Check, Outcome], claimed: str = "power-loss", whole: bool = True
) -> dict[str, Any]:
    """Return what is said when these levels ended otherwise than in a pass."""
    checks = checks_of()
    results = [ended(check, outcomes.get(check.code, "pass")) for check in checks]
    results += [ended(check, outcome) for check, outcome in more]
    backend = Backend("b", state=lambda where: {}, durability=claimed)
    profile = Profile(backend, {"state": {}}, {})
    checks += [check for check, _ in more]
    about = levels_about("durability", profile, checks)
    record = promise_record("durability", claimed, about, [one.to_dict() for one in results], whole=whole)
    return {name: record[name] for name in ("observed", "broken", "not_measured")}


@pytest.mark.parametrize(
    ("outcomes", "observed", "broken", "not_measured"),
    [
        ({}, "power-loss", [], []),
        ({"power-loss": "fail"}, "prefix", ["power-loss"], []),
        ({"power-loss": "known gap"}, "prefix", ["power-loss"], []),
        ({"power-loss": "stale gap"}, "power-loss", [], []),
        ({"power-loss": "inconclusive"}, "prefix", [], ["power-loss"]),
        ({"prefix": "fail", "power-loss": "blocked"}, "process-crash", ["prefix"], ["power-loss"]),
        ({"power-loss": "not applicable"}, "prefix", [], ["power-loss"]),
        # A level includes the weaker ones: what does not survive a close does not survive a power loss.
        ({"clean-close": "fail"}, "", ["clean-close"], []),
        ({"process-crash": "fail"}, "clean-close", ["process-crash"], []),
        (dict.fromkeys(LEVELS, "inconclusive"), "", [], list(LEVELS)),
    ],
)
def test_levels_follow_from_outcomes(
    outcomes: dict[str, Outcome], observed: str, broken: list[str], not_measured: list[str]
) -> None:
    """The strictest level below which nothing is broken is observed; what was not carried out breaks nothing."""
    assert said(outcomes) == {"observed": observed, "broken": broken, "not_measured": not_measured}


@pytest.mark.parametrize("outcome", ["fail", "known gap", "inconclusive", "blocked", "pass"])
def test_a_should_is_no_part_of_a_promise(outcome: Outcome) -> None:
    """A `should` about a level neither breaks it nor shows that it holds."""
    should = one_check("power-loss", strength="should")
    assert said({}, (should, outcome))["observed"] == "power-loss"
    assert said({}, (should, outcome))["broken"] == []
    assert said({"power-loss": "not applicable"}, (should, outcome))["observed"] == "prefix"


def test_all_checks_of_a_level_count() -> None:
    """One of several checks is enough to break a level, or to leave it unmeasured; any suite may break it."""
    for suite in ("crash-recovery", "concurrency"):
        other = replace(one_check("prefix", suite), code="OTHER")
        assert said({}, (other, "fail"))["broken"] == ["prefix"]
        assert said({}, (other, "blocked"))["not_measured"] == ["prefix"]
        assert said({}, (other, "pass"))["broken"] == []


def test_a_weaker_claim_is_all_that_is_spoken_about() -> None:
    """Levels that are not claimed are not mentioned."""
    found = said({"power-loss": "fail"}, claimed="process-crash")
    assert found == {"observed": "process-crash", "broken": [], "not_measured": []}


def test_a_case_breaks_but_does_not_show() -> None:
    """One saved state can break a level; that it is fine shows nothing."""
    found = said({"prefix": "fail"}, whole=False)
    assert found == {
        "observed": "",
        "broken": ["prefix"],
        "not_measured": ["power-loss", "process-crash", "clean-close"],
    }


def test_the_shipped_checks_speak_about_their_levels() -> None:
    """Each level of durability has a `must` of the suite that measures it, in both contracts."""
    for contract in ("state", "log"):
        found = {c.promise for c in catalogue().values() if c.contract == contract and c.level == "must"}
        assert {f"durability:{level}" for level in LEVELS} <= found


@pytest.mark.parametrize(
    ("contract", "missing", "concerned"),
    [
        ("state", {"transactions": ()}, {"consistency": True, "isolation": True, "sharing": True}),
        ("state", {"transactions": ("transaction",)}, {"consistency": True, "isolation": False, "sharing": True}),
        ("log", {}, {"consistency": False, "isolation": False, "sharing": True}),
    ],
)
def test_promises_about_what_is_not_offered_are_left_out(
    contract: str, missing: dict[str, tuple[str, ...]], concerned: dict[str, bool]
) -> None:
    """Nobody wonders about the isolation of a store that has no transactions."""
    profile = Profile(Backend("b", state=dict), {contract: missing}, {})
    assert {name: concerns(name, profile) for name in concerned} == concerned


def test_one_outcome_can_speak_about_several_promises() -> None:
    """A weaker level of what is judged as claimed counts for the claim."""
    about = "sharing:threads isolation:snapshot-isolation"
    one = replace(one_check("x", "concurrency"), code="x", promise=about)
    profile = Profile(Backend("b", state=dict, sharing="threads"), {"state": {"transactions": ()}}, {})
    for outcome, broken in (("pass", False), ("fail", True)):
        for name, level in (("sharing", "threads"), ("isolation", "serializable")):
            claimed, levels = getattr(profile.backend, name), levels_about(name, profile, [one])
            record = promise_record(name, claimed, levels, [ended(one, outcome).to_dict()], whole=True)  # type: ignore[arg-type]
            assert (record["observed"] == level, record["broken"] == [level]) == (not broken, broken)
