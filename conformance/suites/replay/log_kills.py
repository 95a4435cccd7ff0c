"""Replays after a process was really killed in the midst of an append."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.literal import literal
from conformance.replay.events import event_of
from conformance.replay.killed import Life, Report, calls_of_an_append, live
from conformance.replay.replay import parting
from conformance.result import Inconclusive, Violation
from conformance.suites.replay.elsewhere import worlds_of
from conformance.suites.replay.laboratory import agree, entries_of, expected_replay, replay_of
from conformance.workers import WorkerError

if TYPE_CHECKING:
    from conformance.trial import Trial

#: Where no C calls can be counted, a kill is tried at the first few.
_SOME_CALLS = 4
#: Kills are tried until enough land in the midst of an append, but not for ever.
_TRIES = 4
#: Lives that a failure shows.
_SHOWN = 4


@check(
    "LOG-REPLAY-08",
    sources="LOG-37, LOG-39; ROCKS WriteOptionSyncTest; SIGKILL",
    promise="durability:process-crash",
    needs=("LOG-BASIC-01", "LOG-REPLAY-01"),
)
def test_replay_after_a_kill_is_the_fold_of_what_was_acknowledged(trial: Trial) -> None:
    """After a kill in the midst of an append a log folds to what was acknowledged, with or without the event in flight.

    Why: the log is the memory of a program that crashes. An event that was acknowledged and is gone did not happen; one
    that comes back after two restarts happens twice.

    A process is killed with SIGKILL, another goes on with the same log, and is killed too. What a replay showed once,
    all later ones show.

    Breaks it:

        def append(self, event):
            self._buffer.append(event)                     # written with the next tenth event
            return self._position()
    """
    settled: list[Any] = []
    story: list[str] = []
    inside = 0
    with trial.fresh() as session:
        calls = _calls(trial)
        for number in range(trial.effort.kills * _TRIES):
            events = [event_of(trial.backend.values, number, one) for one in range(number % 3 + 2)]
            call = 1 + number * max(1, calls // trial.effort.kills) % calls
            report = _killed(trial, Life(session.where, events, call))
            told = report.begun[: report.acknowledged]
            story.append(_line(number, report, call))
            store = session.open()
            settled = _settle(trial, entries_of(store), [*settled, *told], report, tuple(story[-_SHOWN:]))
            store = session.reopen(store)
            what = "replaying the log again after a kill"
            agree(
                trial,
                replay_of(trial, entries_of(store)),
                expected_replay(trial, settled),
                what,
                story=tuple(story[-_SHOWN:]),
            )
            store.close()
            inside += report.in_flight
            if inside >= trial.effort.kills:
                break
    trial.count("kills in an append", inside)
    if not inside:
        raise Inconclusive("no kill came in the midst of an append")


def _calls(trial: Trial) -> int:
    with trial.fresh() as session:
        events = [event_of(trial.backend.values, 0, number) for number in range(3)]
        try:
            return worlds_of(trial).call(calls_of_an_append, session.where, events) or _SOME_CALLS
        except WorkerError as error:
            raise Inconclusive(str(error)) from error


def _killed(trial: Trial, life: Life) -> Report:
    try:
        report: Report = worlds_of(trial).call(live, life)
    except WorkerError as error:
        raise Inconclusive(str(error)) from error
    if report.error:
        raise Violation("appending after the process before was killed", expected="a position", got=report.error)
    trial.count("kills")
    return report


def _settle(trial: Trial, entries: Any, acknowledged: list[Any], report: Report, story: tuple[str, ...]) -> list[Any]:
    """Return the events that must be there from now on: the one in flight is, if it was found."""
    found = replay_of(trial, entries)
    if report.in_flight:
        possible = [*acknowledged, report.begun[-1]]
        if parting(found, expected_replay(trial, possible), ("", "")) is None:
            trial.count("comparisons")
            return possible
    expected = expected_replay(trial, acknowledged)
    agree(trial, found, expected, "replaying the log after a kill", ("read", "acknowledged"), story)
    return acknowledged


def _line(number: int, report: Report, call: int) -> str:
    told = [literal(event, 40) for event in report.begun[: report.acknowledged]]
    end = f"killed at call {call} of the append of {literal(report.begun[-1], 40)}"
    if not report.in_flight:
        end = "killed after its last append had returned"
    return f"process {number + 1}: acknowledged {', '.join(told) or 'nothing'}; {end}"
