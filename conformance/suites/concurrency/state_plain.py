"""State stores that offer nothing atomic: what that costs, as information."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.result import Inconclusive, NotApplicable
from conformance.suites.concurrency.laboratory import require

if TYPE_CHECKING:
    from conformance.histories.rounds.ways import Way
    from conformance.trial import Trial

_ATOMIC = ("cas", "transactions")


@check(
    "STATE-CONC-91",
    sources="Adya 1999, lost update; mutant count_put_by_deleting",
    level="should",
    promise="sharing:threads",
    needs=("STATE-BASIC-01",),
)
def test_a_counter_without_atomic_operations(trial: Trial) -> None:
    """A counter that threads and processes get and put one higher is at a count that it may have; lost ones are told.

    Increments that get lost are no fault of the store: nobody promised that a get and a put are one. The evidence says
    how many there were, for those who wonder whether they need `compare_and_set` or `transaction`. It asks nothing of a
    store that offers one of the two.

    Why: `store["n"] = store["n"] + 1` looks like an increment, and is none as soon as two do it.

    Breaks it:

        def __setitem__(self, key, value):
            self._data.pop(key, None)                  # for a moment there is no counter at all
            self._data[key] = value
    """
    offered = [name for name in _ATOMIC if name in trial.bench.profile.offered("state")]
    if offered:
        raise NotApplicable(f"{' and '.join(offered)} count without a loss, and are offered")
    ways: tuple[Way, ...] = ("scheduled", "processes") if trial.backend.sharing == "processes" else ("scheduled",)
    try:
        lost = require(trial, "increments by hand", ways)
    except Inconclusive as why:
        raise NotApplicable(f"nothing can be told: {why}") from why
    if lost:
        trial.count("increments lost", lost)
