"""Judging real kills."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from conformance.crash.case import Case
from conformance.crash.history import MEANING
from conformance.crash.kills import Kill
from conformance.crash.recorded import Unmeasured
from conformance.crash.show import shown_kill
from conformance.result import Inconclusive
from conformance.suites.crash_recovery.laboratory import laboratory, violated
from conformance.workers import Crew, WorkerError

if TYPE_CHECKING:
    from conformance.trial import Trial


def judge_kills(trial: Trial, kill: Callable[[Crew], list[Kill]]) -> None:
    """Require that every killed process left what it had acknowledged, and that some were killed inside a call.

    Raises:
        Inconclusive: No kill landed inside a call, or none could be made.
        Violation: Something was left wrong; the earliest is shown.
    """
    try:
        kills = kill(laboratory(trial).crew)
    except (Unmeasured, WorkerError) as error:
        raise Inconclusive(str(error)) from error
    inside = [one for one in kills if one.moment.running and one.moment.acknowledged]
    trial.count("kills", len(kills))
    trial.count("kills inside a call", len(inside))
    if not inside:
        raise Inconclusive(f"of {len(kills)} kills none landed inside a call to the store")
    trial.count("comparisons", len(kills))
    # What happens before anything was acknowledged is the matter of another check.
    wrong = [one for one in kills if one.verdict != "fine" and one.moment.acknowledged]
    if wrong:
        worst = min(wrong, key=lambda one: (list(MEANING).index(one.verdict), one.moment.settled))
        case = Case(
            code=trial.check.code,
            contract=trial.check.contract,
            model="real kill",
            verdict=worst.verdict,
            steps=tuple(worst.steps),
            attempts=tuple(worst.attempts),
            moment=worst.moment,
            files=worst.files,
        )
        raise violated(shown_kill(trial.check.contract, worst), case, f"{len(wrong)} of {len(kills)} kills")
