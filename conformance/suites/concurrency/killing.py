"""What the checks about killed processes share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.backend import PROMISES
from conformance.histories.rounds.ways import Way
from conformance.result import NotApplicable
from conformance.suites.concurrency.laboratory import require

if TYPE_CHECKING:
    from conformance.trial import Trial

KILLS: tuple[Way, ...] = ("killed", "all killed")


def require_after_kills(trial: Trial, plan: str) -> None:
    """Require that what processes see of a plan, and those that come after a kill, can be put into one order.

    Raises:
        NotApplicable: The backend does not promise that anything survives its process.
        Violation: As `require`.
        Inconclusive: As `require`.
    """
    levels, level = PROMISES["durability"], trial.backend.durability
    if levels.index(level) > levels.index("process-crash"):
        raise NotApplicable(f"durability is promised at {level!r} only; the check is about 'process-crash'")
    require(trial, plan, KILLS)
