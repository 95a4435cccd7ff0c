"""The kinds of rounds: what is asked in them, and who decides on what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from conformance.histories.checkers.listing import check_listing
from conformance.histories.checkers.log import check_log
from conformance.histories.checkers.register import check_register
from conformance.histories.operation import History
from conformance.histories.plans import log, state
from conformance.histories.plans.plan import Plan
from conformance.histories.rounds.round import Round
from conformance.histories.verdict import Verdict

#: Decides on what no checker is asked about: what hung, died or raised.
DRIVER = "the driver"
#: Calls that only look: no other call may make them fail.
_LOOKS = ("get", "list", "read")


@dataclass(frozen=True)
class Kind:
    """A kind of round.

    Args:
        plan: Drawn from a seed, for so many workers that ask so often, of a store that is up to so many calls old.
        judge: Decides on a history.
    """

    plan: Callable[[int, int, int, int], Plan]
    judge: Callable[[History], Verdict]


KINDS: Mapping[str, Kind] = {
    "registers": Kind(state.registers, check_register),
    "overwrites": Kind(state.overwrites, check_register),
    "distinct keys": Kind(state.distinct_keys, check_register),
    "swaps": Kind(state.swaps, check_register),
    "updates": Kind(state.updates, check_register),
    "listings": Kind(state.listings, check_listing),
    "appends": Kind(log.appends, check_log),
}


def judged(kind: str, one: Round) -> Verdict:
    """Return what is to be said of a round of a kind."""
    if one.stuck:
        return Verdict("not linearizable", one.stuck, checker=DRIVER)
    for worker, verb, error in one.raised:
        if verb in _LOOKS:
            # Whose call raised is not heard of again.
            last = max((each for each in one.history if each.worker == worker), key=lambda each: each.call)
            why = f"a {verb} raised {error} while others wrote"
            return Verdict("not linearizable", why, (last,), checker=DRIVER)
    return KINDS[kind].judge(one.history)
