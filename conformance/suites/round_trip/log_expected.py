"""The capability `expected` of the `log` contract: an append that happens only at the head that the caller knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.log_steps import (
    append_all,
    holds,
    must_decline,
    offers,
    require_durable,
    some_events,
)

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_NEEDS = ("LOG-BASIC-01", "LOG-POSITION-01", "LOG-HEAD-01")
_REFUSES = (*_NEEDS, "LOG-EXPECTED-01", "LOG-EXPECTED-02")


def _declines(trial: Trial, store: Handle, event: object, expected: int, head: int) -> None:
    what = f"appending with expected={expected} to a log whose head is {head}"
    must_decline(trial, lambda: store.append(event, expected=expected), what)


@check("LOG-EXPECTED-01", sources="LOG-09; Commanded any, no_stream, exact", capability="expected", needs=_NEEDS)
def test_right_head_passes(trial: Trial) -> None:
    """An append that expects the head there is happens and returns its position; 0 is the head of an empty log.

    Why: the first event of a log is appended with `expected=0`, and 0 is false in Python. A log that takes it for
    "nothing expected", or for a conflict, breaks the one append that creates the log.

    Breaks it:

        if not expected or expected != self.head:       # 0 never passes
            raise ConflictError
    """
    events = some_events(trial, 4)
    with trial.fresh() as session:
        store = session.open()
        for head, event in enumerate(events):
            what = f"appending with expected={head} to a log whose head is {head}"
            trial.equal(store.append(event, expected=head), head + 1, what)
        holds(trial, store, events, "reading a log whose appends all expected the right head")


@check("LOG-EXPECTED-02", sources="LOG-09, LOG-12; KV-29", capability="expected", needs=_NEEDS)
def test_wrong_head_is_refused(trial: Trial) -> None:
    """An append that expects another head, lower or higher, is refused and changes nothing.

    Why: this is how two workers who share a log find out that the other one was faster. What slips through was decided
    on a state that is not the state any more.

    Breaks it:

        if expected and expected != self.head:          # expected=0 always passes
            raise ConflictError
    """
    events = some_events(trial, 3)
    (other,) = some_events(trial, 1, after=len(events))
    with trial.fresh() as session:
        store = session.open()
        for head in range(len(events) + 1):
            for expected in (0, head - 1, head + 1, head + 10):
                if expected != head and expected >= 0:
                    _declines(trial, store, other, expected, head)
                    trial.equal(store.head, head, "the head after an append was refused")
                    holds(trial, store, events[:head], "reading after an append was refused")
            if head < len(events):
                trial.equal(store.append(events[head]), head + 1, "appending after appends were refused")


@check("LOG-EXPECTED-03", sources="LOG-09; KV-29; KIT-20", capability="expected", needs=_REFUSES)
def test_refusal_is_a_conflict(trial: Trial) -> None:
    """A wrong head is refused with the store's own conflict exception, where the backend names one, or with False.

    Why: the caller has to tell "somebody was faster, look again" from "the disk is full". Where the exception is not
    the one that the store names, the retry never happens.

    Breaks it:

        if expected != self.head:
            raise ValueError(expected)                  # but errors={"conflict": ConflictError}
    """
    *events, other = some_events(trial, 3)
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events)
        for expected in (0, 1, 3):

            def call(expected: int = expected) -> object:
                return store.append(other, expected=expected)

            answers: list[object] = []
            trial.refused(lambda call=call, answers=answers: answers.append(call()))  # type: ignore[misc]
            if answers and answers[0] is False:
                trial.equal(store.head, 2, "the head after an append returned False")
            else:
                # Refused with an exception: the same call again, because a refusal changes nothing.
                trial.raises(call, "conflict", f"appending with expected={expected} to a log whose head is 2")


@check(
    "LOG-EXPECTED-04",
    sources="LOG-09, LOG-15",
    capability="expected",
    promise="durability:clean-close",
    needs=(*_REFUSES, "LOG-REOPEN-01"),
)
def test_expected_head_survives_reopening(trial: Trial) -> None:
    """What counts is the head of the log, not of the handle: a reopened log passes its true head and no other.

    Why: a worker that restarts goes on from the position that it noted. A count that begins with the process refuses
    it, or lets it overwrite.

    Breaks it:

        def __init__(self, path):
            self._appended = 0                          # since the start
    """
    events = some_events(trial, 3)
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events[:2])
        store = session.reopen(store)
        for expected in (0, 1, 3):
            _declines(trial, store, events[2], expected, 2)
        what = "appending with expected=2 to a reopened log whose head is 2"
        trial.equal(store.append(events[2], expected=2), 3, what)
        holds(trial, store, events, "reading a reopened log after conditional appends")


@check(
    "LOG-EXPECTED-05",
    sources="LOG-09, LOG-53; KV-34",
    capability="expected",
    promise="sharing:processes",
    needs=_REFUSES,
)
def test_expected_head_counts_other_handles(trial: Trial) -> None:
    """An append that expects a head which another handle has moved is refused; the new head passes.

    Why: this is what `expected` is for. A handle that compares with the head that it remembers lets both workers win.

    Breaks it:

        if expected != self._head:                      # as it was when this handle last looked
            raise ConflictError
    """
    require_durable(trial)
    events = some_events(trial, 5)
    with trial.fresh() as session:
        one, other = session.open(), session.open()
        append_all(trial, one, events[:1])
        trial.equal(other.head, 1, "the head as the second handle sees it")
        append_all(trial, one, events[1:2])
        _declines(trial, other, events[2], 1, 2)
        what = "appending with expected=2 through the second handle, the first having moved the head to 2"
        trial.equal(other.append(events[2], expected=2), 3, what)
        other.acknowledge()
        _declines(trial, one, events[3], 2, 3)
        what = "appending with expected=3 through the first handle, the second having moved the head to 3"
        trial.equal(one.append(events[3], expected=3), 4, what)
        one.acknowledge()
        kept = events[:4]
        if offers(trial, "batch"):
            append_all(trial, other, [])
            other.append_batch(some_events(trial, 2, after=10))
            other.acknowledge()
            _declines(trial, one, events[4], 4, 6)
            kept += some_events(trial, 2, after=10)
        for handle in (one, other):
            holds(trial, handle, kept, "reading what both handles have appended")
