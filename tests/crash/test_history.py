"""The oracle: each verdict, on histories of a few steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import pytest

from conformance.crash.history import MEANING, History, Moment, Verdict, moments
from conformance.crash.observe import Observation, Usable
from conformance.crash.perform import Attempt
from conformance.crash.subjects import SUBJECTS, Content, Step
from conformance.crash.trace import ROOT, Create, Mark, Trace

STEPS = (
    Step("set", ("a", 1)),
    Step("set", ("a", 2)),
    Step("set", ("b", 3)),
    Step("delete", ("a",)),
)
DONE = tuple(map(Attempt, range(4)))


def state(**entries: Any) -> Content:
    """Return the content of a state."""
    return {"entries": [[key, value] for key, value in sorted(entries.items())], "length": len(entries)}


def history(attempts: Sequence[Attempt] = DONE, before: Content = None) -> History:
    """Return the history of the four steps."""
    return History("state", STEPS, attempts, SUBJECTS["state"].empty if before is None else before)


def at(settled: int, *, running: bool = False) -> Moment:
    """Return a moment after some settled attempts."""
    return Moment(settled, settled, running)


def seen(usable: Usable = "usable", **entries: Any) -> Observation:
    """Return an observation of a store with these entries."""
    return Observation(usable, state(**entries))


VERDICTS: list[tuple[Observation, Moment, Verdict]] = [
    (seen(), at(0), "fine"),
    (seen(a=1), at(1), "fine"),
    (seen(a=2, b=3), at(3), "fine"),
    (seen(b=3), at(4), "fine"),
    # What is in flight is there or not.
    (seen(), at(0, running=True), "fine"),
    (seen(a=1), at(0, running=True), "fine"),
    (seen(a=2), at(1, running=True), "fine"),
    # What was acknowledged is gone.
    (seen(), at(1), "lost"),
    (seen(a=1), at(2), "lost"),
    (seen(a=1), at(2, running=True), "lost"),
    (seen(a=2, b=3), at(4), "lost"),
    # What was not begun is there, or newer writes without older ones.
    (seen(a=1), at(0), "mixed"),
    (seen(a=2, b=3), at(1, running=True), "mixed"),
    (seen(a=1, b=3), at(3), "mixed"),
    (seen(b=3), at(3), "mixed"),
    (Observation("usable", {"entries": [["a", 1], ["a", 1]], "length": 1}), at(1), "mixed"),
    (Observation("usable", {"entries": [["a", 1]], "length": 2}), at(1), "mixed"),
    # What nobody wrote.
    (seen(a=7), at(1), "torn"),
    (seen(a=True), at(1), "torn"),
    (seen(a=1, c=1), at(1), "torn"),
    (seen("breaks after one more write", a=7), at(1), "torn"),
    (seen(a=3), at(4), "torn"),
    # What can't be used.
    (Observation("cannot open"), at(1), "cannot open"),
    (Observation("cannot read"), at(1), "cannot read"),
    (Observation("died"), at(0), "died"),
    (Observation("hung"), at(4), "hung"),
    (seen("breaks after one more write", a=1), at(1), "breaks after one more write"),
    (seen("breaks after one more write"), at(1), "breaks after one more write"),
    (seen("breaks after one more write", b=3), at(1), "mixed"),
    (Observation("usable"), at(0), "cannot read"),
]


@pytest.mark.parametrize(("observation", "moment", "verdict"), VERDICTS)
def test_verdicts(observation: Observation, moment: Moment, verdict: Verdict) -> None:
    """Each kind of wrong is told from the others, worst first."""
    assert history().judge(observation, moment) == verdict


def test_every_verdict_is_tried_and_has_a_meaning() -> None:
    """None is forgotten here, and each failure is told in words."""
    assert {verdict for _, _, verdict in VERDICTS} == set(get_args(Verdict))
    assert set(MEANING) == set(get_args(Verdict)) - {"fine"}


@pytest.mark.parametrize(
    ("entries", "verdict"), [({"a": 2}, "fine"), ({"a": 1}, "fine"), ({}, "lost"), ({"a": 1, "b": 3}, "torn")]
)
def test_a_call_that_raised_is_there_or_not(entries: dict[str, Any], verdict: Verdict) -> None:
    """An exception does not say what became of the write; what was acknowledged before it must be there."""
    one = history((Attempt(0), Attempt(1, "OSError: no")))
    assert one.judge(seen(**entries), at(2)) == verdict


def test_what_raised_stays_open_for_later_calls() -> None:
    """Both outcomes are followed up, and once a later call is settled it must be on top of one of them."""
    one = history((Attempt(0), Attempt(1, "OSError: no"), Attempt(2)))
    assert len(one.after[-1]) == 2
    assert one.judge(seen(a=1, b=3), at(3)) == "fine"
    assert one.judge(seen(a=2, b=3), at(3)) == "fine"
    assert one.judge(seen(a=2), at(3)) == "lost"


def test_outcomes_that_are_the_same_are_kept_once() -> None:
    """A retry makes no more contents than there are, however often it raises."""
    one = history(tuple(Attempt(0, "OSError: no") for _ in range(20)))
    assert [len(contents) for contents in one.after] == [1] + 20 * [2]


def test_an_equal_content_may_be_reached_twice() -> None:
    """What a later step makes again is not lost; nor is what an earlier step made, when it is the same."""
    steps = (Step("set", ("a", 1)), Step("delete", ("a",)), Step("set", ("a", 1)))
    one = History("state", steps, tuple(map(Attempt, range(3))), state())
    assert one.reached(state(a=1)) == {1, 3}
    assert one.judge(seen(a=1), at(3)) == "fine"
    assert one.judge(seen(), at(3)) == "lost"


def test_what_was_there_before_counts() -> None:
    """A workload may begin on a store that holds something."""
    one = history(before=state(z=0))
    assert one.judge(seen(z=0), at(0)) == "fine"
    assert one.judge(seen(a=1, z=0), at(1)) == "fine"
    assert one.judge(seen(a=1), at(1)) == "mixed"


def test_a_log_compacted_further_is_fine() -> None:
    """What no reader can tell is no loss."""
    steps = (Step("append", ("x",)), Step("append", ("y",)), Step("checkpoint", ("s", 1)))
    one = History("log", steps, tuple(map(Attempt, range(3))), SUBJECTS["log"].empty)
    dropped = {"events": [[2, "y"]], "head": 2, "checkpoint": ["s", 1]}
    assert one.judge(Observation("usable", dropped), at(3)) == "fine"
    assert one.judge(Observation("usable", {**dropped, "checkpoint": None}), at(3)) == "mixed"
    assert one.judge(Observation("usable", {**dropped, "events": []}), at(3)) == "mixed"
    assert one.judge(Observation("usable", {**dropped, "events": [[2, "Y"]]}), at(3)) == "torn"


def test_moments_follow_the_marks() -> None:
    """One for each operation and one for the end; only marks make a difference."""
    words = ("opening", "open", "armed", "start 0 0", "raised 0", "start 1 0", "done 1", "disarmed", "closed")
    operations = [Mark(word) for word in words]
    found = moments(Trace((), (*operations[:4], Create(ROOT, "file", 1), *operations[4:])))
    before = Moment(0, 0, running=False)
    opened = Moment(0, 0, running=False)
    assert found == [
        before,
        before,
        opened,
        opened,
        Moment(0, 0, running=True),
        Moment(0, 0, running=True),
        Moment(1, 0, running=False),
        Moment(1, 0, running=True),
        *3 * [Moment(2, 1, running=False)],
    ]


def test_nothing_happened_yet() -> None:
    """The end of an empty trace is its beginning."""
    assert moments(Trace((), ())) == [Moment(0, 0, running=False)]
