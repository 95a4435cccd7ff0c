"""What the summary says of the gate, made from records without a run."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.report.gate import baseline_lines, gap_words, provisional_lines
from conformance.report.record import is_accepted
from conformance.report.rows import mark, share
from conformance.report.scope import scope
from conformance.report.tally import word

GAP = {"reason": "issue 12", "expires": None, "days_left": None, "source": "base.json"}


def check(outcome: str, **more: Any) -> dict[str, Any]:
    """Return the record of a check."""
    given = {
        "code": "STATE-X-01",
        "level": "must",
        "outcome": outcome,
        "gates": True,
        "provisional": False,
        "gap": None,
    }
    return given | {"reason": "because\nof this", "sentence": "A rule."} | more


def backend(*checks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the record of a backend."""
    suites = [{"name": "round-trip", "checks": list(checks)}]
    given = {
        "contracts": [{"name": "state", "suites": suites}],
        "selected": 2,
        "of": 2,
        "case": "",
        "edition": "2026.1",
    }
    return given | more


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (None, ""),
        (GAP, ""),
        (GAP | {"expires": "2027-03-01", "days_left": 0}, " (expires today, the last day is 2027-03-01)"),
        (GAP | {"expires": "2027-03-01", "days_left": 1}, " (expires in 1 day, the last day is 2027-03-01)"),
        (GAP | {"expires": "2027-03-01", "days_left": 99}, " (expires in 99 days, the last day is 2027-03-01)"),
    ],
)
def test_the_last_day_of_a_gap_is_told(gap: Any, words: str) -> None:
    """With how many days are left; a gap without one says nothing."""
    assert gap_words(check("known gap", gap=gap)) == words


def test_provisional_checks_have_lines_of_their_own() -> None:
    """What did not pass is told one by one, what passed is counted, and what does not apply is left out."""
    newer = {"provisional": True, "gates": False}
    outcomes = ("fail", "inconclusive", "pass", "pass", "not applicable")
    found = backend(*(check(outcome, **newer) for outcome in outcomes), check("fail"))
    assert [text for text, _ in provisional_lines(found)] == [
        "  provisional  STATE-X-01         fail, and gates nothing yet: A rule.",
        "  provisional  STATE-X-01         inconclusive, and gates nothing yet: because",
        "  provisional  2 checks newer than edition 2026.1 passed",
    ]


def test_provisional_checks_count_nowhere_else() -> None:
    """They change no mark and no share of a row, and are no new failure."""
    failed = check("fail", provisional=True, gates=False)
    assert (mark([failed, check("pass")]), share([failed, check("pass")], "must")) == ("", "1/1")
    assert (word(failed), word(check("fail")), word(check("fail", gates=False))) == (
        "provisional",
        "new failure",
        "broken should",
    )


def test_what_a_known_gap_blocks_is_no_question_mark() -> None:
    """It was not judged because of what is accepted; without a gap it is an open question."""
    accepted = check("blocked", gap=GAP)
    assert is_accepted(accepted)
    assert not is_accepted(check("blocked"))
    assert (mark([accepted]), mark([check("blocked")])) == ("~", "?")


def test_a_verdict_says_what_it_leaves_out() -> None:
    """Checks that known gaps block are counted in it, and an edition that is not the newest is named."""
    assert scope(backend(check("pass"))) == ("in round-trip", False)
    found = backend(check("pass"), check("blocked", gap=GAP))
    assert scope(found) == ("in round-trip, without 1 that known gaps block", True)
    assert scope(found | {"of": 3, "edition": "2025.9"}) == (
        "in the 2 of 3 checks that were selected, without 1 that known gaps block, edition 2025.9",
        True,
    )


def test_a_baseline_that_could_not_be_written_is_red() -> None:
    """The reason is told; nothing is said of a baseline that was only read, nor of none."""
    told = {"source": "base.json", "updated": True, "added": [], "removed": [], "kept": []}
    assert list(baseline_lines({"baseline": told}, "no space left")) == [
        ("  the baseline base.json could not be written: no space left", "red")
    ]
    assert list(baseline_lines({"baseline": told}, "")) == [("  baseline base.json: 0 added, 0 removed", "")]
    for other in ({"baseline": None}, {"baseline": told | {"updated": False}}, {}):
        assert not list(baseline_lines(other, ""))
