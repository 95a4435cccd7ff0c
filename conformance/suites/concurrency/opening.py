"""Which stores the checks about opening concern."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.histories.rounds.openers import second_opening
from conformance.histories.rounds.ways import Way
from conformance.result import Inconclusive, NotApplicable
from conformance.suites.concurrency.laboratory import crew_of
from conformance.workers import WorkerError

if TYPE_CHECKING:
    from conformance.trial import Trial

#: All open at once, and again and again; one stops in its opening, or while others open.
OPENERS: tuple[Way, ...] = ("openers", "opener stopped")


def only_if_exclusive(trial: Trial) -> None:
    """Require that the store is for one process, and refuses a second one.

    Raises:
        NotApplicable: It is for several, or lets a second one in, for which it promises nothing.
        Inconclusive: It could not be tried.
    """
    if trial.backend.sharing != "threads":
        raise NotApplicable(f"sharing is promised at {trial.backend.sharing!r}; the check is about 'threads'")
    try:
        second = crew_of(trial).call(second_opening)
    except WorkerError as error:
        raise Inconclusive(str(error)) from error
    if second != "refused":
        raise NotApplicable(
            "a second process is let in, and nothing is promised to it"
            if second == "let in"
            else "a second process waits for the first one"
        )
