"""What the checks of fencing ask for beside the order: that saves are accepted at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from conformance.histories.rounds.ways import Way
from conformance.result import Inconclusive
from conformance.suites.concurrency.laboratory import require

if TYPE_CHECKING:
    from conformance.trial import Trial


def require_accepted(trial: Trial, ways: Sequence[Way]) -> None:
    """Require that a save with a token replaces what was there when the token was given.

    Args:
        trial: The trial.
        ways: How the workers meet.

    Raises:
        Violation: Somebody else's save was accepted in between.
        Inconclusive: No save with a token was ever accepted.
    """
    accepted = require(trial, "saves with tokens", ways)
    trial.count("saves accepted", accepted)
    if not accepted:
        raise Inconclusive("no save with a token was ever accepted")
