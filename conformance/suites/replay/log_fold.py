"""The fold itself, without any log: what it gives must hang on the events, and on nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.replay.errands import fold_again
from conformance.result import Inconclusive
from conformance.suites.replay.elsewhere import same_in_all_worlds
from conformance.suites.replay.laboratory import agree, events_for, expected_replay, with_few_events

if TYPE_CHECKING:
    from typing import Any

    from conformance.trial import Trial


@check(
    "LOG-REPLAY-01",
    sources="Temporal, deterministic constraints; mutants replay_wall_clock, float_sum_order",
)
def test_the_fold_depends_on_the_events_alone(trial: Trial) -> None:
    """The fold gives the same state for the same events: again, and in another process on another day.

    Why: a fold that asks for the time, for a random number or for the order of a set comes to another state after each
    start. No log can help it, and all other checks would accuse the log.

    What is tried is `Backend(fold=...)`, or the fold of the kit where none is given. No log takes part.

    Breaks it:

        def fold(state, event):
            return {**(state or {}), event["key"]: event["value"], "seen": time.time()}
    """
    trial.conditions["fold"] = "the backend's" if trial.backend.fold else "the kit's"
    what = "folding the same events"

    def body(events: list[Any]) -> None:
        expected = expected_replay(trial, events)
        agree(trial, expected_replay(trial, events), expected, f"{what}, a second time", ("then", "before"))
        if trial.backend.fold:  # the kit's own is tried by the tests of the kit
            same_in_all_worlds(trial, fold_again, None, (events,), expected, what)

    with_few_events(trial, body)
    _notices_events(trial)


def _notices_events(trial: Trial) -> None:
    states = expected_replay(trial, events_for(trial)).digests
    if len(set(states)) == 1:
        raise Inconclusive(
            "the fold gives the same state whatever happens. It is given dicts with `n`, `key`, `at` and `value`, or "
            "bytes where the values are `bytes`: have it take them"
        )
