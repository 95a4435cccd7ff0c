"""Who kills whom alone, who missed, and what is missing."""

from __future__ import annotations

from conformance import Backend
from conformance.check import Check, catalogue
from tests.mutants.base import Mutant
from tests.proof.findings import (
    groups,
    late,
    met_in,
    missed,
    rate,
    strangers,
    unmeasured,
    unsure_of,
    victims,
    without_own,
)
from tests.proof.kills import Kills, Row

CODES = ("STATE-KEY-01", "STATE-KEY-02", "STATE-LIST-01", "STATE-CRASH-01")
CHECKS: dict[str, Check] = {code: catalogue()[code] for code in CODES}


def mutant(name: str, *killed_by: str) -> Mutant:
    """Return a mutant that is never opened."""
    return Mutant(name, "it has a bug", killed_by, Backend(name, state=lambda where: {}))


def full(trials: dict[str, str], **others: str) -> Row:
    """Return a row in which the other checks of round-trip did not kill, but for those named `KEY_01`."""
    rest = {code: "." for code in CODES[:3] if code not in trials}
    return Row("", trials, {**rest, **{f"STATE-{name.replace('_', '-')}": letter for name, letter in others.items()}})


def test_a_mutant_is_killed_alone_by_neighbours_or_with_others() -> None:
    """The victims of a check are told by who else kills them."""
    mutants = [mutant(name, "STATE-KEY-01") for name in ("alone", "nearby", "far")]
    kills = Kills(
        rows={
            "alone": full({"STATE-KEY-01": "KKK"}),
            "nearby": full({"STATE-KEY-01": "K"}, KEY_02="K"),
            "far": full({"STATE-KEY-01": "K"}, LIST_01="K"),
        }
    )
    found = victims(kills, mutants, CHECKS)
    assert (found["STATE-KEY-01"].alone, found["STATE-KEY-01"].nearby, found["STATE-KEY-01"].others) == (
        ("alone",),
        ("nearby",),
        ("far",),
    )
    assert found["STATE-KEY-02"].nearby == ("nearby",)
    assert without_own(kills, mutants, CHECKS) == ["STATE-LIST-01", "STATE-CRASH-01"]


def test_nobody_kills_alone_before_all_were_tried() -> None:
    """A mutant that one check of the suite has not met may be killed by it as well."""
    row = full({"STATE-KEY-01": "K"})
    del row.others["STATE-LIST-01"]
    kills = Kills(rows={"m": row})
    mutants = [mutant("m", "STATE-KEY-01")]
    assert victims(kills, mutants, CHECKS)["STATE-KEY-01"].unsure == ("m",)
    assert unsure_of(kills, mutants, CHECKS) == ["STATE-KEY-01"]
    assert without_own(kills, mutants, CHECKS) == list(CODES[1:])
    row.others["STATE-LIST-01"] = "."
    assert unsure_of(kills, mutants, CHECKS) == []


def test_a_trial_that_a_mutant_survived_is_told() -> None:
    """A check that must kill, and did so twice of three times, is found; one that was never tried is no miss."""
    mutants = [mutant("m", "STATE-KEY-01", "STATE-KEY-02", "STATE-LIST-01")]
    kills = Kills(rows={"m": Row("", {"STATE-KEY-01": "KKK", "STATE-KEY-02": "K.K"})})
    assert [(code, letters) for _, code, letters in missed(kills, mutants)] == [("STATE-KEY-02", "K.K")]
    assert unmeasured(kills, mutants) == [("m", "STATE-LIST-01")]
    assert rate(kills.rows["m"], "STATE-KEY-02") == "2/3"


def test_a_mutant_without_a_row_is_not_measured() -> None:
    """Each check that must kill a mutant nobody tried is told."""
    assert unmeasured(Kills(), [mutant("m", *CODES[:2])]) == [("m", CODES[0]), ("m", CODES[1])]


def test_results_of_what_is_gone_are_strange() -> None:
    """Results of mutants and checks that do not exist any more are found."""
    kills = Kills(rows={"m": Row("", {"STATE-KEY-01": "K"}, {"STATE-OLD-01": "."}), "gone": Row("")})
    assert strangers(kills, [mutant("m", "STATE-KEY-01")], CHECKS) == ["STATE-OLD-01", "gone"]


def test_trials_that_took_too_long_are_told() -> None:
    """A trial that was given up is no miss without a word."""
    kills = Kills(rows={"m": Row("", {"STATE-KEY-01": "Kt"}, {"STATE-LIST-01": "t", "STATE-KEY-02": "."})})
    assert late(kills) == [("m", "STATE-KEY-01"), ("m", "STATE-LIST-01")]


def test_mutants_stand_where_a_check_must_kill_them() -> None:
    """A mutant of two suites stands in both."""
    both, one = mutant("both", "STATE-KEY-01", "STATE-CRASH-01"), mutant("one", "STATE-KEY-01")
    assert list(groups(CHECKS)) == [("state", "round-trip"), ("state", "crash-recovery")]
    assert met_in(("state", "crash-recovery"), [both, one], CHECKS) == [both]
    assert met_in(("state", "round-trip"), [both, one], CHECKS) == [both, one]
